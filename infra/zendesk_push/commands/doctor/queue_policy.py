"""What an SQS queue policy lets happen: pure functions of the policy document."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_READING: Final = ("sqs:receivemessage", "sqs:*", "*")
_SENDING: Final = ("sqs:sendmessage", "sqs:*", "*")
# A condition on one of these makes an Allow for everybody one for somebody.
_NARROWING: Final = (
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalaccount",
)
# What IAM leaves in a policy of a role or user that has been deleted.
_DELETED_PRINCIPAL: Final = re.compile(r"A[A-Z]{2}A[A-Z0-9]{12,}")


def refuses_plain_http(policy: Mapping[str, Any]) -> bool:
    """Whether everything without TLS is denied, to everybody."""
    return any(
        statement.get("Effect") == "Deny"
        and _is_everybody(statement)
        and any(action in ("sqs:*", "*") for action in _actions(statement))
        and "false" in _condition_values(statement, "bool", "aws:securetransport")
        for statement in _statements(policy)
    )


def open_to_everybody(policy: Mapping[str, Any]) -> bool:
    """Whether anybody, of any AWS account, may send."""
    return any(
        _is_everybody(statement) and not any(key in _NARROWING for key in _condition_keys(statement))
        for statement in _sending_allowed(policy)
    )


def senders(policy: Mapping[str, Any]) -> list[str]:
    """Who is allowed to send by the policy itself: principals, and the topics and rules of services."""
    found: list[str] = []
    for statement in _sending_allowed(policy):
        named = _condition_values(statement, None, "aws:sourcearn")
        named += _condition_values(statement, None, "aws:principalarn")
        found += named or [principal for principal in _principals(statement) if principal != "*"]
    return found


def readers(policy: Mapping[str, Any]) -> list[str]:
    """Who is allowed to receive by the policy itself; ``*`` for everybody."""
    found: list[str] = []
    for statement in _statements(policy):
        if statement.get("Effect") == "Allow" and any(each in _READING for each in _actions(statement)):
            found += _condition_values(statement, None, "aws:principalarn") or _principals(statement)
    return found


def deleted_senders(policy: Mapping[str, Any]) -> list[str]:
    """Senders that no longer exist: one that is made again under the same name is another."""
    return [sender for sender in senders(policy) if _DELETED_PRINCIPAL.fullmatch(sender)]


def denies_others(policy: Mapping[str, Any]) -> bool:
    """Whether sending is denied to principals that are not named, whatever their own IAM policies allow."""
    return any(
        statement.get("Effect") == "Deny"
        and _is_everybody(statement)
        and any(action in _SENDING for action in _actions(statement))
        and "aws:principalarn" in _condition_keys(statement)
        for statement in _statements(policy)
    )


def _sending_allowed(policy: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for statement in _statements(policy):
        if statement.get("Effect") == "Allow" and any(action in _SENDING for action in _actions(statement)):
            yield statement


def _statements(policy: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return _list(policy.get("Statement"))


def _actions(statement: Mapping[str, Any]) -> list[str]:
    return [str(action).lower() for action in _list(statement.get("Action"))]


def _principals(statement: Mapping[str, Any]) -> list[str]:
    principal = statement.get("Principal")
    if isinstance(principal, dict):
        return [str(entry) for value in principal.values() for entry in _list(value)]
    return [str(entry) for entry in _list(principal)]


def _is_everybody(statement: Mapping[str, Any]) -> bool:
    return "*" in _principals(statement)


def _condition_keys(statement: Mapping[str, Any]) -> list[str]:
    return [key.lower() for tests in statement.get("Condition", {}).values() for key in tests]


def _condition_values(statement: Mapping[str, Any], operator: str | None, key: str) -> list[str]:
    return [
        str(value).lower() if operator == "bool" else str(value)
        for name, tests in statement.get("Condition", {}).items()
        if operator is None or name.lower() == operator
        for tested, values in tests.items()
        if tested.lower() == key
        for value in _list(values)
    ]


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]

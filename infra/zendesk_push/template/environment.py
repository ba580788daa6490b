"""A function's environment as template.yaml sets it, for whoever runs the function without a stack."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from zendesk_push.template.intrinsics import Resolver, text_of
from zendesk_push.template.parameters import resolve_parameters
from zendesk_push.template.reader import load_source

_PSEUDO: Final = {
    "AWS::StackName": "zendesk-push",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "123456789012",
}


def function_environment(function: str, overrides: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables of a function by logical id, parameters at their defaults, ``overrides`` in place of some.

    What is made at deployment has its logical id for a name: a table ``AccountsTable``, a queue
    ``https://sqs.…/ContentQueue``, a key ``arn:aws:kms:…:DataKey``.

    Raises:
        KeyError: an override that the template does not set: it would not be there on AWS either.
    """
    variables = _variables(function)
    for name in overrides or {}:
        if name not in variables:
            raise KeyError(f"template.yaml gives {function} no variable {name}")
    return {**variables, **(overrides or {})}


@cache
def _variables(function: str) -> Mapping[str, str]:
    source = load_source()
    resources: Mapping[str, Any] = source["Resources"]

    def ref(name: str) -> str:
        is_queue = resources[name]["Type"] == "AWS::SQS::Queue"
        return f"https://sqs.us-east-1.amazonaws.com/123456789012/{name}" if is_queue else name

    def attribute(name: str, _: str) -> str:
        service = resources[name]["Type"].split("::")[1].lower()
        return f"arn:aws:{service}:us-east-1:123456789012:{name}"

    resolver = Resolver(
        {**_PSEUDO, **resolve_parameters(source["Parameters"], {})},
        conditions=source.get("Conditions") or {},
        mappings=source.get("Mappings") or {},
        ref=ref,
        attribute=attribute,
    )
    given = {
        **source["Globals"]["Function"]["Environment"]["Variables"],
        **resources[function]["Properties"]["Environment"]["Variables"],
    }
    return {name: text_of(resolver.resolve(value, f"{function}.{name}")) for name, value in given.items()}

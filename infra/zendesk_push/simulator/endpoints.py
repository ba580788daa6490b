"""The two API endpoints of the Channel framework that matter to push: ``validate_token`` and ``push``.

Order of what is looked at: faults that are switched on, the address, the size, the token, the rate limit, the
JSON, the schema, whose account it is, and only then the resources one by one.

Not thread-safe: ``core.ZendeskState`` holds the lock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import zendesk_push.simulator.answers as answers
import zendesk_push.simulator.schema as schema
from zendesk_push.simulator.accounts import Accounts, SimulatedAccount, SimulatedAccountState, Token
from zendesk_push.simulator.answers import NoAnswerError, ZendeskAnswer
from zendesk_push.simulator.fault_answers import spoil, strike
from zendesk_push.simulator.faults import Fault, FaultKind, Faults, Target
from zendesk_push.simulator.request_log import RecordedRequest, RequestLog
from zendesk_push.simulator.strict_json import UnparsableError, parse
from zendesk_push.simulator.tickets import (
    ALREADY_IMPORTED,
    HALTED,
    PROCESSING_ERROR,
    SUCCESS,
    Imported,
    Tickets,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from zendesk_push.simulator.events import Events
    from zendesk_push.simulator.rate_limits import RateLimits

PUSH = "push"
VALIDATE_TOKEN = "validate_token"  # noqa: S105 - an endpoint's name
DEFAULT_MAX_BODY_BYTES = 16 * 1024 * 1024


class ValidateTokenPolicy(StrEnum):
    """When validate_token confirms a good token. Before Save or only after: not published, so both."""

    BEFORE_SAVE = "before_save"
    AFTER_SAVE = "after_save"
    ERROR = "error"  # never a verdict: 500
    HANG = "hang"  # never an answer
    ALWAYS = "always"  # confirms any token of anybody: a host that is no Zendesk


@dataclass
class _Call:
    """One request, as far as it can be understood without judging it."""

    endpoint: str
    now: float
    headers: tuple[tuple[str, str], ...]
    body: bytes
    parsed: Any
    """The body's value; None when it is not JSON, which ``unparsable`` tells apart from null."""
    unparsable: bool
    subdomain: str | None
    account: SimulatedAccount | None
    """The token's account."""
    token: Token | None
    target: Target
    codes: tuple[str, ...] = ()


class Endpoints:
    """``validate_token`` and ``push`` on the given parts; every call is recorded in ``requests``."""

    def __init__(
        self,
        accounts: Accounts,
        tickets: Tickets,
        faults: Faults,
        rate_limits: RateLimits,
        events: Events,
        *,
        max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
    ) -> None:
        self._accounts = accounts
        self._tickets = tickets
        self._faults = faults
        self._rate_limits = rate_limits
        self._events = events
        self.requests = RequestLog()
        self.max_body_bytes = max_body_bytes
        self.policy = ValidateTokenPolicy.BEFORE_SAVE

    def push(
        self, host: str | None, authorization: str | None, body: bytes, now: float, headers: Any
    ) -> ZendeskAnswer:
        return self._handle(self._understand(PUSH, host, authorization, body, now, headers), self._push)

    def validate_token(
        self, host: str | None, authorization: str | None, body: bytes, now: float, headers: Any
    ) -> ZendeskAnswer:
        call = self._understand(VALIDATE_TOKEN, host, authorization, body, now, headers)
        if self.policy is ValidateTokenPolicy.ALWAYS:
            self._record(call, 200, "answered")
            return answers.json_answer(200, None)
        return self._handle(call, self._validate_token)

    def drop(
        self, endpoint: str, host: str | None, authorization: str | None, now: float, headers: Any
    ) -> bool:
        """Whether a fault ends the connection before the body is read; recorded if so."""
        call = self._understand(endpoint, host, authorization, b"", now, headers)
        if self._faults.take_kind(FaultKind.DROP_CONNECTION, call.target) is None:
            return False
        self._record(call, None, "dropped")
        return True

    def _understand(
        self,
        endpoint: str,
        host: str | None,
        authorization: str | None,
        body: bytes,
        now: float,
        headers: Any,
    ) -> _Call:
        scheme, _, value = (authorization or "").partition(" ")
        found = self._accounts.by_token(value.strip()) if scheme.lower() == "bearer" else None
        account, token = found or (None, None)
        parsed, unparsable = None, False
        try:
            parsed = parse(body) if len(body) <= self.max_body_bytes else None
        except UnparsableError:
            unparsable = True
        named = parsed.get("instance_push_id") if isinstance(parsed, dict) else None
        if not isinstance(named, str):
            named = account.instance_push_id if account else None
        subdomain = host or (token.subdomain if token else None)
        target = Target(endpoint, named, subdomain, _external_ids(parsed), body)
        return _Call(
            endpoint, now, tuple(headers), body, parsed, unparsable, subdomain, account, token, target
        )

    def _handle(self, call: _Call, work: Callable[[_Call, SimulatedAccount], ZendeskAnswer]) -> ZendeskAnswer:
        try:
            fault = self._faults.take(call.target, after_import=False)
            answer = strike(fault) if fault is not None else self._admit(call, work)
        except NoAnswerError as nothing:
            self._record(call, None, nothing.reason)
            raise
        delay = self._faults.take_kind(FaultKind.DELAY, call.target)
        if delay is not None:
            self._record(call, answer.status, "delay")
            raise NoAnswerError("delay", delay, answer)
        self._record(call, answer.status, "answered")
        return answer

    def record(
        self,
        endpoint: str,
        account: SimulatedAccount,
        body: bytes,
        status: int | None,
        outcome: str,
        now: float,
    ) -> None:
        """A request of Zendesk's own, to the integration."""
        number = self.requests.next_number()
        self.requests.append(
            RecordedRequest(
                number,
                endpoint,
                now,
                account.subdomain,
                account.instance_push_id,
                (),
                body,
                status,
                outcome,
                0,
                (),
            )
        )

    def _record(self, call: _Call, status: int | None, outcome: str) -> None:
        self.requests.append(
            RecordedRequest(
                self.requests.next_number(),
                call.endpoint,
                call.now,
                call.subdomain,
                call.target.instance_push_id,
                call.headers,
                call.body,
                status,
                outcome,
                len(call.target.external_ids),
                call.codes,
            )
        )

    def _admit(self, call: _Call, work: Callable[[_Call, SimulatedAccount], ZendeskAnswer]) -> ZendeskAnswer:
        if call.subdomain is not None and not self._accounts.has_subdomain(call.subdomain):
            return answers.no_help_desk()
        if len(call.body) > self.max_body_bytes:
            return answers.too_large()
        if call.account is None or call.account.subdomain != call.subdomain:
            return answers.unauthorized()
        quota = self._rate_limits.take(call.account.subdomain, call.now)
        if quota.retry_after is not None:
            return answers.with_headers(answers.throttled(quota.retry_after), *quota.headers)
        if call.unparsable:
            return answers.with_headers(answers.unparsable(), *quota.headers)
        try:
            answer = work(call, call.account)
        except NoAnswerError as nothing:
            if nothing.answer is not None:
                nothing.answer = answers.with_headers(nothing.answer, *quota.headers)
            raise
        return answers.with_headers(answer, *quota.headers)

    def _validate_token(self, call: _Call, account: SimulatedAccount) -> ZendeskAnswer:
        errors = schema.validate_token_errors(call.parsed)
        if errors:
            return answers.schema_errors(errors)
        if call.parsed["instance_push_id"] != account.instance_push_id:
            return answers.forbidden()
        if self.policy is ValidateTokenPolicy.AFTER_SAVE and call.token is not None and not call.token.saved:
            return answers.unauthorized()
        return answers.json_answer(200, None)

    def _push(self, call: _Call, account: SimulatedAccount) -> ZendeskAnswer:
        errors = schema.push_errors(call.parsed)
        if errors:
            return answers.schema_errors(errors)
        if (
            call.parsed["instance_push_id"] != account.instance_push_id
            or account.state is not SimulatedAccountState.ACTIVE
        ):
            return answers.forbidden()
        request_id = call.parsed.get("request_id")
        resources = call.parsed["external_resources"]
        imported = self._import(account, resources, request_id, call.now)
        call.codes = tuple(each.code for each in imported)
        resource_events = [each.event for each in imported if each.event is not None]
        if resource_events:
            data = {"request_id": request_id or "", "resource_events": resource_events}
            self._events.add("resources_created_from_external_ids", account.subdomain, call.now, data)
        results = [
            {"external_resource_id": resource["external_id"], "status": _status(each)}
            for resource, each in zip(resources, imported, strict=True)
        ]
        answer = answers.json_answer(200, {"results": results})
        fault = self._faults.take(call.target, after_import=True)
        return answer if fault is None else spoil(fault, results, answer)

    def _import(
        self, account: SimulatedAccount, resources: list[dict[str, Any]], request_id: str | None, now: float
    ) -> list[Imported]:
        imported: list[Imported] = []
        failed = False
        for resource in resources:
            outcome = Imported(HALTED) if failed else self._import_one(account, resource, request_id, now)
            imported.append(outcome)
            failed = failed or outcome.code not in (SUCCESS, ALREADY_IMPORTED)
        return imported

    def _import_one(
        self, account: SimulatedAccount, resource: dict[str, Any], request_id: str | None, now: float
    ) -> Imported:
        external_id = resource["external_id"]
        if self._tickets.comment(account, external_id) is None:
            fault = self._processing_fault(account, external_id)
            if fault is not None:
                return Imported(PROCESSING_ERROR, fault.description)
        return self._tickets.import_resource(account, resource, request_id, now)

    def _processing_fault(self, account: SimulatedAccount, external_id: str) -> Fault | None:
        target = Target(PUSH, account.instance_push_id, account.subdomain, (external_id,))
        return self._faults.take_kind(FaultKind.PROCESSING_ERROR, target)


def _status(imported: Imported) -> dict[str, str]:
    status = {"code": imported.code}
    return status if imported.description is None else {**status, "description": imported.description}


def _external_ids(parsed: Any) -> tuple[str, ...]:
    """One entry per resource, "" for those that have no proper external_id."""
    resources = parsed.get("external_resources") if isinstance(parsed, dict) else None
    if not isinstance(resources, list):
        return ()
    ids = (resource.get("external_id") if isinstance(resource, dict) else None for resource in resources)
    return tuple(each if isinstance(each, str) else "" for each in ids)

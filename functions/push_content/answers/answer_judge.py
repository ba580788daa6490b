"""What becomes of messages: the one place that decides it, and the table that says how.

=============================================  =====================================================================
What came back                                 Outcome (of the messages in the request)
=============================================  =====================================================================
2xx, a resource success / already_imported     delivered, once that is so for every resource of the message
2xx, processing_error                          retry ``processing_error``
2xx, could_not_locate_parent_…                 retry ``missing_parent``
2xx, halted behind another message's failure   goes out again at once without the failed one, with others alike
2xx, halted without a failure before it,       retry ``unavailable``
an unknown code, or no result
2xx, not JSON with results                     retry ``unavailable``; the account is paused
400, 422 naming resources                      their owners: rejected ``zendesk_400`` / ``zendesk_422``;
                                               the others again at once, together
400, 422 naming request_id, instance_push_id   rejected, all of them
400, 422 naming nothing; 413                   again in two halves; a message that is alone: rejected
429; 503 with Retry-After                      retry ``throttled``; the subdomain is paused
401, 403                                       the credentials are looked at again (``credential_recovery``)
404, 3xx                                       retry ``wrong_address``; the account is paused
anything else, no answer, no complete answer   retry ``unavailable``; the account is paused
=============================================  =====================================================================

Of several failures in one message the first in order names the reason.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Self

from push_content.answers import push_results, rate_limit_headers, validation_errors
from push_content.answers.push_results import Result
from push_content.outcomes.error_codes import ErrorCode
from push_content.requests.push_request import Part, PushRequest
from zendesk_channel.accounts import Account, AccountState
from zendesk_channel.client import Response
from zendesk_channel.contract import PushToken
from zendesk_channel.errors import ZendeskError, ZendeskTimeoutError


@dataclass(frozen=True)
class Delivered:
    """It is in Zendesk: to be deleted from the queue."""


@dataclass(frozen=True)
class _Failure:
    """``text`` is Zendesk's or ours; ``results`` are the message's own, by the index of its resources."""

    reason: ErrorCode
    text: str = field(repr=False)
    status: int | None = None
    results: Mapping[int, Result] = field(default_factory=dict, repr=False)

    def masked(self, token: PushToken) -> Self:
        """The same without the token, should Zendesk's words hold it: they end up on a queue."""
        results = {
            index: Result(each.code and token.masked_in(each.code), token.masked_in(each.description))
            for index, each in self.results.items()
        }
        return replace(self, text=token.masked_in(self.text), results=results)


@dataclass(frozen=True)
class Rejected(_Failure):
    """It cannot succeed: to be dead-lettered."""


@dataclass(frozen=True)
class Retry(_Failure):
    """It may succeed later: to stay on the queue. ``soon``: nothing speaks against the next opportunity."""

    soon: bool = False


Outcome = Delivered | Rejected | Retry


class Bearing(enum.Enum):
    """What an answer means for the account's further requests."""

    NONE = "none"
    HEALTHY = "healthy"  # pauses may be forgotten
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    WRONG_ADDRESS = "wrong_address"
    CREDENTIALS = "credentials"


@dataclass(frozen=True)
class Judgement:
    """All that follows from one answer.

    Attributes:
        outcomes: by message id; Delivered is about the part that was in this request.
        again: what goes out again at once, as requests, in this order. With it, every message is accounted for,
            except that CREDENTIALS leaves all of them open.
        subdomain_paused_until: epoch seconds, if Zendesk's rate limit says so.
        timed_out: the request may have been too large.
    """

    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    again: tuple[PushRequest, ...] = ()
    bearing: Bearing = Bearing.NONE
    subdomain_paused_until: float | None = None
    timed_out: bool = False
    results: tuple[Result, ...] = field(default=(), repr=False)


def before_sending(account: Account | None, subdomain_paused_until: float, now: float) -> Retry | None:
    """The outcome of an account's messages if nothing may be sent for it."""
    if account is None:
        return Retry(ErrorCode.UNKNOWN_ACCOUNT, "no such account is registered")
    if account.state is not AccountState.ACTIVE:
        return Retry(ErrorCode.INACTIVE_ACCOUNT, f"the account is {account.state} in Zendesk")
    if account.refused:
        return Retry(ErrorCode.UNAUTHORIZED, "Zendesk does not accept the account's token any more")
    if account.paused_until > now:
        return Retry(_pause_reason(account), "the account is paused: its last requests failed")
    if subdomain_paused_until > now:
        return Retry(ErrorCode.THROTTLED, "the subdomain's rate limit is used up")
    return None


def judge(
    request: PushRequest, answer: Response | ZendeskError, *, now: float, reserve_percent: float
) -> Judgement:
    """What follows from Zendesk's answer to a request, or from there being none. ``now`` in epoch seconds."""
    if isinstance(answer, ZendeskError):
        judgement = _retry_all(request, ErrorCode.UNAVAILABLE, Bearing.UNAVAILABLE, str(answer))
        return replace(judgement, timed_out=isinstance(answer, ZendeskTimeoutError))
    judgement = _by_status(request, answer, now)
    if judgement.subdomain_paused_until is None:
        reserve = rate_limit_headers.reserve_reached_until(answer.headers, reserve_percent, now)
        judgement = replace(judgement, subdomain_paused_until=reserve)
    return judgement


def _by_status(request: PushRequest, answer: Response, now: float) -> Judgement:
    status = answer.status
    if 200 <= status < 300:
        return _by_results(request, answer)
    if status in (400, 422):
        return _by_schema_errors(request, answer)
    if status == 413:
        return _halve(request, answer, validation_errors.excerpt(answer.body) or "the request is too large")
    if status in (401, 403):
        return Judgement(bearing=Bearing.CREDENTIALS)
    retry_after = rate_limit_headers.retry_after_seconds(answer.headers, now)
    if status == 429 or (status == 503 and retry_after is not None):
        pause = rate_limit_headers.DEFAULT_PAUSE if retry_after is None else retry_after
        judgement = _retry_all(
            request, ErrorCode.THROTTLED, Bearing.THROTTLED, f"Zendesk answered {status}", status
        )
        return replace(judgement, subdomain_paused_until=now + pause)
    if status == 404 or 300 <= status < 400:
        text = f"Zendesk answered {status}: the account's subdomain may have been renamed or closed"
        return _retry_all(request, ErrorCode.WRONG_ADDRESS, Bearing.WRONG_ADDRESS, text, status)
    text = f"Zendesk answered {status}"
    return _retry_all(request, ErrorCode.UNAVAILABLE, Bearing.UNAVAILABLE, text, status)


def _by_results(request: PushRequest, answer: Response) -> Judgement:
    entries = push_results.read_results(answer.body)
    if entries is None:
        text = f"Zendesk answered {answer.status} with a body that holds no results"
        return _retry_all(request, ErrorCode.UNAVAILABLE, Bearing.UNAVAILABLE, text, answer.status)
    resources = request.resources
    matched = push_results.match([resource for _, _, resource in resources], entries)
    outcomes: dict[str, Outcome] = {}
    halted: list[Part] = []
    failure_before = False
    position = 0
    for part in request.parts:
        own = {
            part.start + offset: each for offset, each in enumerate(matched[position : position + len(part)])
        }
        position += len(part)
        if failure_before and _only_halted(own):
            halted.append(part)
            continue
        outcomes[part.message.id] = _of_part(own, answer.status, failure_before)
        failure_before = failure_before or any(each.failed for each in own.values())
    again = (PushRequest(tuple(halted)),) if halted else ()
    bearing = Bearing.HEALTHY if any(each.code for each in matched) else Bearing.NONE
    return Judgement(outcomes, again, bearing, results=tuple(matched))


def _only_halted(own: Mapping[int, Result]) -> bool:
    """Nothing is wrong with the resources themselves: all that are not delivered were halted."""
    open_codes = [each.code for each in own.values() if not each.delivered]
    return bool(open_codes) and all(code == push_results.HALTED for code in open_codes)


def _of_part(own: Mapping[int, Result], status: int, failure_before: bool) -> Outcome:
    for index, each in own.items():
        if each.delivered or (each.code == push_results.HALTED and failure_before):
            continue
        reason, what = _FAILURES.get(each.code or "", (ErrorCode.UNAVAILABLE, None))
        said = what or (f"code {each.code!r}" if each.code else "no result that could be told to be its own")
        text = f"#/external_resources/{index}: {said}"
        return Retry(reason, f"{text}: {each.description}" if each.description else text, status, own)
    return Delivered()


_FAILURES: Final[Mapping[str, tuple[ErrorCode, str]]] = {
    push_results.PROCESSING_ERROR: (ErrorCode.PROCESSING_ERROR, push_results.PROCESSING_ERROR),
    push_results.MISSING_PARENT: (ErrorCode.MISSING_PARENT, push_results.MISSING_PARENT),
    push_results.HALTED: (ErrorCode.UNAVAILABLE, "halted, though nothing before it failed"),
}


def _by_schema_errors(request: PushRequest, answer: Response) -> Judgement:
    errors = validation_errors.schema_errors(answer.body, len(request))
    own: dict[str, list[str]] = {part.message.id: [] for part in request.parts}
    for index, (part, own_index, _) in enumerate(request.resources):
        own[part.message.id] += [
            validation_errors.with_index(error, index, own_index)
            for error in errors.by_resource.get(index, ())
        ]
    if errors.of_body:
        named = {key: texts + errors.of_body for key, texts in own.items()}
    else:
        named = {key: texts for key, texts in own.items() if texts}
    if not named:
        return _halve(request, answer, errors.text)
    outcomes = {key: _rejected(answer, "; ".join(texts)) for key, texts in named.items()}
    others = tuple(part for part in request.parts if part.message.id not in named)
    return Judgement(outcomes, (PushRequest(others),) if others else ())


def _halve(request: PushRequest, answer: Response, text: str) -> Judgement:
    """One of the messages is to blame, and nothing says which."""
    parts = request.parts
    if len(parts) == 1:
        return Judgement({parts[0].message.id: _rejected(answer, text)})
    middle = len(parts) // 2
    return Judgement(again=(PushRequest(parts[:middle]), PushRequest(parts[middle:])))


def _rejected(answer: Response, text: str) -> Rejected:
    return Rejected(ErrorCode(f"zendesk_{answer.status}"), text or f"status {answer.status}", answer.status)


def _retry_all(
    request: PushRequest, reason: ErrorCode, bearing: Bearing, text: str, status: int | None = None
) -> Judgement:
    retry = Retry(reason, text, status)
    return Judgement({part.message.id: retry for part in request.parts}, bearing=bearing)


def _pause_reason(account: Account) -> ErrorCode:
    """What the record says, which an older or newer version of this code may have written."""
    try:
        return ErrorCode(account.pause_reason or "")
    except ValueError:
        return ErrorCode.UNAVAILABLE

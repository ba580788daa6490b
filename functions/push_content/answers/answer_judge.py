"""What becomes of messages: the one place that decides it, and the table that says how.

=============================================  =====================================================================
What came back                                 Outcome (of the messages in the request)
=============================================  =====================================================================
2xx, a resource success / already_imported     delivered, once that is so for every resource of the message
2xx, processing_error                          retry ``processing_error``
2xx, could_not_locate_parent_…                 retry ``missing_parent``
2xx, halted behind another message's failure   goes out again at once without the failed one
2xx, halted without a failure before it,       retry ``unavailable``
an unknown code, or no result
2xx, not JSON with results                     as no answer
400, 422 naming resources                      their owners: rejected ``zendesk_400`` / ``zendesk_422``;
                                               the others again at once, with what comes behind them
400, 422 naming request_id, instance_push_id   rejected, all of them
400, 422 naming nothing; 413                   again in two halves; a message that is alone: rejected
429; 503 with Retry-After                      retry ``throttled``; the subdomain is paused
401, 403                                       the credentials are looked at again (``credential_recovery``)
404, 3xx                                       retry ``wrong_address``; the account is paused
anything else, no answer, no complete answer   retry ``unavailable``; ``account_pusher`` decides whether that was the
                                               account's failure or the message's
=============================================  =====================================================================

Of several failures in one message the first in order names the reason.
"""

import enum
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from push_content.answers import push_results, rate_limit_headers, validation_errors
from push_content.outcomes.outcome import (
    CODES,
    HALTED,
    MISSING_PARENT,
    PROCESSING_ERROR,
    Delivered,
    ErrorCode,
    Outcome,
    Rejected,
    Result,
    Retry,
)
from push_content.requests.push_request import Part, PushRequest
from zendesk_channel.accounts import Account, AccountState
from zendesk_channel.client import Response
from zendesk_channel.errors import ZendeskError

_LONGEST_TEXT: Final = 8192  # characters of what is joined; a dead letter holds 4 KiB of it


class AccountSignal(enum.Enum):
    """What an answer means for the account's further requests."""

    NONE = "none"
    HEALTHY = "healthy"  # pauses may be forgotten
    THROTTLED = "throttled"
    FAILED = "failed"  # names nobody: the account's failure, or one message's content
    WRONG_ADDRESS = "wrong_address"
    CREDENTIALS = "credentials"


@dataclass(frozen=True)
class Decision:
    """All that follows from one answer.

    Attributes:
        outcomes: by message id; Delivered is about the part that was in this request. Every message of the request
            is in here, in ``again`` or in ``halved``, except that CREDENTIALS leaves all of them open.
        again: what goes out again at once, with what comes behind it.
        halved: what goes out again at once, in two halves.
        halted: what is in ``again`` was halted behind a failure.
        subdomain_paused_until: epoch seconds, if Zendesk's rate limit says so.
        codes: how many resources have which code ("other" for those not known here).
        requests_per_minute: the subdomain's limit, if the answer says.
    """

    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    again: tuple[Part, ...] = ()
    halved: tuple[Part, ...] = ()
    halted: bool = False
    signal: AccountSignal = AccountSignal.NONE
    subdomain_paused_until: float | None = None
    codes: Mapping[str, int] = field(default_factory=dict)
    requests_per_minute: int | None = None


def before_sending(account: Account | None, subdomain_paused_until: float, now: float) -> Retry | None:
    """The outcome of an account's messages if nothing may be sent for it."""
    if account is None:
        return Retry(ErrorCode.UNKNOWN_ACCOUNT, "no such account is registered")
    if account.state is not AccountState.ACTIVE:
        return Retry(ErrorCode.INACTIVE_ACCOUNT, f"the account is {account.state} in Zendesk")
    if account.paused_by_operator_at is not None:
        return Retry(ErrorCode.PAUSED, "the account is paused by an operator")
    if account.refused:
        return Retry(ErrorCode.UNAUTHORIZED, "Zendesk no longer accepts the account's token")
    if account.paused_until > now:
        return Retry(_pause_reason(account), "the account is paused: its last requests failed")
    if subdomain_paused_until > now:
        return Retry(ErrorCode.THROTTLED, "the subdomain's rate limit is used up", nobodys=True)
    return None


def judge(
    request: PushRequest,
    answer: Response | ZendeskError,
    *,
    sent_at: float,
    now: float,
    reserve_percent: float,
) -> Decision:
    """What follows from Zendesk's answer to a request, or from there being none. Times are epoch seconds."""
    if isinstance(answer, ZendeskError):
        text = str(answer)
        return _retry_all(request, Retry(ErrorCode.UNAVAILABLE, text), AccountSignal.FAILED)
    decision = _by_status(request, answer, now)
    limit, full_again_at = rate_limit_headers.rate_limit(
        answer.headers, reserve_percent, sent_at=sent_at, now=now
    )
    return replace(
        decision,
        requests_per_minute=limit,
        subdomain_paused_until=decision.subdomain_paused_until or full_again_at,
    )


def _by_status(request: PushRequest, answer: Response, now: float) -> Decision:
    status = answer.status
    if 200 <= status < 300:
        return _by_results(request, answer)
    if status in (400, 422):
        return _by_schema_errors(request, answer)
    if status == 413:
        return _halve(request, answer, validation_errors.excerpt(answer.body) or "the request is too large")
    if status in (401, 403):
        return Decision(signal=AccountSignal.CREDENTIALS)
    retry_after = rate_limit_headers.retry_after_seconds(answer.headers, now)
    if status == 429 or (status == 503 and retry_after is not None):
        pause = rate_limit_headers.DEFAULT_PAUSE if retry_after is None else retry_after
        throttled = Retry(ErrorCode.THROTTLED, f"Zendesk answered {status}", status, nobodys=True)
        decision = _retry_all(request, throttled, AccountSignal.THROTTLED)
        return replace(decision, subdomain_paused_until=now + pause)
    if status == 404 or 300 <= status < 400:
        text = f"Zendesk answered {status}: the account's subdomain may have been renamed or closed"
        wrong = Retry(ErrorCode.WRONG_ADDRESS, text, status)
        return _retry_all(request, wrong, AccountSignal.WRONG_ADDRESS)
    failed = Retry(ErrorCode.UNAVAILABLE, f"Zendesk answered {status}", status)
    return _retry_all(request, failed, AccountSignal.FAILED)


def _by_results(request: PushRequest, answer: Response) -> Decision:
    entries = push_results.read_results(answer.body)
    if entries is None:
        text = f"Zendesk answered {answer.status} with a body that holds no results"
        failed = Retry(ErrorCode.UNAVAILABLE, text, answer.status)
        return _retry_all(request, failed, AccountSignal.FAILED)
    resources = [resource for part in request.parts for resource in part.resources]
    all_delivered = push_results.all_delivered(resources, entries)
    if all_delivered:
        delivered = dict.fromkeys([part.message.id for part in request.parts], Delivered())
        return Decision(delivered, signal=AccountSignal.HEALTHY, codes=all_delivered)
    matched = push_results.match(resources, entries)
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
    signal = AccountSignal.HEALTHY if any(each.code for each in matched) else AccountSignal.NONE
    codes = Counter(each.code if each.code in CODES else "other" for each in matched)
    return Decision(outcomes, tuple(halted), halted=bool(halted), signal=signal, codes=codes)


def _only_halted(own: Mapping[int, Result]) -> bool:
    """Nothing is wrong with the resources themselves: all that are not delivered were halted."""
    open_codes = [each.code for each in own.values() if not each.delivered]
    return bool(open_codes) and all(code == HALTED for code in open_codes)


def _of_part(own: Mapping[int, Result], status: int, failure_before: bool) -> Outcome:
    for index, each in own.items():
        if each.delivered or (each.code == HALTED and failure_before):
            continue
        reason, what = _FAILURES.get(each.code or "", (ErrorCode.UNAVAILABLE, None))
        said = what or (f"code {each.code!r}" if each.code else "Zendesk gave no result for it")
        text = f"#/external_resources/{index}: {said}"
        return Retry(reason, f"{text}: {each.description}" if each.description else text, status, own)
    return Delivered()


_FAILURES: Final[Mapping[str, tuple[ErrorCode, str]]] = {
    PROCESSING_ERROR: (ErrorCode.PROCESSING_ERROR, PROCESSING_ERROR),
    MISSING_PARENT: (ErrorCode.MISSING_PARENT, MISSING_PARENT),
    HALTED: (ErrorCode.UNAVAILABLE, "halted, though nothing before it failed"),
}


def _by_schema_errors(request: PushRequest, answer: Response) -> Decision:
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
    outcomes = {key: _rejected(answer, _joined(texts)) for key, texts in named.items()}
    return Decision(outcomes, tuple(part for part in request.parts if part.message.id not in named))


def _halve(request: PushRequest, answer: Response, text: str) -> Decision:
    """One of the messages is to blame, and nothing says which."""
    parts = request.parts
    if len(parts) == 1:
        return Decision({parts[0].message.id: _rejected(answer, text)})
    return Decision(halved=parts)


def _joined(texts: Iterable[str]) -> str:
    """One text of several, as far as anybody reads: each of many messages may get all errors of a long answer."""
    chosen: list[str] = []
    size = 0
    for text in texts:
        chosen.append(text[:_LONGEST_TEXT])
        size += len(text)
        if size > _LONGEST_TEXT:
            break
    return "; ".join(chosen)


def _rejected(answer: Response, text: str) -> Rejected:
    return Rejected(ErrorCode(f"zendesk_{answer.status}"), text or f"status {answer.status}", answer.status)


def _retry_all(request: PushRequest, retry: Retry, signal: AccountSignal) -> Decision:
    return Decision({part.message.id: retry for part in request.parts}, signal=signal)


def _pause_reason(account: Account) -> ErrorCode:
    """What the record says, which an older or newer version of this code may have written."""
    try:
        return ErrorCode(account.pause_reason or "")
    except ValueError:
        return ErrorCode.UNAVAILABLE

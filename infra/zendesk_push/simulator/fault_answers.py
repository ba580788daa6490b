"""What a client sees of each kind of fault: pure functions from a fault to an answer, or to none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zendesk_push.simulator.answers import (
    NoAnswerError,
    ZendeskAnswer,
    forbidden,
    html_answer,
    json_answer,
    no_help_desk,
    throttled,
    too_large,
    unauthorized,
    with_headers,
)
from zendesk_push.simulator.faults import Fault, FaultKind
from zendesk_push.simulator.tickets import ALREADY_IMPORTED, SUCCESS

if TYPE_CHECKING:
    from collections.abc import Callable

Results = list[dict[str, Any]]


def strike(fault: Fault) -> ZendeskAnswer:
    """The answer instead of working on the request; raises NoAnswerError if there is none (yet)."""
    if fault.kind is FaultKind.DROP_CONNECTION:
        raise NoAnswerError("dropped", fault)
    if fault.kind is FaultKind.HANG:
        raise NoAnswerError("hang", fault)
    return _ANSWERS[fault.kind](fault)


def spoil(fault: Fault, results: Results, answer: ZendeskAnswer) -> ZendeskAnswer:
    """The answer after the import; raises NoAnswerError if the client gets none (yet)."""
    if fault.kind is FaultKind.REPLY_LOST:
        raise NoAnswerError("reply_lost", fault)
    if fault.kind is FaultKind.HANG:
        raise NoAnswerError("hang", fault, answer)
    if fault.kind is FaultKind.HTML:
        return _maintenance(fault)
    if fault.kind is FaultKind.OTHER_SUCCESS:
        return answer._replace(status=fault.status or 201)
    if fault.kind is FaultKind.NO_RESULTS:
        return _rewritten(answer, {})
    return _rewritten(answer, {"results": _distorted(fault, results)})


def _distorted(fault: Fault, results: Results) -> Results:
    if fault.kind is FaultKind.FEW_RESULTS:
        return results[:-1]
    if fault.kind is FaultKind.REORDERED_RESULTS:
        return results[::-1]
    for index, result in enumerate(results):
        good = result["status"]["code"] in (SUCCESS, ALREADY_IMPORTED)
        if good and fault.external_id in (None, result["external_resource_id"]):
            status = {"code": fault.code, "description": fault.description}
            return [*results[:index], {**result, "status": status}, *results[index + 1 :]]
    return results


def _rewritten(answer: ZendeskAnswer, value: object) -> ZendeskAnswer:
    rewritten = json_answer(answer.status, value)
    return answer._replace(body=rewritten.body)


def _retry_after(fault: Fault, answer: ZendeskAnswer) -> ZendeskAnswer:
    if fault.retry_after is None:
        return answer
    return with_headers(answer, ("Retry-After", str(fault.retry_after)))


def _maintenance(fault: Fault) -> ZendeskAnswer:
    return html_answer(200, fault.body or "We are busy updating this help desk for you.")


def _bad_request(fault: Fault) -> ZendeskAnswer:
    if fault.body is None:
        return json_answer(
            400, {"error": {"title": "Bad Request", "message": "The request could not be processed"}}
        )
    return _verbatim(400, fault)


def _verbatim(status: int, fault: Fault) -> ZendeskAnswer:
    body = (fault.body or "").encode("utf-8", "surrogatepass")
    return _retry_after(fault, ZendeskAnswer(status, (("Content-Type", fault.content_type),), body))


_ANSWERS: dict[FaultKind, Callable[[Fault], ZendeskAnswer]] = {
    FaultKind.THROTTLED: lambda fault: throttled(fault.retry_after),
    FaultKind.SERVER_ERROR: lambda fault: _retry_after(fault, html_answer(500, "Something went wrong.")),
    FaultKind.UNAVAILABLE: lambda fault: _retry_after(fault, html_answer(503, "No server is available.")),
    FaultKind.UNAUTHORIZED: lambda _: unauthorized(),
    FaultKind.FORBIDDEN: lambda _: forbidden(),
    FaultKind.NOT_FOUND: lambda _: no_help_desk(),
    FaultKind.REDIRECT: lambda fault: html_answer(
        fault.status or 302, "You are being redirected.", ("Location", fault.location)
    ),
    FaultKind.TOO_LARGE: lambda _: too_large(),
    FaultKind.BAD_REQUEST: _bad_request,
    FaultKind.STATUS: lambda fault: _verbatim(fault.status or 500, fault),
    FaultKind.HTML: _maintenance,
}

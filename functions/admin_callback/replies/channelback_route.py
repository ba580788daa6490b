"""``POST /channelback``: a form in, what became of the reply out."""

from typing import Final

from admin_callback.http.channelback_form import parse_channelback
from admin_callback.http.form import FormError
from admin_callback.http.http_request import HttpEvent
from admin_callback.http.http_response import HttpResponse, json_response
from admin_callback.replies.channelback import Channelbacks, ReplyOutcome
from zendesk_channel.telemetry import Telemetry

_STATUSES: Final = {
    ReplyOutcome.QUEUED: 200,
    ReplyOutcome.REPEATED: 200,
    ReplyOutcome.FORGED: 403,
    ReplyOutcome.INACTIVE: 403,
    ReplyOutcome.FAILED: 503,
}


class ChannelbackRoute:
    """Answers Zendesk when an agent has replied."""

    def __init__(self, channelbacks: Channelbacks, telemetry: Telemetry) -> None:
        self._channelbacks = channelbacks
        self._telemetry = telemetry

    def answer(self, event: HttpEvent, _source: str, _request_id: str) -> HttpResponse:
        """Hand the reply on, or say why not."""
        try:
            channelback = parse_channelback(event)
        except FormError as error:
            self._telemetry.count("RepliesRefused")
            self._telemetry.count("UnauthenticatedRequests")
            self._telemetry.info(
                "channelback",
                outcome="refused",
                status=error.status,
                problem=error.problem,
                field=error.field or None,
            )
            return json_response(error.status, {"error": error.problem})
        answer = self._channelbacks.take(channelback)
        status = _STATUSES[answer.outcome]
        if status == 200:
            return json_response(200, {"external_id": answer.external_id, "allow_channelback": True})
        if status == 503:
            return json_response(503, {"error": "unavailable"}, {"Retry-After": "10"})
        if answer.outcome is ReplyOutcome.FORGED:
            self._telemetry.count("UnauthenticatedRequests")
        return json_response(status, {"error": "forbidden"})

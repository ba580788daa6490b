"""A client of the simulated Zendesk that opens no socket: the real client from its verdicts inwards."""

from collections.abc import Callable
from contextlib import suppress

from urllib3 import HTTPHeaderDict

from zendesk_channel.addresses import ZendeskAddresses
from zendesk_channel.client import PUSH_PATH, Response, ZendeskClient
from zendesk_channel.contract import PushToken, Subdomain
from zendesk_channel.errors import ZendeskTimeoutError, ZendeskUnreachableError
from zendesk_push.simulator.answers import NoAnswerError
from zendesk_push.simulator.core import ZendeskState


class InMemoryZendeskClient(ZendeskClient):
    """``ZendeskClient`` whose requests go straight to a simulator's core.

    A request that hangs before it is worked on is worked on when its fault is switched off, whoever waits for
    it by then: as Zendesk may do with a request that has timed out.

    Args:
        wait: lets the given seconds pass on the clock of the run; called for a request that hangs or is answered late.
    """

    def __init__(self, zendesk: ZendeskState, wait: Callable[[float], None]) -> None:
        super().__init__(ZendeskAddresses("https://{subdomain}.zendesk.com"))
        self._zendesk = zendesk
        self._wait = wait

    def _post(
        self, subdomain: Subdomain, path: str, token: PushToken, body: bytes, timeout: float
    ) -> Response:
        authorization = f"Bearer {token.reveal()}"
        endpoint = "push" if path == PUSH_PATH else "validate_token"
        # A server drops a connection before it has read the body; so this is asked first, as it asks.
        if self._zendesk.drops_connection(endpoint, subdomain, authorization):
            raise ZendeskUnreachableError("the connection to Zendesk broke (ProtocolError)")
        call = self._zendesk.push if path == PUSH_PATH else self._zendesk.validate_token
        try:
            answer = call(subdomain, authorization, body)
        except NoAnswerError as nothing:
            late = nothing.answer
            if nothing.reason == "delay" and late is not None and nothing.fault.seconds < timeout:
                self._wait(nothing.fault.seconds)
                return Response(late.status, HTTPHeaderDict(late.headers), late.body)
            if nothing.reason in ("hang", "delay"):
                if nothing.answer is None:
                    nothing.fault.on_release(lambda: _work_late(call, subdomain, authorization, body))
                self._wait(timeout)
                raise ZendeskTimeoutError(f"no answer from Zendesk within {timeout:g} s") from None
            raise ZendeskUnreachableError("the connection to Zendesk broke (ProtocolError)") from None
        return Response(answer.status, HTTPHeaderDict(answer.headers), answer.body)


def _work_late(
    call: Callable[[str, str, bytes], object], subdomain: str, authorization: str, body: bytes
) -> None:
    with suppress(NoAnswerError):  # struck once more, and nobody listens anyway
        call(subdomain, authorization, body)

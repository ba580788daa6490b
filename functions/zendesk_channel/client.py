"""The two requests of the Channel framework, and nothing about what their answers mean for a message.

Nothing is repeated and no redirect is followed: the queue is the only retrier, and a redirect would take
the token along to wherever it points.
"""

import enum
import http.client
import json
import resource
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, cast

import urllib3
from urllib3.exceptions import HTTPError

from zendesk_channel.addresses import ZendeskAddresses
from zendesk_channel.connections import Connection, Connections, connections_kept
from zendesk_channel.contract import InstancePushId, PushToken, Subdomain
from zendesk_channel.errors import ZendeskTimeoutError, ZendeskUnreachableError
from zendesk_channel.exchange_deadline import Resolve, system_resolve

PUSH_PATH: Final = "/api/v2/any_channel/push.json"
VALIDATE_TOKEN_PATH: Final = "/api/v2/any_channel/validate_token"  # noqa: S105 (a path)
VALIDATE_TOKEN_TIMEOUT: Final = 3.0  # seconds
CONNECT_TIMEOUT: Final = 5.0  # seconds for name, connection and TLS together
# 256 results or errors of 4 KiB each. What is parsed takes up to thirty times its size in memory.
MAX_RESPONSE_BYTES: Final = 1024 * 1024
_HEADERS: Final = {
    "Content-Type": "application/json",
    "Accept": "application/json",
    "User-Agent": "zendesk-push (https://developer.zendesk.com/documentation/channel_framework/)",
}


@dataclass(frozen=True)
class Response:
    """What Zendesk answered. Header names compare without case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Verdict(enum.Enum):
    """What validate_token says of a token."""

    CONFIRMED = "confirmed"
    REFUSED = "refused"
    NO_VERDICT = "no_verdict"


@dataclass(frozen=True)
class Validation:
    """A verdict, and the HTTP status that it was read from (None: no answer)."""

    verdict: Verdict
    status: int | None = None

    @property
    def credentials_refused(self) -> bool:
        """Zendesk knows the address and does not accept the token (404 and 3xx mean: no such Zendesk)."""
        return self.status in (401, 403)


class ZendeskClient:
    """Requests to customers' Zendesks, over connections that are kept. Thread-safe.

    Args:
        tls: certificates other than the system's.
        resolve: looks up names; may hang, which costs an exchange its time and no more.
        clock: epoch seconds.
        most_kept: connections; None: as many as the process's file descriptors allow, a thousand at most.
    """

    def __init__(
        self,
        addresses: ZendeskAddresses,
        *,
        tls: ssl.SSLContext | None = None,
        resolve: Resolve = system_resolve,
        clock: Callable[[], float] = time.time,
        most_kept: int | None = None,
    ) -> None:
        self._addresses = addresses
        if most_kept is None:
            most_kept = connections_kept(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        self._connections = Connections(tls, resolve, clock, most_kept)

    def push(self, subdomain: Subdomain, token: PushToken, body: bytes, *, timeout: float) -> Response:
        """POST a push request's JSON body; ``timeout`` in seconds covers the whole exchange, name look-up included.

        An answer of more than MAX_RESPONSE_BYTES is cut there. If it is a 2xx, there is no telling what it said
        about whom, and it counts as no answer.

        Raises:
            ZendeskTimeoutError: no complete answer in time; it may have been imported.
            ZendeskUnreachableError: no connection, or it broke; it may have been imported.
        """
        return self._post(subdomain, PUSH_PATH, token, body, timeout)

    def validate_token(
        self,
        subdomain: Subdomain,
        token: PushToken,
        instance_push_id: InstancePushId,
        *,
        timeout: float = VALIDATE_TOKEN_TIMEOUT,
    ) -> Validation:
        """Ask Zendesk whether a token is good for an account. Never raises for what the other side does."""
        body = json.dumps({"instance_push_id": instance_push_id}).encode()
        try:
            response = self._post(subdomain, VALIDATE_TOKEN_PATH, token, body, timeout)
        except (ZendeskTimeoutError, ZendeskUnreachableError):
            return Validation(Verdict.NO_VERDICT)
        return Validation(_verdict(response), response.status)

    def _post(
        self, subdomain: Subdomain, path: str, token: PushToken, body: bytes, timeout: float
    ) -> Response:
        deadline = time.monotonic() + timeout
        origin = self._addresses.origin(subdomain)
        connection = self._connections.take(origin) or self._connect(origin, timeout)
        complete = False
        # Exceptions are raised `from None`: what they come of may hold the request's headers.
        try:
            connection.begin(deadline)
            headers = _HEADERS | {"Authorization": f"Bearer {token.reveal()}"}
            answer = connection.post(path, headers, body)
            said = _read(answer)
            # Behind an interim answer (1xx) comes another, which the next request would take for its own.
            complete = len(said) <= MAX_RESPONSE_BYTES and answer.status >= 200 and not connection.is_closed
        except (TimeoutError, urllib3.exceptions.TimeoutError):
            raise ZendeskTimeoutError(f"no answer from Zendesk within {timeout:g} s") from None
        except (HTTPError, http.client.HTTPException, OSError) as error:
            raise ZendeskUnreachableError(
                f"the connection to Zendesk broke ({type(error).__name__})"
            ) from None
        finally:
            if complete:
                self._connections.keep(origin, connection)
            else:
                self._connections.discard(connection)
        if len(said) > MAX_RESPONSE_BYTES and 200 <= answer.status < 300:
            raise ZendeskUnreachableError("the answer is larger than any that Zendesk documents")
        # An HTTPMessage compares names without case.
        headers_said = cast("Mapping[str, str]", answer.headers)
        return Response(answer.status, headers_said, said[:MAX_RESPONSE_BYTES])

    def _connect(self, origin: str, timeout: float) -> Connection:
        try:
            return self._connections.make(origin, time.monotonic() + min(CONNECT_TIMEOUT, timeout))
        except (HTTPError, OSError, UnicodeError):  # what cannot be a host name is a UnicodeError
            raise ZendeskUnreachableError("no connection to Zendesk") from None


def _read(answer: http.client.HTTPResponse) -> bytes:
    """The body, up to a byte more than is taken.

    Raises:
        IncompleteRead: the connection ended before it did.
    """
    most = MAX_RESPONSE_BYTES + 1
    if answer.getheader("Content-Encoding"):  # though nobody asked for it
        packed = urllib3.HTTPResponse(
            answer, dict(answer.headers.items()), answer.status, preload_content=False, request_method="POST"
        )
        return packed.read(most, decode_content=True)
    said = answer.read(most)
    if answer.length and len(said) < most:
        raise http.client.IncompleteRead(said, answer.length)
    return said


def _verdict(response: Response) -> Verdict:
    if response.status == 200 and response.body.strip() in (b"", b"null"):
        return Verdict.CONFIRMED
    if response.status in (401, 403, 404) or 300 <= response.status < 400:
        return Verdict.REFUSED
    return Verdict.NO_VERDICT

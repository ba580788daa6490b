"""The two requests of the Channel framework, and nothing about what their answers mean for a message.

Nothing is repeated and no redirect is followed: the queue is the only retrier, and a redirect would take
the token along to wherever it points.
"""

import enum
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import urllib3

from zendesk_channel.addresses import ZendeskAddresses
from zendesk_channel.contract import InstancePushId, PushToken, Subdomain
from zendesk_channel.errors import ZendeskTimeoutError, ZendeskUnreachableError
from zendesk_channel.exchange_deadline import POOLS, CutOff

PUSH_PATH: Final = "/api/v2/any_channel/push.json"
VALIDATE_TOKEN_PATH: Final = "/api/v2/any_channel/validate_token"  # noqa: S105 (a path)
VALIDATE_TOKEN_TIMEOUT: Final = 3.0  # seconds
CONNECT_TIMEOUT: Final = 5.0  # seconds
# Seconds. A function's environment is frozen between invocations; connections die unnoticed meanwhile, and the
# next request on one would look like a Zendesk that does not answer.
IDLE_CONNECTION_LIMIT: Final = 20.0
# 256 results of a few hundred bytes, or 256 resources' validation errors, fit many times over.
MAX_RESPONSE_BYTES: Final = 8 * 1024 * 1024
_CHUNK: Final = 64 * 1024


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
    """Requests to customers' Zendesks over pooled connections; safe to use from several threads."""

    def __init__(self, addresses: ZendeskAddresses, *, max_connections: int = 16) -> None:
        self._addresses = addresses
        self._pool = urllib3.PoolManager(
            num_pools=64,
            maxsize=max_connections,
            retries=False,
            headers={
                "User-Agent": "zendesk-push (https://developer.zendesk.com/documentation/channel_framework/)"
            },
        )
        self._pool.pool_classes_by_scheme = POOLS
        self._last_used = time.time()  # not monotonic: that clock may stand still while frozen

    def push(self, subdomain: Subdomain, token: PushToken, body: bytes, *, timeout: float) -> Response:
        """POST a push request's JSON body; ``timeout`` in seconds covers the whole exchange.

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
        self._drop_idle_connections()
        url, host = _reachable(self._addresses.origin(subdomain) + path)
        headers = {
            "Authorization": f"Bearer {token.reveal()}",
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": self._pool.headers["User-Agent"],
        }
        if host:
            headers["Host"] = host
        # Exceptions below are raised `from None`: urllib3's hold the pool, and that holds request headers.
        with CutOff(timeout) as cut_off:
            try:
                answer = self._pool.request(
                    "POST",
                    url,
                    body=body,
                    headers=headers,
                    timeout=urllib3.Timeout(connect=min(CONNECT_TIMEOUT, timeout), total=timeout),
                    redirect=False,
                    retries=False,
                    preload_content=False,
                )
                try:
                    response = Response(answer.status, answer.headers, _read(answer))
                finally:
                    answer.release_conn()
            except (urllib3.exceptions.ConnectTimeoutError, urllib3.exceptions.NewConnectionError):
                raise ZendeskUnreachableError("no connection to Zendesk") from None
            except (urllib3.exceptions.HTTPError, OSError) as error:
                if cut_off.happened or _timed_out(error):
                    raise _no_answer(timeout) from None
                raise ZendeskUnreachableError(
                    f"the connection to Zendesk broke ({type(error).__name__})"
                ) from None
            # Where nothing says how much there is to come, the end that was cut off looks like any other.
            if cut_off.happened:
                raise _no_answer(timeout)
        return response

    def _drop_idle_connections(self) -> None:
        now = time.time()
        if now - self._last_used > IDLE_CONNECTION_LIMIT:
            self._pool.clear()
        self._last_used = now


def _read(answer: urllib3.BaseHTTPResponse) -> bytes:
    """The body, within a size."""
    chunks: list[bytes] = []
    size = 0
    while chunk := answer.read(_CHUNK, decode_content=True):
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_RESPONSE_BYTES:
            answer.close()
            raise ZendeskUnreachableError("the answer is larger than any that Zendesk documents")
    return b"".join(chunks)


def _no_answer(timeout: float) -> ZendeskTimeoutError:
    return ZendeskTimeoutError(f"no answer from Zendesk within {timeout:g} s")


def _timed_out(error: Exception) -> bool:
    """Also where urllib3 calls it a broken connection: when Zendesk takes the request too slowly."""
    return isinstance(error, urllib3.exceptions.TimeoutError) or any(
        isinstance(cause, TimeoutError) for cause in error.args
    )


def _reachable(url: str) -> tuple[str, str | None]:
    """The URL to connect to and, where it differs from it, the Host to ask for.

    Names below .localhost are this machine (RFC 6761), which not every resolver knows.
    """
    parts = urlsplit(url)
    if not (parts.hostname or "").endswith(".localhost"):
        return url, None
    port = f":{parts.port}" if parts.port else ""
    return parts._replace(netloc=f"127.0.0.1{port}").geturl(), parts.netloc


def _verdict(response: Response) -> Verdict:
    if response.status == 200 and response.body.strip() in (b"", b"null"):
        return Verdict.CONFIRMED
    if response.status in (401, 403, 404) or 300 <= response.status < 400:
        return Verdict.REFUSED
    return Verdict.NO_VERDICT

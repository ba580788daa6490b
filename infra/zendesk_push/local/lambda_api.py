"""Lambda's Invoke on this machine, for those who call a function by its name instead of by an event source.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

import json
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from zendesk_push.local.errors import LocalStackError
from zendesk_push.local.invocation import PAYLOAD_LIMIT, InvocationResult
from zendesk_push.loopback_http import LoopbackRequest, LoopbackResponse, LoopbackServer, reason_phrase

_INVOKE: Final = re.compile(r"/2015-03-31/functions/(?:[^/]*:function:)?([^/:]+)(?::[^/:]+)?/invocations")


class LambdaApi:
    """Serves invocations on loopback, whatever the stack is bound to: a loopback server's application.

    Args:
        functions: what runs each function, by its logical id and by its name.
    """

    most_body_bytes = PAYLOAD_LIMIT

    def __init__(self, functions: Mapping[str, Callable[[Any], InvocationResult]]) -> None:
        self._functions = functions
        try:
            self._server = LoopbackServer("127.0.0.1", 0, self, name="lambda-api")
        except OSError as error:
            raise LocalStackError(f"Lambda's API can't listen on 127.0.0.1: {error.strerror}") from None

    @property
    def url(self) -> str:
        """Where it answers: boto3's ``endpoint_url`` for Lambda."""
        return f"http://127.0.0.1:{self._server.port}"

    def start(self) -> None:
        """Begin to answer; returns at once."""
        self._server.start()

    def stop(self) -> None:
        """Take no more requests; those under way are cut off."""
        self._server.close(join_seconds=0)

    def drops(self, _: LoopbackRequest) -> bool:
        """Never."""
        return False

    def refusal(self, status: int) -> LoopbackResponse:
        """For a body that is too large, or whose length is nonsense."""
        return _refused(status, "RequestTooLargeException", reason_phrase(status))

    def respond(self, request: LoopbackRequest) -> LoopbackResponse:
        """The function's answer, or its error."""
        # AWS's clients sign, and a web page of elsewhere can't: its browser asks first, and is not answered.
        if not request.header("authorization").startswith("AWS4-HMAC-SHA256 "):
            return _refused(
                HTTPStatus.FORBIDDEN, "MissingAuthenticationTokenException", "The request is not signed."
            )
        called = _INVOKE.fullmatch(request.path)
        function = self._functions.get(called[1]) if called else None
        if request.method != "POST" or function is None:
            return _refused(HTTPStatus.NOT_FOUND, "ResourceNotFoundException", "There is no such function.")
        try:
            event = json.loads(request.body or b"null")
        except ValueError:
            return _refused(
                HTTPStatus.BAD_REQUEST, "InvalidRequestContentException", "The payload is not JSON."
            )
        result = function(event)
        error = [("X-Amz-Function-Error", "Unhandled")] if result.function_error else []
        return LoopbackResponse(HTTPStatus.OK, [*_JSON, *error], result.payload.encode())


_JSON: Final = (("Content-Type", "application/json"),)


def _refused(status: int, code: str, text: str) -> LoopbackResponse:
    return LoopbackResponse(
        status, [*_JSON, ("x-amzn-ErrorType", code)], json.dumps({"Message": text}).encode()
    )

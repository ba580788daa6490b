"""What an invocation of a function comes to."""

import json
from dataclasses import dataclass
from typing import Any, Final

# Lambda's limit of a synchronous invocation's request and response, in bytes.
PAYLOAD_LIMIT: Final = 6_291_556


@dataclass(frozen=True)
class InvocationResult:
    """What Lambda answers a synchronous invocation with.

    ``payload`` is JSON: the handler's result or, with ``function_error``, an object with ``errorType`` and
    ``errorMessage``.
    """

    request_id: str
    payload: str
    function_error: bool = False

    @property
    def value(self) -> Any:
        """The payload, decoded."""
        return json.loads(self.payload)

    @property
    def error(self) -> str:
        """``errorType: errorMessage`` of a failed invocation, for people."""
        value = self.value
        return f"{value.get('errorType')}: {value.get('errorMessage')}"


def failure(request_id: str, error_type: str, message: str) -> InvocationResult:
    """A failure that the runtime reports itself."""
    payload = json.dumps({"errorType": error_type, "errorMessage": message})
    return InvocationResult(request_id, payload, function_error=True)

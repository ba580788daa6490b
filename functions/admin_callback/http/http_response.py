"""An answer, in the form that an HTTP API takes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NO_STORE = {"Cache-Control": "no-store"}


@dataclass(frozen=True)
class HttpResponse:
    """A status, a body of one type, and headers besides that type."""

    status: int
    content_type: str
    body: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)

    def as_event(self) -> dict[str, Any]:
        """For API Gateway, payload format 2.0."""
        return {
            "statusCode": self.status,
            "headers": {"Content-Type": self.content_type, **self.headers},
            "body": self.body,
            "isBase64Encoded": False,
        }


def json_response(
    status: int, value: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """A JSON object; browsers are told not to take it for anything else."""
    return HttpResponse(
        status,
        "application/json",
        json.dumps(value),
        {"X-Content-Type-Options": "nosniff", **(headers or {})},
    )

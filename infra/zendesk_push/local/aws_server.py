"""The process that is AWS: moto's DynamoDB, Secrets Manager and KMS, and an SQS of our own, at one address.

It has an interpreter of its own because it computes a lot while functions wait for it. Started as
``python -m zendesk_push.local.aws_server ADDRESS``; says ``{"port": N}`` on stdout once it listens, and ends when
stdin does, so it can't outlive whoever started it.
"""

import json
import logging
import sys
from collections.abc import Iterable
from typing import Any

from moto import backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from zendesk_push.local.sqs_service import MOST_BODY_BYTES, PEEK_PATH, TARGET, SqsService
from zendesk_push.loopback_http import (
    LoopbackRequest,
    LoopbackResponse,
    LoopbackServer,
    public_host,
    reason_phrase,
)

_OWN_HEADERS = ("content-length", "date", "connection", "server")  # the server's, not the application's


class AwsApplication:
    """All services behind one address, told apart by what AWS's clients say in their headers."""

    most_body_bytes = MOST_BODY_BYTES

    def __init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self.sqs: SqsService | None = None

    def drops(self, _: LoopbackRequest) -> bool:
        """Never."""
        return False

    def refusal(self, status: int) -> LoopbackResponse:
        """For a body that is too large, or whose length is nonsense."""
        return LoopbackResponse(status, [("Content-Type", "text/plain")], reason_phrase(status).encode())

    def respond(self, request: LoopbackRequest) -> LoopbackResponse:
        """SQS's answer or moto's."""
        if self.sqs is not None and request.header("x-amz-target").startswith(TARGET):
            return self.sqs.respond(request)
        if self.sqs is not None and request.path == PEEK_PATH:
            return self.sqs.peek(request)
        if "/sqs/aws4_request" in request.header("authorization"):
            text = "SQS on this machine speaks AWS's JSON protocol only, as clients do since the end of 2023"
            return LoopbackResponse(400, [("Content-Type", "text/plain")], text.encode())
        return self._by_moto(request)

    def _by_moto(self, request: LoopbackRequest) -> LoopbackResponse:
        begun: list[tuple[str, Iterable[tuple[str, str]]]] = []

        def start_response(status: str, headers: Iterable[tuple[str, str]], *_: Any) -> None:
            begun.append((status, headers))

        body = b"".join(self._moto(request.environ(), start_response))
        [(status, headers)] = begun
        kept = [(name, value) for name, value in headers if name.lower() not in _OWN_HEADERS]
        return LoopbackResponse(int(status.split(" ", 1)[0]), kept, body)


def _warm_up() -> None:
    # Each service is imported by its first request: do it while the parent is busy elsewhere.
    for service in ("dynamodb", "kms", "secretsmanager"):
        backends.get_backend(service)


def main() -> None:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request otherwise
    address = sys.argv[1]
    application = AwsApplication()
    server = LoopbackServer(address, 0, application, name="aws")
    application.sqs = SqsService(f"http://{public_host(address)}:{server.port}/123456789012/")
    server.start()
    _warm_up()
    print(json.dumps({"port": server.port}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()

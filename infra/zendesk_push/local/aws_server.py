"""The process that is AWS: moto's server.

It has an interpreter of its own because moto computes a lot while functions wait for it. Started as
``python -m zendesk_push.local.aws_server ADDRESS``; says ``{"port": N}`` on stdout once it listens, and ends when
stdin does, so it can't outlive whoever started it.
"""

import json
import logging
import sys

from moto import backends
from moto.server import ThreadedMotoServer

from zendesk_push.local.moto_speed import speed_up


def _warm_up() -> None:
    # Each service is imported by its first request: do it while the parent is busy elsewhere.
    for service in ("dynamodb", "kms", "secretsmanager", "sqs"):
        backends.get_backend(service)


def main() -> None:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request otherwise
    server = ThreadedMotoServer(sys.argv[1], 0, verbose=False)
    server.start()
    _warm_up()
    speed_up()
    _, port = server.get_host_and_port()
    print(json.dumps({"port": port}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()

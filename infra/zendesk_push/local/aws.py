"""Clients for the AWS on this machine."""

import os
import threading
from typing import Any, Final

import boto3
import botocore.session
from botocore.config import Config

from zendesk_push.local.moto_process import CREDENTIALS, REGION

_READ_SECONDS: Final = 60


def isolated_session() -> boto3.session.Session:
    """A boto3 session that knows only the local stack: no profile, no configuration file, no real credentials."""
    nowhere = (None, None, os.devnull, None)
    core = botocore.session.Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": nowhere,
            "credentials_file": nowhere,
        }
    )
    return boto3.session.Session(
        botocore_session=core,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=CREDENTIALS["AWS_SESSION_TOKEN"],
    )


class LocalAws:
    """The local AWS at one address; the session is for the region and fake credentials."""

    def __init__(self, endpoint_url: str, session: boto3.session.Session | None = None) -> None:
        self.endpoint_url: Final = endpoint_url
        self.session: Final = session or isolated_session()
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, int], Any] = {}

    def client(self, service: str, *, connections: int = 10) -> Any:
        """A boto3 client, for use by up to ``connections`` threads side by side.

        No proxy: it would never reach this machine. One try: a failure here is a bug, not weather.
        """
        with self._lock:
            # A session makes one client at a time, and each takes a while.
            if (service, connections) not in self._clients:
                self._clients[service, connections] = self.session.client(
                    service,  # type: ignore[call-overload]
                    endpoint_url=self.endpoint_url,
                    config=Config(
                        proxies={},
                        retries={"total_max_attempts": 1},
                        max_pool_connections=connections,
                        read_timeout=_READ_SECONDS,
                    ),
                )
            return self._clients[service, connections]

"""How this project talks to AWS: bounded waits, few attempts, and errors with a name.

Which endpoint and region to talk to is botocore's own business (AWS_ENDPOINT_URL, AWS_REGION).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from zendesk_channel.errors import StoreUnavailableError

# Seconds. The queue repeats what fails here, so the client itself need not try for long.
CLIENT_CONFIG: Final = Config(
    connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3}
)


class AwsClients:
    """botocore's clients, each made once. boto3 would add its own import to a cold start, and nothing else.

    ``session`` is for watching the calls to AWS by its event hooks.
    """

    def __init__(self, session: botocore.session.Session | None = None) -> None:
        self._session = session
        self._made: dict[tuple[str, Config], Any] = {}

    def client(self, service: str, config: Config = CLIENT_CONFIG) -> Any:
        """The client of a service."""
        self._session = self._session or botocore.session.get_session()
        if (service, config) not in self._made:
            self._made[service, config] = self._session.create_client(service, config=config)
        return self._made[service, config]


def is_initializing() -> bool:
    """Whether this runs before Lambda's first event: until then a function has a whole CPU, later its share of one."""
    return "AWS_LAMBDA_INITIALIZATION_TYPE" in os.environ


def error_code(error: ClientError) -> str:
    """AWS's name of an error, such as ConditionalCheckFailedException."""
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


@contextmanager
def store_errors(operation: str) -> Iterator[None]:
    """Turn whatever botocore raises into a StoreUnavailableError that holds no parameter's value.

    Errors that mean something of their own are caught inside, by their code.
    """
    try:
        yield
    except ClientError as error:
        raise StoreUnavailableError(operation, error_code(error)) from None
    except BotoCoreError as error:
        # ParamValidationError prints the parameters, a token among them.
        raise StoreUnavailableError(operation, type(error).__name__) from None

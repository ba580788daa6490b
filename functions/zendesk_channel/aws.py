"""How this project talks to AWS: bounded waits, few attempts, and errors with a name.

Which endpoint and region to talk to is boto3's own business (AWS_ENDPOINT_URL, AWS_REGION).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from zendesk_channel.errors import StoreUnavailableError

# Seconds. The queue repeats what fails here, so the client itself need not try for long.
CLIENT_CONFIG: Final = Config(
    connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3}
)


def error_code(error: ClientError) -> str:
    """AWS's name of an error, such as ConditionalCheckFailedException."""
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


@contextmanager
def store_errors(operation: str) -> Iterator[None]:
    """Turn whatever boto3 raises into a StoreUnavailableError that holds no parameter's value.

    Errors that mean something of their own are caught inside, by their code.
    """
    try:
        yield
    except ClientError as error:
        raise StoreUnavailableError(operation, error_code(error)) from None
    except BotoCoreError as error:
        # ParamValidationError prints the parameters, a token among them.
        raise StoreUnavailableError(operation, type(error).__name__) from None

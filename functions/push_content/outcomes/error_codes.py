"""Why a message waits or was refused: the ``ErrorCode`` of a dead letter, and of retries in logs and metrics."""

import enum


class ErrorCode(enum.StrEnum):
    """The closed list of docs/message.md. (Tools show ``receive_count`` for what SQS itself moved.)"""

    INVALID_MESSAGE = "invalid_message"
    ZENDESK_400 = "zendesk_400"
    ZENDESK_413 = "zendesk_413"
    ZENDESK_422 = "zendesk_422"
    PROCESSING_ERROR = "processing_error"
    MISSING_PARENT = "missing_parent"
    UNAVAILABLE = "unavailable"
    THROTTLED = "throttled"
    UNAUTHORIZED = "unauthorized"
    WRONG_ADDRESS = "wrong_address"
    UNKNOWN_ACCOUNT = "unknown_account"
    INACTIVE_ACCOUNT = "inactive_account"

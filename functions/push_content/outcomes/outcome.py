"""The words for what becomes of a message, which everything else here speaks in."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Self

from zendesk_channel.contract import PushToken

SUCCESS: Final = "success"
ALREADY_IMPORTED: Final = "already_imported"
PROCESSING_ERROR: Final = "processing_error"
MISSING_PARENT: Final = "could_not_locate_parent_external_resource"
HALTED: Final = "halted"
CODES: Final = (SUCCESS, ALREADY_IMPORTED, PROCESSING_ERROR, MISSING_PARENT, HALTED)
"""Zendesk's own, for one resource."""


class ErrorCode(enum.StrEnum):
    """Why a message waits or was refused: the closed list of docs/message.md.

    It is in dead letters, logs and metrics. (Tools show ``receive_count`` for what SQS itself moved.)
    """

    INVALID_MESSAGE = "invalid_message"
    ZENDESK_400 = "zendesk_400"
    ZENDESK_413 = "zendesk_413"
    ZENDESK_422 = "zendesk_422"
    PROCESSING_ERROR = "processing_error"
    MISSING_PARENT = "missing_parent"
    UNAVAILABLE = "unavailable"
    THROTTLED = "throttled"
    PAUSED = "paused"
    UNAUTHORIZED = "unauthorized"
    WRONG_ADDRESS = "wrong_address"
    UNKNOWN_ACCOUNT = "unknown_account"
    INACTIVE_ACCOUNT = "inactive_account"


@dataclass(frozen=True)
class Result:
    """What Zendesk says of one resource; ``code`` None: nothing."""

    code: str | None = None
    description: str = ""

    @property
    def delivered(self) -> bool:
        """It is in a ticket, now or from an earlier attempt."""
        return self.code in (SUCCESS, ALREADY_IMPORTED)

    @property
    def failed(self) -> bool:
        """It is what the resources behind it were halted for. A code not known here counts: it was not a success."""
        return self.code is not None and self.code != HALTED and not self.delivered


@dataclass(frozen=True)
class Delivered:
    """It is in Zendesk: to be deleted from the queue."""


@dataclass(frozen=True)
class _Failure:
    """``text`` is Zendesk's or ours; ``results`` are the message's own, by the index of its resources."""

    reason: ErrorCode
    text: str = field(repr=False)
    status: int | None = None
    results: Mapping[int, Result] = field(default_factory=dict, repr=False)

    def masked(self, token: PushToken) -> Self:
        """The same without the token, should Zendesk's words hold it: they end up on a queue."""
        results = {
            index: Result(each.code and token.masked_in(each.code), token.masked_in(each.description))
            for index, each in self.results.items()
        }
        return replace(self, text=token.masked_in(self.text), results=results)


@dataclass(frozen=True)
class Rejected(_Failure):
    """It cannot succeed: to be dead-lettered."""


@dataclass(frozen=True)
class Retry(_Failure):
    """It may succeed later: to stay on the queue.

    Attributes:
        soon: it may be tried at the next opportunity.
        nobodys: neither the message's failure nor its account's, so that only the queue's retention ends it.
        accounts: the account's failure, or another message's: the account's pause is its back-off.
        behind: the id of the message that it waits with, because that one is before it in a conversation.
    """

    soon: bool = False
    nobodys: bool = False
    accounts: bool = False
    behind: str | None = None


Outcome = Delivered | Rejected | Retry

NO_TIME: Final = Retry(ErrorCode.UNAVAILABLE, "no time was left in the invocation", soon=True, nobodys=True)


def aws_failed(what: str) -> Retry:
    """A call of ours to AWS failed. ``what`` says which, and how."""
    return Retry(ErrorCode.UNAVAILABLE, f"AWS: {what}", nobodys=True)


def unforeseen() -> Retry:
    """Something unforeseen happened; the log says where."""
    return Retry(ErrorCode.UNAVAILABLE, "an unforeseen error")

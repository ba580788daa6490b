"""What one event body may cost, whatever it holds: anybody can send one."""

from typing import Final

from admin_callback.accounts.sealed_metadata import Metadata, MetadataSealer
from zendesk_channel.clock import Clock
from zendesk_channel.contract import PushToken, Subdomain

MAX_UNPROVEN: Final = 10  # events whose record was read for nothing
MAX_OPENED: Final = 3  # sealed tokens, a call to KMS each
MAX_VALIDATIONS: Final = 3  # validate_token, the control question included ...
VALIDATION_SECONDS: Final = 5.0  # ... in so many seconds for all of a body's tokens
MAX_RECEIPTS: Final = 100
RETRY_AFTER: Final = 10  # seconds, where the body itself held too much


class EventBudget:
    """Counts what one body costs, and says when it has cost enough."""

    def __init__(self, clock: Clock, source: str) -> None:
        self._clock = clock
        self._deadline = clock.monotonic() + VALIDATION_SECONDS
        self._opened: dict[Metadata, PushToken | None] = {}
        self._opening = 0
        self._unproven = 0
        self._validations = 0
        self.source: Final = source
        self.refuses_strangers: set[Subdomain] = set()  # asked about a token that nobody has, and refused it

    @property
    def exhausted(self) -> bool:
        """Too many events of this body have not proved to be authentic: nothing behind them is looked at."""
        return self._unproven >= MAX_UNPROVEN

    def count_unproven(self) -> None:
        """A record is about to be read, for nothing as far as is known."""
        self._unproven += 1

    def count_proven(self) -> None:
        """The event that was counted last is authentic."""
        self._unproven -= 1

    def may_open(self, metadata: Metadata) -> bool:
        """Whether its token may be opened; each is opened once, unless KMS failed."""
        return metadata in self._opened or self._opening < MAX_OPENED

    def open(self, metadata: Metadata, sealer: MetadataSealer) -> PushToken | None:
        """Open a sealed token."""
        if metadata not in self._opened:
            self._opening += 1  # first: a call that fails is a call
            self._opened[metadata] = sealer.open(metadata)
        return self._opened[metadata]

    def may_validate(self) -> bool:
        """Count one validate_token, while there are calls and time left."""
        if self._validations >= MAX_VALIDATIONS or self.seconds_left() <= 0:
            return False
        self._validations += 1
        return True

    def seconds_left(self) -> float:
        """For validate_token."""
        return self._deadline - self._clock.monotonic()

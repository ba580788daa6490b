"""What one event body may cost, since anybody can send one."""

from collections.abc import Callable
from typing import Final

from admin_callback.accounts.sealed_metadata import Envelope, MetadataSealer, Seal

MAX_OPENED: Final = 100  # blobs of one body
MAX_VERIFIED: Final = 10  # tokens of one body
MAX_RECEIPTS: Final = 100  # of one body; a report of more resources than a push can hold becomes several
VERIFY_SECONDS: Final = 10.0  # for all of a body's tokens


class Budget:
    """Counts what is done for one body, and says when it is enough."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._deadline = clock() + VERIFY_SECONDS
        self._opened: dict[Envelope, Seal | None] = {}
        self._looked_at = 0
        self._verified = 0
        self._reported = 0
        self.retry_after = 0  # seconds; set once the throttle said no
        self.applied: list[dict[str, str]] = []  # for the log: the accounts of authentic events

    def may_look(self) -> bool:
        """Count one event with metadata."""
        self._looked_at += 1
        return self._looked_at <= MAX_OPENED

    def open(self, envelope: Envelope, sealer: MetadataSealer) -> Seal | None:
        """Open each blob once."""
        if envelope not in self._opened:
            self._opened[envelope] = sealer.open(envelope)
        return self._opened[envelope]

    def may_verify(self) -> bool:
        """Count one token to be verified."""
        self._verified += 1
        return self._verified <= MAX_VERIFIED

    def may_report(self) -> bool:
        """Count one receipt to be logged and sent."""
        self._reported += 1
        return self._reported <= MAX_RECEIPTS

    def left(self) -> float:
        """Seconds."""
        return self._deadline - self._clock()

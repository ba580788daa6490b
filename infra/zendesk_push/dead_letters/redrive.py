"""Sending dead letters back to the content queue, and deleting them: never the second before the first."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from push_content.outcomes.sqs_limits import BATCH
from zendesk_push.dead_letters.dead_letter import ReceivedDeadLetter
from zendesk_push.dead_letters.reading import Reading
from zendesk_push.queue_sender import Outgoing, QueueSender

_HELD_TOO_LONG: Final = "others may have it by now: it was held for too long. Run the command again"


@dataclass
class Tally:
    """What became of chosen dead letters, by message id; what is in none of the three was not tried.

    ``failed`` and ``left_behind`` hold the reason. ``left_behind``: back on the content queue, but still in the
    dead-letter queue too.
    """

    done: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    left_behind: dict[str, str] = field(default_factory=dict)
    stopped: bool = False

    def not_tried(self, letters: Sequence[ReceivedDeadLetter], reason: str) -> None:
        """Give every letter that nothing was said about this reason for its failure."""
        known = self.done | self.left_behind.keys() | self.failed.keys()
        self.failed |= {letter.message_id: reason for letter in letters if letter.message_id not in known}


@dataclass(frozen=True)
class Pace:
    """How whoever watches takes part: told of each step, and asked before each whether to stop there."""

    advance: Callable[[int], None] = lambda _: None
    stopping: Callable[[], bool] = lambda: False


def redrive(
    reading: Reading,
    sender: QueueSender,
    letters: Sequence[ReceivedDeadLetter],
    message: Callable[[ReceivedDeadLetter], Outgoing],
    pace: Pace,
) -> Tally:
    """Send letters that the reading holds back and delete them; stops at an error that would meet all.

    A crash in between leaves a message in both queues, which Zendesk's ``already_imported`` makes harmless.
    ``message`` is what to send for a letter.
    """
    tally = Tally()
    for ten in _in_tens(reading, letters, pace, tally):
        results = list(sender.send(message(letter) for letter in ten))
        sent: list[ReceivedDeadLetter] = []
        for result in results:
            letter: ReceivedDeadLetter = result.message.label
            if result.problem is None:
                sent.append(letter)
            else:
                tally.failed[letter.message_id] = result.problem
        tally.left_behind |= reading.delete(sent)
        tally.done |= {letter.message_id for letter in sent} - tally.left_behind.keys()
        hopeless = next((result.problem for result in results if result.hopeless), None)
        # What can't be deleted would only be doubled by going on.
        hopeless = hopeless or next(iter(tally.left_behind.values()), None)
        if hopeless:
            tally.not_tried(letters, f"not tried after: {hopeless}")
            break
    return tally


def purge(reading: Reading, letters: Sequence[ReceivedDeadLetter], pace: Pace) -> Tally:
    """Delete letters that the reading holds for good."""
    tally = Tally()
    for ten in _in_tens(reading, letters, pace, tally):
        tally.failed |= reading.delete(ten)
        tally.done |= {letter.message_id for letter in ten} - tally.failed.keys()
    return tally


def _in_tens(
    reading: Reading, letters: Sequence[ReceivedDeadLetter], pace: Pace, tally: Tally
) -> Iterator[Sequence[ReceivedDeadLetter]]:
    for start in range(0, len(letters), BATCH):
        if pace.stopping():
            tally.stopped = True
            return
        if reading.expired:
            tally.not_tried(letters, _HELD_TOO_LONG)
            return
        ten = letters[start : start + BATCH]
        yield ten
        pace.advance(len(ten))

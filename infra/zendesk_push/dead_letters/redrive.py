"""Sending dead letters back to the content queue, and deleting them: never the second before the first."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from push_content.outcomes.dead_letters import restore_attributes
from zendesk_push.dead_letters.dead_letter import ReceivedDeadLetter
from zendesk_push.dead_letters.reading import Reading
from zendesk_push.queue_sender import MAX_BATCH_ENTRIES, Outgoing, QueueSender

_UNSEEN: Final = "it is gone, or somebody else is reading it just now: look again"


@dataclass
class RedriveOutcome:
    """What became of a selection, by message id; ``failed`` and ``left_behind`` hold the reason.

    ``left_behind``: back on the content queue, but still in the dead-letter queue too. ``unseen`` are those of
    ``failed`` that the reading did not come across: somebody has dealt with them, or keeps them out of sight.
    """

    done: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    left_behind: dict[str, str] = field(default_factory=dict)
    unseen: set[str] = field(default_factory=set)

    def not_tried(self, wanted: Collection[str], reason: str) -> None:
        """Give every message that nothing was said about this reason for its failure."""
        self.failed |= dict.fromkeys(self._not_accounted_for(wanted), reason)

    def not_seen(self, wanted: Collection[str]) -> None:
        """Take every message that nothing was said about for unseen."""
        self.unseen = self._not_accounted_for(wanted)
        self.failed |= dict.fromkeys(self.unseen, _UNSEEN)

    def followed_by(self, later: "RedriveOutcome") -> "RedriveOutcome":
        """Both together, where the later one was about the unseen ones of this."""
        failed = {one: reason for one, reason in self.failed.items() if one not in self.unseen}
        return RedriveOutcome(
            self.done | later.done, failed | later.failed, self.left_behind | later.left_behind, later.unseen
        )

    def _not_accounted_for(self, wanted: Collection[str]) -> set[str]:
        return set(wanted) - self.done - self.left_behind.keys() - self.failed.keys()


def original(letter: ReceivedDeadLetter) -> Outgoing:
    """The message that the dead letter was: body, attributes and group as they came first."""
    return Outgoing(
        letter.body, label=letter, group_id=letter.group_id, attributes=restore_attributes(letter.attributes)
    )


def redrive(
    reading: Reading, sender: QueueSender, wanted: Collection[str], advance: Callable[[int], None]
) -> RedriveOutcome:
    """Send the wanted dead letters (by message id) back and delete them; stops at an error that would meet all.

    A crash in between leaves a message in both queues, which Zendesk's ``already_imported`` makes harmless.
    """
    outcome = RedriveOutcome()
    for letters in _in_tens(letter for letter in reading if letter.message_id in wanted):
        results = list(sender.send(original(letter) for letter in letters))
        sent: list[ReceivedDeadLetter] = []
        for result in results:
            letter: ReceivedDeadLetter = result.message.label
            if result.problem is None:
                sent.append(letter)
            else:
                outcome.failed[letter.message_id] = result.problem
        outcome.left_behind |= reading.delete(sent)
        outcome.done |= {letter.message_id for letter in sent} - outcome.left_behind.keys()
        advance(len(letters))
        hopeless = next((result.problem for result in results if result.hopeless), None)
        # What can't be deleted would only be doubled by going on.
        hopeless = hopeless or next(iter(outcome.left_behind.values()), None)
        if hopeless:
            outcome.not_tried(wanted, f"not tried after: {hopeless}")
            return outcome
        if len(outcome.done) + len(outcome.failed) + len(outcome.left_behind) == len(wanted):
            return outcome
    outcome.not_seen(wanted)
    return outcome


def purge(reading: Reading, wanted: Collection[str], advance: Callable[[int], None]) -> RedriveOutcome:
    """Delete the wanted dead letters (by message id) for good."""
    outcome = RedriveOutcome()
    for letters in _in_tens(letter for letter in reading if letter.message_id in wanted):
        outcome.failed |= reading.delete(letters)
        outcome.done |= {letter.message_id for letter in letters} - outcome.failed.keys()
        advance(len(letters))
        if len(outcome.done) + len(outcome.failed) == len(wanted):
            return outcome
    outcome.not_seen(wanted)
    return outcome


def until_all_are_seen(
    open_reading: Callable[[bool], Reading],
    act: Callable[[Reading, set[str]], RedriveOutcome],
    wanted: set[str],
) -> RedriveOutcome:
    """Act in one reading after the other for as long as one comes across what those before it did not.

    Whoever else reads the queue, such as the local stack's display, keeps messages out of sight meanwhile.

    Args:
        open_reading: a new reading; told whether it should wait for messages that come into sight.
        act: ``redrive`` or ``purge``.
        wanted: message ids.
    """
    with open_reading(False) as reading:
        outcome = act(reading, wanted)
    while unseen := outcome.unseen:
        with open_reading(True) as reading:
            outcome = outcome.followed_by(act(reading, unseen))
        if outcome.unseen == unseen:
            break
    return outcome


def _in_tens(letters: Iterable[ReceivedDeadLetter]) -> Iterator[list[ReceivedDeadLetter]]:
    source = iter(letters)
    while chunk := list(islice(source, MAX_BATCH_ENTRIES)):
        yield chunk

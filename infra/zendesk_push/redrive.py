"""Sending dead letters back to the content queue, and deleting them: never the second before the first."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from push_content.dead_letters import restore_attributes
from zendesk_push.dead_letters import DeadLetter, Reading
from zendesk_push.queue_sender import MAX_BATCH_ENTRIES, Outgoing, QueueSender

_NOT_THERE: Final = "it is not in the dead-letter queue any more"


@dataclass
class Outcome:
    """What became of a selection, by message id; ``failed`` and ``left_behind`` hold the reason.

    ``left_behind``: back on the content queue, but still in the dead-letter queue too.
    """

    done: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    left_behind: dict[str, str] = field(default_factory=dict)

    def account_for(self, wanted: Collection[str], reason: str = _NOT_THERE) -> None:
        """Give every message that nothing was said about this reason for its failure."""
        for message_id in wanted:
            if message_id not in self.done and message_id not in self.left_behind:
                self.failed.setdefault(message_id, reason)


def original(letter: DeadLetter) -> Outgoing:
    """The message that the dead letter was: body, attributes and group as they came first."""
    return Outgoing(
        letter.body, label=letter, group_id=letter.group_id, attributes=restore_attributes(letter.attributes)
    )


def redrive(
    reading: Reading, sender: QueueSender, wanted: Collection[str], advance: Callable[[int], None]
) -> Outcome:
    """Send the wanted dead letters (by message id) back and delete them; stops at an error that would meet all.

    A crash in between leaves a message in both queues, which Zendesk's ``already_imported`` makes harmless.
    """
    outcome = Outcome()
    for letters in _in_tens(letter for letter in reading if letter.message_id in wanted):
        results = list(sender.send(original(letter) for letter in letters))
        sent: list[DeadLetter] = []
        for result in results:
            letter: DeadLetter = result.message.label
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
            outcome.account_for(wanted, f"not tried after: {hopeless}")
            return outcome
        if len(outcome.done) + len(outcome.failed) + len(outcome.left_behind) == len(wanted):
            return outcome
    outcome.account_for(wanted)
    return outcome


def purge(reading: Reading, wanted: Collection[str], advance: Callable[[int], None]) -> Outcome:
    """Delete the wanted dead letters (by message id) for good."""
    outcome = Outcome()
    for letters in _in_tens(letter for letter in reading if letter.message_id in wanted):
        outcome.failed |= reading.delete(letters)
        outcome.done |= {letter.message_id for letter in letters} - outcome.failed.keys()
        advance(len(letters))
        if len(outcome.done) + len(outcome.failed) == len(wanted):
            return outcome
    outcome.account_for(wanted)
    return outcome


def _in_tens(letters: Iterable[DeadLetter]) -> Iterator[list[DeadLetter]]:
    source = iter(letters)
    while chunk := list(islice(source, MAX_BATCH_ENTRIES)):
        yield chunk

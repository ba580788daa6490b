"""``send --wait``: each message to its ticket or its refusal, by what the functions' log says."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from zendesk_push.dead_letters.dead_letter import without_schemas
from zendesk_push.dead_letters.finding import find_letters
from zendesk_push.deployment import Deployment
from zendesk_push.function_logs import read_log_lines
from zendesk_push.message_history import MESSAGE_LINES, TICKET_LINE, Fate, histories, tickets
from zendesk_push.terminal import progress_bar

# Seconds. A log tells nobody that it has grown; each look at CloudWatch's is a query that is paid for.
_POLL_LOCAL: Final = 0.5
_POLL_AWS: Final = 5
_FOR_TICKETS_LOCAL: Final = 3  # Zendesk reports a ticket after it has answered the push
_FOR_TICKETS_AWS: Final = 30
_CLOCKS_DIFFER: Final = 60


@dataclass(frozen=True)
class Followed:
    """What became of a message. ``fate`` None: nothing is known yet."""

    fate: Fate | None = None
    reason: str | None = None
    explanation: str | None = None
    tickets: tuple[int, ...] = ()

    def __str__(self) -> str:
        if self.fate is Fate.DELIVERED:
            return "ticket " + ", ".join(f"#{one}" for one in self.tickets) if self.tickets else "delivered"
        if self.fate is Fate.DEAD:
            explanation = without_schemas(self.explanation or "")
            return f"refused: {self.reason}{f': {explanation}' if explanation else ''}"
        return f"still waits: {self.reason}" if self.reason else "not received yet, or not in the log yet"

    @property
    def is_over(self) -> bool:
        """Nothing more happens to it by itself."""
        return self.fate in (Fate.DELIVERED, Fate.DEAD)


def follow(
    deployment: Deployment, sent: Mapping[str, tuple[str, ...]], sent_at: float, seconds: float
) -> dict[str, Followed]:
    """What became of messages within so many seconds.

    Args:
        deployment: where they were sent.
        sent: their external ids by message id.
        sent_at: epoch seconds.
        seconds: how long to wait at most.
    """
    poll = _POLL_LOCAL if deployment.local else _POLL_AWS
    deadline = time.monotonic() + seconds
    for_tickets = None
    found: dict[str, Followed] = dict.fromkeys(sent, Followed())
    with progress_bar() as progress:
        task = progress.add_task("waiting", total=len(sent))
        while True:
            found = _look(deployment, sent, sent_at)
            progress.update(task, completed=sum(one.is_over for one in found.values()))
            now = time.monotonic()
            if all(one.is_over for one in found.values()):
                for_tickets = for_tickets or now + (
                    _FOR_TICKETS_LOCAL if deployment.local else _FOR_TICKETS_AWS
                )
                if now > for_tickets or all(one.tickets or one.fate is Fate.DEAD for one in found.values()):
                    break
            if now > deadline:
                break
            time.sleep(poll)
    return _explained(deployment, found)


def _look(deployment: Deployment, sent: Mapping[str, tuple[str, ...]], sent_at: float) -> dict[str, Followed]:
    lines = read_log_lines(deployment, (*MESSAGE_LINES, TICKET_LINE), sent_at - _CLOCKS_DIFFER).lines
    known, numbers = histories(lines), tickets(lines)
    return {
        message_id: Followed(
            known[message_id].fate,
            known[message_id].reason,
            tickets=tuple(dict.fromkeys(ticket for one in ids for ticket in numbers.get(one, ()))),
        )
        if message_id in known
        else Followed()
        for message_id, ids in sent.items()
    }


def _explained(deployment: Deployment, found: Mapping[str, Followed]) -> dict[str, Followed]:
    """With what the dead letters say."""
    dead = {message_id for message_id, one in found.items() if one.fate is Fate.DEAD}
    said = (
        {
            letter.source_message_id: letter.explanation
            for letter in find_letters(deployment, lambda letter: letter.source_message_id in dead)
        }
        if dead
        else {}
    )
    return {message_id: replace(one, explanation=said.get(message_id)) for message_id, one in found.items()}

"""One standard queue: what is on it, who has received it, and when it can be received again."""

import enum
import heapq
import itertools
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from zendesk_push.in_memory.sqs_rules import MAX_BATCH_BYTES, MAX_VISIBILITY, Refusal

MAX_IN_FLIGHT: Final = 120_000


class MessageState(enum.Enum):
    """Where a message on the queue is between being sent and being deleted."""

    VISIBLE = "visible"
    IN_FLIGHT = "in_flight"
    DELAYED = "delayed"


@dataclass(eq=False)
class QueuedMessage:
    """A message and its life so far. Times are epoch seconds."""

    message_id: str
    body: str
    attributes: Mapping[str, Mapping[str, Any]]
    sent_at: float
    group_id: str | None = None
    trace_header: str | None = None
    source_arn: str | None = None  # of the queue that SQS itself moved it here from
    receive_count: int = 0
    first_received_at: float | None = None
    received_at: float | None = None
    receipt_handle: str | None = None
    state: MessageState = MessageState.VISIBLE
    visible_at: float = 0
    number: int = 0  # which one of its queue it is
    turn: int = field(default=0, repr=False)  # which of its entries below is the valid one


class Queue:
    """The messages of one queue. Not safe for threads: the client that owns it is.

    Args:
        receipt_handles: makes handles that are unique in the whole client.
        max_in_flight: beyond it, deliveries stop, without an error.
    """

    def __init__(
        self,
        *,
        name: str,
        arn: str,
        clock: Callable[[], float],
        receipt_handles: Iterator[str],
        max_in_flight: int = MAX_IN_FLIGHT,
    ) -> None:
        self.name = name
        self.arn = arn
        # AWS's defaults; the times are in seconds.
        self.visibility_timeout = 30
        self.retention = 4 * 86_400
        self.delay = 0
        self.maximum_bytes = MAX_BATCH_BYTES
        self.other_attributes: dict[str, str] = {}
        self.tags: dict[str, str] = {}
        self.dead_letter_queue: Queue | None = None
        self.max_receive_count = 0
        self.expired_count = 0
        self.newest_number = 0
        self._clock = clock
        self._receipt_handles = receipt_handles
        self._max_in_flight = max_in_flight
        self._messages: dict[str, QueuedMessage] = {}
        self._by_handle: dict[str, QueuedMessage] = {}
        # Entries of the three below are valid only while the message's turn is theirs: changing a message
        # never has to search them.
        self._ready: deque[tuple[int, QueuedMessage]] = deque()
        self._waiting: list[tuple[float, int, int, QueuedMessage]] = []
        self._expiries: list[tuple[float, int, QueuedMessage]] = []
        self._order = itertools.count()
        self._counts = dict.fromkeys(MessageState, 0)

    def add(self, message: QueuedMessage, delay: int = 0) -> None:
        """Take a message in; its retention runs from ``sent_at``, which may be long ago."""
        self.newest_number += 1
        message.number = self.newest_number
        self._messages[message.message_id] = message
        self._counts[message.state] += 1
        heapq.heappush(self._expiries, (message.sent_at + self.retention, next(self._order), message))
        if delay:
            self._wait(message, MessageState.DELAYED, self._clock() + delay)
        else:
            self._make_visible(message)

    def receive(self, limit: int, visibility: int | None) -> list[QueuedMessage]:
        """Up to ``limit`` visible messages, each with a new receipt handle and counted once more.

        One that has been received as often as the redrive policy allows goes to its dead-letter queue instead.
        """
        self.settle()
        seconds = self.visibility_timeout if visibility is None else visibility
        received: list[QueuedMessage] = []
        again: list[QueuedMessage] = []
        while self._ready and len(received) < limit:
            turn, message = self._ready.popleft()
            if turn != message.turn:
                continue
            if self._counts[MessageState.IN_FLIGHT] >= self._max_in_flight:
                self._ready.appendleft((turn, message))
                break
            if self.dead_letter_queue and message.receive_count >= self.max_receive_count:
                self._move(message, self.dead_letter_queue)
                continue
            now = self._clock()
            message.receive_count += 1
            message.received_at = now
            message.first_received_at = message.first_received_at or now
            self._forget_handle(message)
            message.receipt_handle = next(self._receipt_handles)
            self._by_handle[message.receipt_handle] = message
            received.append(message)
            if seconds:
                self._wait(message, MessageState.IN_FLIGHT, now + seconds)
            else:
                message.turn += 1
                again.append(message)
        for message in again:  # visible at once, but not twice in one answer
            self._make_visible(message)
        return received

    def change_visibility(self, receipt_handle: str, seconds: int) -> None:
        """Let a message in flight wait so much longer, from now on; 0 makes it visible.

        Raises:
            Refusal: no longer in flight under this handle, or beyond twelve hours from its receipt.
        """
        self.settle()
        message = self._by_handle.get(receipt_handle)
        if message is None or message.state is not MessageState.IN_FLIGHT:
            raise Refusal(
                "InvalidParameterValue",
                f"Value {receipt_handle} for parameter ReceiptHandle is invalid. Reason: Message does not "
                "exist or is not available for visibility timeout change.",
            )
        now = self._clock()
        if now + seconds > (message.received_at or now) + MAX_VISIBILITY:
            raise Refusal(
                "InvalidParameterValue",
                f"Value {seconds} for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout "
                f"for the message is beyond the limit [{MAX_VISIBILITY} seconds]",
            )
        if seconds:
            self._wait(message, MessageState.IN_FLIGHT, now + seconds)
        else:
            self._make_visible(message)

    def delete(self, receipt_handle: str) -> None:
        """Delete by the handle of the latest receipt. An older one succeeds and deletes nothing: AWS's "might not"."""
        self.settle()
        message = self._by_handle.get(receipt_handle)
        if message is not None:
            self._drop(message)

    def redeliver(self, message_id: str) -> None:
        """Make a message visible although it is in flight: a standard queue delivers *at least* once.

        Its handle stays good until the next receipt.

        Raises:
            KeyError: it is not on the queue.
        """
        self.settle()
        self._make_visible(self._messages[message_id])

    def purge(self) -> None:
        """Drop everything."""
        for message in list(self._messages.values()):
            self._drop(message)

    def count(self, state: MessageState) -> int:
        """How many messages are in a state now."""
        self.settle()
        return self._counts[state]

    def messages(self) -> list[QueuedMessage]:
        """All of them, in no order that means anything. To look at, not to change."""
        self.settle()
        return list(self._messages.values())

    def later_than(self, number: int) -> list[QueuedMessage]:
        """Those that came after the message of that number, oldest first."""
        self.settle()
        later = itertools.takewhile(lambda each: each.number > number, reversed(self._messages.values()))
        return list(later)[::-1]

    def next_change_at(self) -> float | None:
        """When the next waiting message becomes visible; None if none waits."""
        self.settle()
        while self._waiting and self._waiting[0][2] != self._waiting[0][3].turn:
            heapq.heappop(self._waiting)
        return self._waiting[0][0] if self._waiting else None

    def settle(self) -> None:
        """Catch up with the clock: what is due becomes visible, what is too old is gone."""
        now = self._clock()
        while self._waiting and self._waiting[0][0] <= now:
            _, _, turn, message = heapq.heappop(self._waiting)
            if turn == message.turn:
                self._make_visible(message)
        while self._expiries and self._expiries[0][0] <= now:
            message = heapq.heappop(self._expiries)[2]
            if self._messages.get(message.message_id) is message:
                self._drop(message)
                self.expired_count += 1

    def _move(self, message: QueuedMessage, target: "Queue") -> None:
        self._drop(message)
        target.add(
            QueuedMessage(
                message_id=message.message_id,
                body=message.body,
                attributes=message.attributes,
                sent_at=message.sent_at,
                group_id=message.group_id,
                trace_header=message.trace_header,
                source_arn=self.arn,
                receive_count=message.receive_count,
                first_received_at=message.first_received_at,
            )
        )

    def _make_visible(self, message: QueuedMessage) -> None:
        self._set_state(message, MessageState.VISIBLE)
        message.visible_at = self._clock()
        self._ready.append((message.turn, message))

    def _wait(self, message: QueuedMessage, state: MessageState, until: float) -> None:
        self._set_state(message, state)
        message.visible_at = until
        heapq.heappush(self._waiting, (until, next(self._order), message.turn, message))

    def _set_state(self, message: QueuedMessage, state: MessageState) -> None:
        self._counts[message.state] -= 1
        self._counts[state] += 1
        message.state = state
        message.turn += 1

    def _drop(self, message: QueuedMessage) -> None:
        del self._messages[message.message_id]
        self._forget_handle(message)
        self._counts[message.state] -= 1
        message.turn += 1

    def _forget_handle(self, message: QueuedMessage) -> None:
        if message.receipt_handle is not None:
            self._by_handle.pop(message.receipt_handle, None)

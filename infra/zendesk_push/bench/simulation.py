"""Delivery on a clock that jumps: the real function, queue and simulated Zendesk, and days in seconds."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from zendesk_push.bench.harness import Harness
from zendesk_push.bench.traffic import Sent
from zendesk_push.in_memory.clock import ManualClock
from zendesk_push.in_memory.event_source import InMemoryEventSource
from zendesk_push.in_memory.zendesk import InMemoryZendeskClient
from zendesk_push.simulator.core import ZendeskState

_WINDOW: Final = 1.0  # seconds between two looks at the queue


class Simulation:
    """One container, called whenever messages are visible. A request takes no time, unless it hangs.

    Args:
        rate_limit: requests a minute and subdomain.
    """

    def __init__(
        self, accounts: Sequence[str], *, rate_limit: int = 100_000, settings: dict[str, str] | None = None
    ) -> None:
        self.clock = ManualClock()
        self.begun = self.clock()
        self.harness = Harness(accounts, clock=self.clock, settings=settings)
        self.zendesk = ZendeskState(clock=self.clock, rate_limit=rate_limit)
        for number, (key, token) in enumerate(self.harness.tokens.items()):
            self.zendesk.create_account(f"sub{number}", instance_push_id=key, token=token)
        self._container = self.harness.container(InMemoryZendeskClient(self.zendesk, self.clock.advance))
        self._source = InMemoryEventSource(self.harness.sqs, self.harness.content_url)
        self._queue = self.harness.sqs.queue(self.harness.content_url)
        self.receipts = 0
        self.delivered: dict[str, float] = {}  # seconds after the beginning, by body
        self._bodies: dict[str, str] = {}

    def send(self, sent: Sent) -> None:
        """Drop a message on the queue."""
        answer = self.harness.sqs.send_message(
            QueueUrl=self.harness.content_url, MessageBody=sent.body, MessageGroupId=sent.account
        )
        self._bodies[answer["MessageId"]] = sent.body

    def run(
        self, seconds: float, *, batch: int = 1_000, every_second: Callable[[], object] | None = None
    ) -> None:
        """Let so much time pass, or all messages be gone; ``every_second`` is called as often, if given."""
        end = self.clock() + seconds
        while self.clock() < end and (every_second or self._queue.messages()):
            if every_second:
                every_second()
            while event := self._source.receive(batch):
                self._invoke(event)
            change = self._queue.next_change_at()
            pause = _WINDOW
            if not every_second and change is not None:
                pause = max(_WINDOW, change - self.clock())
            self.clock.advance(min(pause, max(end - self.clock(), 0.001)))

    @property
    def dead(self) -> list[Any]:
        """The dead letters."""
        return self.harness.sqs.queue(self.harness.dead_url).messages()

    def _invoke(self, event: dict[str, Any]) -> None:
        self.receipts += len(event["Records"])
        dead = {letter.body for letter in self.dead}
        staying = self._container.run(event["Records"])
        failures = {"batchItemFailures": [{"itemIdentifier": each} for each in staying]}
        dead_now = {letter.body for letter in self.dead} - dead
        for message_id in self._source.settle(event, failures):
            body = self._bodies[message_id]
            if body not in dead_now:
                self.delivered[body] = self.clock() - self.begun

"""The event source mapping while invocations are under way: concurrency, stopping, messages that come twice."""

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from integration.local.conftest import SECONDS, ExampleStack
from zendesk_push.local.event_source import BatchOutcome, EventSourceMapping
from zendesk_push.local.event_wiring import EventSource
from zendesk_push.local.invocation import InvocationResult

DONE = InvocationResult("r", '{"batchItemFailures": []}')


class Function:
    """Takes invocations, and ends them when it is told to."""

    def __init__(self) -> None:
        self.begun: queue.Queue[int] = queue.Queue()
        self.may_end = threading.Semaphore(0)

    def __call__(self, event: Any) -> InvocationResult:
        self.begun.put(len(event["Records"]))
        self.may_end.acquire()
        return DONE


class Source:
    """A queue of its own with a mapping to a function of the test's."""

    def __init__(self, example: ExampleStack, name: str) -> None:
        self.sqs = example.stack.client("sqs")
        self.url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        self.function = Function()
        self.outcomes: queue.Queue[BatchOutcome] = queue.Queue()

    def mapping(self, *, drain_seconds: float = SECONDS, **settings: Any) -> EventSourceMapping:
        given = {"batch_size": 1, "window": 0, "concurrency": 2, "reports_failures": True, **settings}
        source = EventSource("Content", "arn:aws:sqs:us-east-1:123456789012:x", "Function", **given)
        return EventSourceMapping(
            source,
            self.sqs,
            self.url,
            self.function,
            on_outcome=self.outcomes.put,
            drain_seconds=drain_seconds,
        )

    def send(self, count: int) -> None:
        for number in range(count):
            self.sqs.send_message(QueueUrl=self.url, MessageBody=str(number))

    def counts(self) -> tuple[int, int]:
        """Messages that wait, and messages in flight."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return int(answer[names[0]]), int(answer[names[1]])


@pytest.fixture
def make_source(example: ExampleStack) -> Iterator[Callable[[str], Source]]:
    made: list[Source] = []

    def make(name: str) -> Source:
        made.append(Source(example, name))
        return made[-1]

    yield make
    for source in made:
        source.function.may_end.release(100)


def test_no_more_invocations_than_allowed_and_nothing_received_beyond_them(
    make_source: Callable[[str], Source],
) -> None:
    source = make_source("concurrency")
    source.send(5)
    mapping = source.mapping(concurrency=2)
    mapping.start()
    try:
        for _ in range(2):
            source.function.begun.get(timeout=SECONDS)
        source.function.may_end.release()
        first = source.outcomes.get(timeout=SECONDS)
        source.function.begun.get(timeout=SECONDS)  # the third took its place

        assert len(first.deleted) == 1
        assert source.function.begun.empty()
        assert source.counts() == (2, 2)
    finally:
        source.function.may_end.release(5)
        mapping.stop()


def test_a_window_ends_so_long_after_its_first_message_whatever_comes_meanwhile(
    make_source: Callable[[str], Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a steady trickle would keep the first message waiting until the batch is full."""
    source = make_source("window")
    mapping = source.mapping(batch_size=100, window=3)
    now = 0.0

    def trickle(params: dict[str, Any], **_: Any) -> None:
        nonlocal now
        if params["QueueUrl"] == source.url:
            now += 1
            source.send(1)

    monkeypatch.setattr("zendesk_push.local.event_source.time.monotonic", lambda: now)
    event = "before-parameter-build.sqs.ReceiveMessage"
    source.sqs.meta.events.register(event, trickle)
    source.function.may_end.release(100)
    try:
        mapping.start()
        size = source.function.begun.get(timeout=SECONDS)
    finally:
        source.sqs.meta.events.unregister(event, trickle)
        mapping.stop()

    assert 0 < size < 20


def test_stopping_waits_for_the_invocation_under_way(make_source: Callable[[str], Source]) -> None:
    source = make_source("drain")
    source.send(1)
    mapping = source.mapping()
    mapping.start()
    source.function.begun.get(timeout=SECONDS)
    stopping = threading.Thread(target=mapping.stop)
    stopping.start()

    assert stopping.is_alive()
    source.function.may_end.release()
    stopping.join(SECONDS)

    assert not stopping.is_alive()
    assert len(source.outcomes.get_nowait().deleted) == 1
    assert source.counts() == (0, 0)


def test_stopping_does_not_wait_for_ever_and_the_message_stays(make_source: Callable[[str], Source]) -> None:
    source = make_source("stuck")
    source.send(1)
    mapping = source.mapping(drain_seconds=0.01)
    mapping.start()
    source.function.begun.get(timeout=SECONDS)

    mapping.stop()

    assert source.outcomes.empty()
    assert source.counts() == (0, 1)


def test_a_mapping_without_reports_deletes_what_a_successful_function_had(
    make_source: Callable[[str], Source],
) -> None:
    source = make_source("no-reports")
    source.send(3)
    mapping = source.mapping(batch_size=10, reports_failures=False)
    source.function.may_end.release(3)
    mapping.start()
    try:
        deleted = 0
        while deleted < 3:
            deleted += len(source.outcomes.get(timeout=SECONDS).deleted)
    finally:
        mapping.stop()

    assert source.counts() == (0, 0)

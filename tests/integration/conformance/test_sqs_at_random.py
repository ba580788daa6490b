"""Random lives of a few messages, on the in-memory SQS and on moto side by side: every answer is the same.

Only what moto gets right takes part: receipts that are in flight, ten messages at most (which ones a smaller
receive picks is nobody's promise), retention left aside.
"""

import itertools
import json
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integration.conformance.worlds import SqsWorld
from zendesk_push.in_memory.clock import ManualClock
from zendesk_push.in_memory.sqs import InMemorySqs
from zendesk_push.in_memory.sqs_queue import MessageState

_names = itertools.count()

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.sampled_from([0, 3, 20])),
        st.tuples(st.just("receive"), st.sampled_from([None, 0, 2, 30])),
        st.tuples(st.just("change"), st.integers(0, 9), st.sampled_from([0, 1, 15, 43_000])),
        st.tuples(st.just("delete"), st.integers(0, 9)),
        st.tuples(st.just("advance"), st.sampled_from([0.5, 1, 2, 10, 45])),
    ),
    min_size=15,
    max_size=40,
)


class Pair:
    """The same queue, with a dead-letter queue behind it, on both sides."""

    def __init__(self, clock: ManualClock, other: SqsWorld) -> None:
        self.memory = InMemorySqs(clock)
        self.clock = clock
        self.sides = [SqsWorld("in_memory", self.memory.client, clock.advance), other]
        number = next(_names)
        self.dead = [side.create(f"dead-{number}") for side in self.sides]
        self.live = []
        for side, dead in zip(self.sides, self.dead, strict=True):
            arn = side.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"][
                "QueueArn"
            ]
            policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})
            self.live.append(side.create(f"live-{number}", VisibilityTimeout="5", RedrivePolicy=policy))
        self.sent = 0
        self.handles: dict[str, list[str]] = {}  # by body: one per side

    def on_both(self, work: Any) -> Any:
        one, other = (work(side, live) for side, live in zip(self.sides, self.live, strict=True))
        return one, other

    def send(self, delay: int) -> None:
        if self.sent == 10:
            return
        body = str(self.sent)
        self.sent += 1
        self.on_both(
            lambda side, live: side.sqs.send_message(QueueUrl=live, MessageBody=body, DelaySeconds=delay)
        )

    def receive(self, visibility: int | None) -> None:
        chosen = {} if visibility is None else {"VisibilityTimeout": visibility}
        one, other = self.on_both(lambda side, live: side.receive(live, **chosen))
        assert self._seen(one) == self._seen(other)
        for message in one:
            twin = next(each for each in other if each["Body"] == message["Body"])
            self.handles[message["Body"]] = [message["ReceiptHandle"], twin["ReceiptHandle"]]

    @staticmethod
    def _seen(messages: list[Any]) -> list[tuple[str, str, str]]:
        return sorted(
            (
                message["Body"],
                message["Attributes"]["ApproximateReceiveCount"],
                message["Attributes"]["SentTimestamp"],
            )
            for message in messages
        )

    def in_flight(self, number: int) -> list[str] | None:
        queue = self.memory.queue(self.live[0])
        bodies = sorted(
            message.body for message in queue.messages() if message.state is MessageState.IN_FLIGHT
        )
        return self.handles[bodies[number % len(bodies)]] if bodies else None

    def change(self, number: int, seconds: int) -> None:
        handles = self.in_flight(number)
        if handles is None:
            return
        for side, live, handle in zip(self.sides, self.live, handles, strict=True):
            answer = side.sqs.change_message_visibility_batch(
                QueueUrl=live,
                Entries=[{"Id": "a", "ReceiptHandle": handle, "VisibilityTimeout": seconds}],
            )
            assert [entry["Id"] for entry in answer["Successful"]] == ["a"]

    def delete(self, number: int) -> None:
        handles = self.in_flight(number)
        if handles is None:
            return
        for side, live, handle in zip(self.sides, self.live, handles, strict=True):
            side.sqs.delete_message(QueueUrl=live, ReceiptHandle=handle)

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def check(self) -> None:
        self.clock.advance(0.001)  # moto's time-outs end after their last millisecond
        one, other = self.on_both(lambda side, live: side.counts(live))
        assert one == other
        dead = [side.counts(url)[0] for side, url in zip(self.sides, self.dead, strict=True)]
        assert dead[0] == dead[1]


@pytest.fixture
def other_side(moto: None, monkeypatch: pytest.MonkeyPatch) -> tuple[ManualClock, SqsWorld]:
    clock = ManualClock()
    monkeypatch.setattr("moto.sqs.models.unix_time", clock)
    monkeypatch.setattr("moto.sqs.models.unix_time_millis", lambda: clock() * 1000)
    return clock, SqsWorld("moto", boto3.client("sqs", region_name="us-east-1"), clock.advance)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
def test_both_tell_the_same_story(other_side: tuple[ManualClock, SqsWorld], steps: list[Any]) -> None:
    pair = Pair(*other_side)
    for name, *arguments in steps:
        getattr(pair, name)(*arguments)
        pair.check()

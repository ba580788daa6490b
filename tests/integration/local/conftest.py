"""The local stack, around an example template of the tests' own."""

import queue
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from zendesk_push.local.stack import LocalStack

if TYPE_CHECKING:
    from zendesk_push.local.event_source import BatchOutcome

EXAMPLE = Path(__file__).parent / "example" / "template.yaml"
SECONDS = 30  # to wait for what has to happen


@dataclass
class ExampleStack:
    """The running example stack; ``outcomes`` are those of the event source mapping, as they come."""

    stack: LocalStack
    outcomes: "queue.Queue[BatchOutcome]"
    seen: list["BatchOutcome"]

    def outcome_of(self, message_ids: set[str]) -> tuple[set[str], set[str]]:
        """Which of these messages were deleted and which left, once all of them were with the function."""
        deleted: set[str] = set()
        left: set[str] = set()
        while not message_ids <= deleted | left:
            outcome = self.outcomes.get(timeout=SECONDS)
            deleted |= outcome.deleted & message_ids
            left |= outcome.left & message_ids
        return deleted, left

    def send(self, *bodies: str, **arguments: Any) -> list[str]:
        """Drop messages on the queue; returns their ids."""
        sqs = self.stack.client("sqs")
        return [
            sqs.send_message(QueueUrl=self.stack.queue_url, MessageBody=body, **arguments)["MessageId"]
            for body in bodies
        ]


@pytest.fixture(scope="session")
def running_example() -> Iterator[ExampleStack]:
    outcomes: queue.Queue[BatchOutcome] = queue.Queue()
    seen: list[BatchOutcome] = []

    def note(outcome: "BatchOutcome") -> None:
        seen.append(outcome)
        outcomes.put(outcome)

    with LocalStack(template=EXAMPLE, on_outcome=note) as stack:
        yield ExampleStack(stack, outcomes, seen)


@pytest.fixture
def example(running_example: ExampleStack) -> Iterator[ExampleStack]:
    yield running_example
    sqs = running_example.stack.client("sqs")
    for outcome in running_example.seen:
        for record in outcome.records:
            if record["messageId"] in outcome.left:
                sqs.delete_message(
                    QueueUrl=running_example.stack.queue_url, ReceiptHandle=record["receiptHandle"]
                )
    running_example.seen.clear()

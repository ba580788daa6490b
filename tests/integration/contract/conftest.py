"""The whole local stack with a connected account, which is asked what docs/contract and examples promise."""

import queue
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from zendesk_push.local.stack import LocalStack
from zendesk_push.simulator.admin_center import ConnectedAccount, connect_account

if TYPE_CHECKING:
    from zendesk_push.local.event_source import BatchOutcome

SECONDS = 60  # to wait for what has to happen


@dataclass
class ContractStack:
    """The running stack; ``outcomes`` are those of the event source mapping, as they come."""

    stack: LocalStack
    account: ConnectedAccount
    outcomes: "queue.Queue[BatchOutcome]"
    deleted: set[str] = field(default_factory=set)

    def deliver(self, *bodies: str) -> None:
        """Drop messages one after the other, each once the one before it has left the queue."""
        for body in bodies:
            sent = self.stack.client("sqs").send_message(QueueUrl=self.stack.queue_url, MessageBody=body)
            while sent["MessageId"] not in self.deleted:
                self.deleted |= self.outcomes.get(timeout=SECONDS).deleted

    def received(self, queue_url: str) -> dict[str, Any]:
        """One message of a queue, with its attributes, taken off it."""
        sqs = self.stack.client("sqs")
        answer = sqs.receive_message(
            QueueUrl=queue_url, WaitTimeSeconds=20, MessageAttributeNames=["All"], AttributeNames=["All"]
        )
        (message,) = answer["Messages"]
        sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
        return dict(message)


@pytest.fixture(scope="module")
def contract_stack() -> Iterator[ContractStack]:
    outcomes: queue.Queue[BatchOutcome] = queue.Queue()
    parameters = {"BatchingWindowSeconds": "1", "Replies": "enabled"}
    with LocalStack(parameters=parameters, on_outcome=outcomes.put) as stack:
        yield ContractStack(stack, connect_account(stack.zendesk_url, "acme", "Acme"), outcomes)

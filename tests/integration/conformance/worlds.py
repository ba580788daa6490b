"""The two implementations that must agree, each with a clock that the test moves."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@dataclass
class SqsWorld:
    """One implementation of SQS. ``advance`` takes seconds."""

    name: str
    sqs: "SQSClient"
    advance: Callable[[float], None]

    def create(self, name: str = "queue", **attributes: str) -> str:
        """A queue's URL."""
        chosen: Any = attributes
        return self.sqs.create_queue(QueueName=name, Attributes=chosen)["QueueUrl"]

    def receive(self, url: str, limit: int = 10, **more: Any) -> list[Any]:
        """What a receive brings now, with every attribute."""
        answer = self.sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=limit,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
            WaitTimeSeconds=0,
            **more,
        )
        messages: list[Any] = list(answer.get("Messages", []))
        return messages

    def bodies(self, url: str) -> list[str]:
        """The bodies that a receive brings now, sorted."""
        return sorted(message["Body"] for message in self.receive(url))

    def counts(self, url: str) -> tuple[int, int, int]:
        """Visible, in flight, delayed."""
        answer: Any = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        prefix = "ApproximateNumberOfMessages"
        return int(answer[prefix]), int(answer[f"{prefix}NotVisible"]), int(answer[f"{prefix}Delayed"])

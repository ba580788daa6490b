"""The queue that upstream systems read replies from."""

from typing import TYPE_CHECKING, Final

from botocore.config import Config

from admin_callback.replies.reply import Reply
from zendesk_channel.aws import store_errors

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# Seconds. Two attempts take 9 s at most, which is less than a claim lasts (reply_log.py). The second is for a
# connection that SQS has closed meanwhile; whoever wants more repeats the request.
CLIENT_CONFIG: Final = Config(
    connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2}
)


class RepliesQueue:
    """Sends one reply at a time."""

    def __init__(self, sqs: "SQSClient", queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def send(self, reply: Reply) -> None:
        """Put it on the queue.

        Raises:
            StoreUnavailableError: SQS did not say that it took it. It may have.
        """
        with store_errors("SendMessage"):
            self._sqs.send_message(
                QueueUrl=self._queue_url, MessageBody=reply.body, MessageGroupId=reply.group_id
            )

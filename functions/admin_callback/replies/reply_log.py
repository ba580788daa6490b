"""Which replies are on the queue already: one item per reply in the one table, for a day.

A request *claims* its reply before it sends, and notes afterwards that it has sent. So of two requests for one reply
that come at the same time, one sends and the other waits for it; and when the first is killed in between, its claim
runs out and the other sends: twice, perhaps, but never not at all.
"""

import enum
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from zendesk_channel.accounts import attribute, conditional_update
from zendesk_channel.aws import error_code, store_errors

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

CLAIM_SECONDS: Final = 12.0  # longer than sending can take
REMEMBERED_SECONDS: Final = 24 * 3600
_PREFIX: Final = "reply#"


class Claim(enum.Enum):
    """What is known of a reply."""

    OURS = "ours"  # to be sent
    SENT = "sent"  # on the queue already
    BUSY = "busy"  # somebody else is sending it, or was killed doing so


class ReplyLog:
    """The reply items of the one table. A method raises StoreUnavailableError if AWS fails."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def claim(self, external_id: str, now: float) -> Claim:
        """Claim the reply for CLAIM_SECONDS from ``now`` (epoch seconds), if nobody has."""
        # An item that has expired counts as none: DynamoDB deletes late.
        condition = (
            "attribute_not_exists(pk) OR expires_at <= :now"
            " OR (attribute_not_exists(sent_at) AND claimed_until <= :now)"
        )
        with store_errors("PutItem"):
            try:
                self._dynamodb.put_item(
                    TableName=self._table,
                    Item={
                        **_key(external_id),
                        "claimed_until": attribute(now + CLAIM_SECONDS),
                        "expires_at": attribute(int(now) + REMEMBERED_SECONDS + 1),
                    },
                    ConditionExpression=condition,
                    ExpressionAttributeValues={":now": attribute(now)},
                )
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
            else:
                return Claim.OURS
        with store_errors("GetItem"):
            answer = self._dynamodb.get_item(
                TableName=self._table, Key=_key(external_id), ConsistentRead=True
            )
        return Claim.SENT if "sent_at" in answer.get("Item", {}) else Claim.BUSY

    def note_sent(self, external_id: str, now: float) -> None:
        """Remember that it is on the queue."""
        self._update(external_id, "SET sent_at = :now", "attribute_exists(pk)", {":now": now})

    def give_up(self, external_id: str, claimed_at: float) -> None:
        """End the claim of that moment, so that a repeat need not wait for its end."""
        self._update(
            external_id,
            "SET claimed_until = :none",
            "claimed_until = :mine AND attribute_not_exists(sent_at)",
            {":none": 0, ":mine": claimed_at + CLAIM_SECONDS},
        )

    def _update(self, external_id: str, expression: str, condition: str, values: dict[str, Any]) -> None:
        conditional_update(self._dynamodb, self._table, _key(external_id), expression, condition, values)


def _key(external_id: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": f"{_PREFIX}{external_id}"}}

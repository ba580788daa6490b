"""A reply as upstream systems find it on the queue. Pure; its form is described in docs/replies.md."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from admin_callback.http.channelback_form import Channelback
from zendesk_channel.accounts import Account
from zendesk_channel.contract import InstancePushId

_VERSION: Final = 1
_ID_DIGITS: Final = 32
_MAX_GROUP_ID: Final = 128  # characters, SQS's limit


@dataclass(frozen=True)
class Reply:
    """``external_id`` is its id at the origin, under which later content names it as its parent."""

    external_id: str
    instance_push_id: InstancePushId
    body: str = field(repr=False)

    @property
    def group_id(self) -> str:
        """SQS's fair queues tell tenants apart by it. An account's id may be longer than SQS allows."""
        if len(self.instance_push_id) <= _MAX_GROUP_ID:
            return self.instance_push_id
        return hashlib.sha256(self.instance_push_id.encode()).hexdigest()


def reply_of(channelback: Channelback, account: Account, received_at: float) -> Reply:
    """The reply that an account's channelback is; ``received_at`` in epoch seconds."""
    external_id = _external_id(account.instance_push_id, channelback)
    body = {
        "v": _VERSION,
        "instance_push_id": account.instance_push_id,
        "subdomain": account.subdomain,
        "external_id": external_id,
        "message": channelback.message,
        "parent_id": channelback.parent_id,
        "thread_id": channelback.thread_id,
        "recipient_id": channelback.recipient_id,
        "request_unique_identifier": channelback.request_unique_identifier,
        "received_at": datetime.fromtimestamp(received_at, UTC).isoformat(timespec="milliseconds"),
    }
    # ASCII: a message may hold characters that SQS does not take, and escaped it takes all of them. The longest one
    # has room, too: 65,535 emoji become 786,420 bytes of 1 MiB.
    return Reply(external_id, account.instance_push_id, json.dumps(body, separators=(",", ":")))


def _external_id(instance_push_id: InstancePushId, channelback: Channelback) -> str:
    """The same for a repeat. Without Zendesk's own identifier, two answers are told apart by everything they say."""
    request = channelback.request_unique_identifier or json.dumps(sorted(channelback.pairs))
    # No account's id holds a line break, so that no two accounts and requests look alike.
    digest = hashlib.sha256(f"{instance_push_id}\n{request}".encode()).hexdigest()
    return f"reply-{digest[:_ID_DIGITS]}"

"""What one POST to Zendesk holds, as text: resources go out as they were dropped. Pure."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from push_content.messages.message import Message, Resource
from zendesk_channel.contract import InstancePushId


@dataclass(frozen=True)
class Part:
    """The resources ``start`` to ``stop`` of a message: all of them, unless it alone is larger than a request."""

    message: Message
    start: int
    stop: int

    @property
    def resources(self) -> tuple[Resource, ...]:
        """What of the message goes into this request."""
        return self.message.resources[self.start : self.stop]

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True)
class PushRequest:
    """What one POST to Zendesk holds: parts of one or more messages that share account and request id."""

    parts: tuple[Part, ...]

    @property
    def first(self) -> Message:
        """The first message: what all of them share can be read from it."""
        return self.parts[0].message

    @property
    def resources(self) -> list[tuple[Part, int, Resource]]:
        """Every resource in the request's order, with its part and its index in its own message."""
        return [
            (part, part.start + offset, resource)
            for part in self.parts
            for offset, resource in enumerate(part.resources)
        ]

    def body(self) -> bytes:
        """The JSON to POST. Nothing in a resource is decoded or encoded on the way."""
        head = '{"instance_push_id":' + json.dumps(self.first.instance_push_id)
        if self.first.request_id is not None:
            head += ',"request_id":' + json.dumps(self.first.request_id)
        resources = [resource.raw for part in self.parts for resource in part.resources]
        # Megabytes: put together once.
        resources[0] = head + ',"external_resources":[' + resources[0]
        resources[-1] += "]}"
        # A lone surrogate has no UTF-8; backslashreplace writes what JSON calls the same character.
        return ",".join(resources).encode("utf-8", "backslashreplace")

    def __len__(self) -> int:
        return sum(len(part) for part in self.parts)


def by_account(messages: Iterable[Message]) -> dict[InstancePushId, list[Message]]:
    """Messages of each account, accounts in the order given, messages as they arrived on the queue.

    Lambda's batch is put together from several receives, each in an order of its own.
    """
    accounts: dict[InstancePushId, list[Message]] = {}
    for message in messages:
        accounts.setdefault(message.instance_push_id, []).append(message)
    for own in accounts.values():
        own.sort(key=lambda message: message.record.sent_at or 0.0)
    return accounts

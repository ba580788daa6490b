"""Which messages go to Zendesk together, and in which order. Pure: from messages to requests."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from push_content.message import Message, Resource
from push_content.ordering import stable_order
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
    """What one POST to Zendesk holds: parts of one or more messages that share account, request id and extras."""

    parts: tuple[Part, ...]

    @property
    def first(self) -> Message:
        """The message to read from what all of them share."""
        return self.parts[0].message

    @property
    def resources(self) -> list[tuple[Part, int, Resource]]:
        """Every resource in the request's order, with its part and its index in its own message."""
        return [
            (part, part.start + offset, resource)
            for part in self.parts
            for offset, resource in enumerate(part.resources)
        ]

    def __len__(self) -> int:
        return sum(len(part) for part in self.parts)


def by_account(messages: Iterable[Message]) -> dict[InstancePushId, list[Message]]:
    """Messages of each account, accounts and messages as they arrived."""
    accounts: dict[InstancePushId, list[Message]] = {}
    for message in messages:
        accounts.setdefault(message.instance_push_id, []).append(message)
    return accounts


def coalesce(messages: Sequence[Message], limit: int) -> list[PushRequest]:
    """The requests, in order, for one account's messages in the order of their arrival.

    ``limit`` is the most resources a request may hold. A message is in one request, unless it alone is
    larger. A reply's message comes after its parent's within a request, and its request after the parent's
    where one order of requests can do that for all; what is in a cycle keeps the order of arrival.
    """
    groups: dict[Any, list[Message]] = {}
    for message in replies_after_parents(messages):
        groups.setdefault((message.request_id, message.extras), []).append(message)
    ordered = list(groups.values())
    if len(ordered) > 1:
        order = stable_order(len(ordered), _edges([[*group] for group in ordered]))
        ordered = [ordered[index] for index in order]
    return [PushRequest(parts) for group in ordered for parts in _fill(group, limit)]


def replies_after_parents(messages: Sequence[Message]) -> list[Message]:
    """Whole messages, sorted so that a reply's comes after that of its parent, and otherwise as they are."""
    edges = _edges([[message] for message in messages])
    if not edges:
        return list(messages)
    return [messages[index] for index in stable_order(len(messages), edges)]


def _edges(groups: Sequence[Sequence[Message]]) -> list[tuple[int, int]]:
    """(parent's, reply's) indices. Of several resources with one external_id the first to arrive is the parent."""
    holder: dict[str, int] = {}
    for index, group in enumerate(groups):
        for message in group:
            for resource in message.resources:
                if resource.external_id is not None:
                    holder.setdefault(resource.external_id, index)
    return [
        (holder[resource.parent_id], index)
        for index, group in enumerate(groups)
        for message in group
        for resource in message.resources
        if resource.parent_id is not None and holder.get(resource.parent_id, index) != index
    ]


def _fill(messages: Iterable[Message], limit: int) -> Iterator[tuple[Part, ...]]:
    parts: list[Part] = []
    room = limit
    for message in messages:
        size = len(message.resources)
        if size > room and parts:
            yield tuple(parts)
            parts, room = [], limit
        start = 0
        while size - start > limit:
            yield (Part(message, start, start + limit),)
            start += limit
        parts.append(Part(message, start, size))
        room -= size - start
    if parts:
        yield tuple(parts)

"""Which messages go to Zendesk together, and in which order. Pure: from messages to requests."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from push_content.messages.message import Message, Resource
from push_content.requests.conversation_order import cycles, stable_order
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
    """Messages of each account, accounts in the order given, messages as they arrived on the queue.

    Lambda's batch is put together from several receives, each in an order of its own.
    """
    accounts: dict[InstancePushId, list[Message]] = {}
    for message in messages:
        accounts.setdefault(message.instance_push_id, []).append(message)
    for own in accounts.values():
        own.sort(key=lambda message: message.receipt.sent_at or 0.0)
    return accounts


def coalesce(messages: Sequence[Message], limit: int) -> list[PushRequest]:
    """The requests, in order, for one account's messages in the order of their arrival.

    ``limit`` is the most resources a request may hold. A message is in one request, unless it alone is
    larger. A reply's message comes after its parent's; what is in a cycle keeps the order of arrival.
    """
    ordered, edges = _sorted(messages)
    turns = _turns(ordered, edges)
    groups: list[list[Message]] = [[] for _ in range(max(turns, default=-1) + 1)]
    for message, turn in zip(ordered, turns, strict=True):
        groups[turn].append(message)
    order = stable_order(len(groups), {(turns[parent], turns[reply]) for parent, reply in edges})
    return [PushRequest(parts) for turn in order for parts in _fill(groups[turn], limit)]


def replies_after_parents(messages: Sequence[Message]) -> list[Message]:
    """Whole messages, sorted so that a reply's comes after that of its parent, and otherwise as they are."""
    return _sorted(messages)[0]


def _sorted(messages: Sequence[Message]) -> tuple[list[Message], list[tuple[int, int]]]:
    """Messages, replies after parents, and the (parent's, reply's) indices there; without those of cycles."""
    edges = _edges(messages)
    if not edges:
        return list(messages), []
    order = stable_order(len(messages), edges)
    place = {index: number for number, index in enumerate(order)}
    moved = [(place[parent], place[reply]) for parent, reply in edges]
    return [messages[index] for index in order], [edge for edge in moved if edge[0] < edge[1]]


def _edges(messages: Sequence[Message]) -> list[tuple[int, int]]:
    """(parent's, reply's) indices. Of several resources with one external_id the first to arrive is the parent."""
    holder: dict[str, int] = {}
    for index, message in enumerate(messages):
        for resource in message.resources:
            if resource.external_id is not None:
                holder.setdefault(resource.external_id, index)
    return [
        (holder[resource.parent_id], index)
        for index, message in enumerate(messages)
        for resource in message.resources
        if resource.parent_id is not None and holder.get(resource.parent_id, index) != index
    ]


def _turns(messages: Sequence[Message], edges: Sequence[tuple[int, int]]) -> list[int]:
    """For each message the number of those that it may share requests with.

    Messages may if they are alike in request id and extras. Where such groups have replies to each other, they
    take turns: together, one of them would go out before what it replies to, only to come back.
    """
    kinds: dict[Any, int] = {}
    kind = [kinds.setdefault((each.request_id, each.extras), len(kinds)) for each in messages]
    circle = cycles(len(kinds), {(kind[parent], kind[reply]) for parent, reply in edges})
    parents: list[list[int]] = [[] for _ in messages]
    for parent, reply in edges:
        if circle[kind[parent]] == circle[kind[reply]]:
            parents[reply].append(parent)
    latest = [0] * len(kinds)  # each kind's turn so far, which only grows: a kind keeps its order
    turn: list[tuple[int, int]] = []
    for own, before in zip(kind, parents, strict=True):
        latest[own] = max([latest[own], *(turn[each][1] + (kind[each] != own) for each in before)])
        turn.append((own, latest[own]))
    numbers: dict[tuple[int, int], int] = {}
    return [numbers.setdefault(each, len(numbers)) for each in turn]


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

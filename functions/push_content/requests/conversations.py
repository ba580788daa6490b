"""Which of an account's messages come before which, and which share requests. Pure.

Two messages are in one conversation if one replies to the other, or if both are in one thread. What is behind
in a conversation must not reach Zendesk before what is before it.
"""

from collections.abc import Collection, Iterable, Sequence

from push_content.messages.message import Message
from push_content.requests.conversation_order import cycles, stable_order


class Conversations:
    """The conversations among an account's messages, which are given in the order of their arrival."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self._messages = messages
        self._edges = _edges(messages)
        self._places = {message.id: place for place, message in enumerate(messages)} if self._edges else {}
        self._followers: dict[int, list[int]] = {}
        for before, after in self._edges:
            self._followers.setdefault(before, []).append(after)

    def behind(self, message_ids: Iterable[str]) -> set[str]:
        """The ids of all messages behind these, however far; of these themselves only what is behind another."""
        if not self._edges:
            return set()
        found: set[int] = set()
        waiting = [self._places[key] for key in message_ids if key in self._places]
        while waiting:
            for after in self._followers.get(waiting.pop(), ()):
                if after not in found:
                    found.add(after)
                    waiting.append(after)
        return {self._messages[place].id for place in found}

    def groups(self, chosen: Collection[str], *, least_received_first: bool = False) -> list[list[Message]]:
        """The chosen messages in the order in which they go out, those together that may share requests.

        That is the order of arrival, or with ``least_received_first`` that of their receive counts; what is behind
        in a conversation comes later in both. Messages share requests if they have the same request_id.
        Where such groups are behind each other, they take turns: together, a reply would go out before its parent.
        """
        if not chosen:
            return []
        if not self._edges and not least_received_first:
            kinds: dict[str | None, list[Message]] = {}
            for message in self._messages:
                if message.id in chosen:
                    kinds.setdefault(message.request_id, []).append(message)
            return list(kinds.values())
        places = [place for place, message in enumerate(self._messages) if message.id in chosen]
        if least_received_first:
            places.sort(key=lambda place: self._messages[place].record.receive_count)
        messages, edges = self._ordered(places)
        turns = _turns(messages, edges)
        groups: list[list[Message]] = [[] for _ in range(max(turns, default=-1) + 1)]
        for message, turn in zip(messages, turns, strict=True):
            groups[turn].append(message)
        order = stable_order(len(groups), {(turns[before], turns[after]) for before, after in edges})
        return [groups[turn] for turn in order]

    def _ordered(self, places: Sequence[int]) -> tuple[list[Message], list[tuple[int, int]]]:
        """The messages at these places, sorted, and the (before, after) indices among them; without those of cycles."""
        at = {place: index for index, place in enumerate(places)}
        edges = [(at[a], at[b]) for a, b in self._edges if a in at and b in at]
        if not edges:
            return [self._messages[place] for place in places], []
        order = stable_order(len(places), edges)
        moved_to = {index: number for number, index in enumerate(order)}
        moved = [(moved_to[before], moved_to[after]) for before, after in edges]
        return [self._messages[places[index]] for index in order], [
            edge for edge in moved if edge[0] < edge[1]
        ]


def _edges(messages: Sequence[Message]) -> list[tuple[int, int]]:
    """(before, after): parents and replies, and neighbours in a thread.

    Of several resources with one external_id the first to arrive is the parent.
    """
    holder: dict[str, int] = {}
    latest: dict[str, int] = {}  # of each thread
    edges: list[tuple[int, int]] = []
    replies: list[tuple[str, int]] = []
    for place, message in enumerate(messages):
        for resource in message.resources:
            if resource.external_id is not None:
                holder.setdefault(resource.external_id, place)
            if resource.parent_id is not None:
                replies.append((resource.parent_id, place))
            if resource.thread_id is not None:
                before = latest.get(resource.thread_id, place)
                latest[resource.thread_id] = place
                if before != place:
                    edges.append((before, place))
    edges += [(holder[parent], place) for parent, place in replies if holder.get(parent, place) != place]
    return edges


def _turns(messages: Sequence[Message], edges: Sequence[tuple[int, int]]) -> list[int]:
    """For each message the number of those that it may share requests with."""
    kinds: dict[str | None, int] = {}
    kind = [kinds.setdefault(each.request_id, len(kinds)) for each in messages]
    circle = cycles(len(kinds), {(kind[before], kind[after]) for before, after in edges})
    earlier: list[list[int]] = [[] for _ in messages]
    for before, after in edges:
        if circle[kind[before]] == circle[kind[after]]:
            earlier[after].append(before)
    latest = [0] * len(kinds)  # each kind's turn so far, which only grows: a kind keeps its order
    turn: list[tuple[int, int]] = []
    for own, before_it in zip(kind, earlier, strict=True):
        latest[own] = max([latest[own], *(turn[each][1] + (kind[each] != own) for each in before_it)])
        turn.append((own, latest[own]))
    numbers: dict[tuple[int, int], int] = {}
    return [numbers.setdefault(each, len(numbers)) for each in turn]

"""What of an account is still to be sent, cut into requests one at a time. Pure."""

from collections import deque
from collections.abc import Collection, Container, Sequence

from push_content.messages.message import Message
from push_content.requests.conversations import Conversations
from push_content.requests.push_request import Part, PushRequest


class RequestQueue:
    """One account's messages, in the order in which they go out.

    Args:
        messages: in the order of their arrival.
        largest: a message of more resources is split.
        last: ids of messages that go last, each in a request of its own, and what is behind them after that.
        least_received_first: see ``Conversations.groups``.
    """

    def __init__(
        self,
        messages: Sequence[Message],
        largest: int,
        *,
        last: Collection[str] = (),
        least_received_first: bool = False,
    ) -> None:
        self._largest = largest
        self.conversations = Conversations(messages)
        first, behind = {message.id for message in messages}, set[str]()
        self.alone: set[str] = set()
        if last:
            behind = self.conversations.behind(last)
            self.alone = first & set(last) - behind
            first -= self.alone | behind
        groups = self.conversations.groups(first, least_received_first=least_received_first)
        if last:
            late = self.conversations.groups(self.alone, least_received_first=True)
            groups += [[message] for group in late for message in group]
            groups += self.conversations.groups(behind, least_received_first=least_received_first)
        self._groups = deque(
            deque(Part(message, 0, len(message.resources)) for message in group) for group in groups
        )
        self._pieces: deque[PushRequest] = deque()
        self._piece: PushRequest | None = None  # if that was the last request

    @property
    def empty(self) -> bool:
        """Nothing is left to be sent, whatever has been decided."""
        return not self._pieces and not any(self._groups)

    def next(self, limit: int, decided: Container[str]) -> PushRequest | None:
        """The next request of at most ``limit`` resources; a message that alone has more is not split for it.

        Messages that are ``decided`` are left out. None: nothing is left to be sent.
        """
        self._piece = None
        while self._pieces:
            parts = tuple(part for part in self._pieces.popleft().parts if part.message.id not in decided)
            if parts:
                self._piece = PushRequest(parts)
                return self._piece
        while self._groups:
            parts = self._cut(self._groups[0], limit, decided)
            if parts:
                return PushRequest(parts)
            self._groups.popleft()
        return None

    def put_back(self, parts: Sequence[Part]) -> None:
        """What is left of the last request goes out again, together with what comes behind it.

        A half of another request stays by itself, and all of it is halved once more: the limit does not cut it.
        """
        if self._piece is not None and tuple(parts) == self._piece.parts and len(parts) > 1:
            self.put_back_halves(parts)
        elif self._pieces:
            self._pieces.appendleft(PushRequest(tuple(parts)))
        elif parts:
            self._groups[0].extendleft(reversed(parts))

    def put_back_halves(self, parts: Sequence[Part]) -> None:
        """The last request goes out again in two halves, and nothing is added."""
        middle = len(parts) // 2
        self._pieces.appendleft(PushRequest(tuple(parts[middle:])))
        self._pieces.appendleft(PushRequest(tuple(parts[:middle])))

    def _cut(self, group: deque[Part], limit: int, decided: Container[str]) -> tuple[Part, ...]:
        parts: list[Part] = []
        room = limit
        while group:
            part = group[0]
            if part.message.id in decided:
                group.popleft()
                continue
            if parts and len(part) > room:
                break
            group.popleft()
            if len(part) > self._largest:
                middle = part.start + self._largest
                group.appendleft(Part(part.message, middle, part.stop))
                return (Part(part.message, part.start, middle),)
            parts.append(part)
            room -= len(part)
        return tuple(parts)

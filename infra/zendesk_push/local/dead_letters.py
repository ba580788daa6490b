"""Why messages were dead-lettered, read without touching the queue: AWS can't, the queue on this machine can."""

import threading
from typing import Final
from urllib.parse import urlencode

import urllib3

from zendesk_push.dead_letters.dead_letter import ReceivedDeadLetter, received_dead_letter
from zendesk_push.local.sqs_service import PEEK_PATH

_MOST_KEPT: Final = 50_000
_SECONDS: Final = 30


class DeadLetterPeek:
    """Finds dead letters by the ids that their messages had on the content queue; each look brings what is new.

    Args:
        endpoint_url: of the local AWS.
        queue_url: the dead-letter queue's.
    """

    def __init__(self, endpoint_url: str, queue_url: str) -> None:
        self._address = f"{endpoint_url}{PEEK_PATH}"
        self._queue_url = queue_url
        self._pool = urllib3.PoolManager(timeout=_SECONDS, retries=False)
        self._lock = threading.Lock()
        self._seen = 0
        self._found: dict[str, ReceivedDeadLetter] = {}

    def of(self, message_ids: frozenset[str]) -> dict[str, ReceivedDeadLetter]:
        """The newest dead letters of those messages, as far as there are any (they may have been redriven since)."""
        with self._lock:
            self._look()
            return {one: self._found[one] for one in message_ids if one in self._found}

    def _look(self) -> None:
        query = urlencode({"QueueUrl": self._queue_url, "After": self._seen})
        answer = self._pool.request("GET", f"{self._address}?{query}").json()
        self._seen = answer["Last"]
        for message in answer["Messages"]:
            letter = received_dead_letter(message)
            self._found.pop(letter.source_message_id, None)
            self._found[letter.source_message_id] = letter
        while len(self._found) > _MOST_KEPT:
            del self._found[next(iter(self._found))]

"""What a container remembers from one invocation to the next."""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from push_content.outcomes.outcome import ErrorCode
from zendesk_channel.contract import InstancePushId

_REMEMBERED: Final = 20_000  # messages, and accounts: some megabytes


class PushHistory:
    """Which messages failed by themselves, and which accounts worked when last seen. Thread-safe."""

    def __init__(self) -> None:
        self._failed: OrderedDict[str, ErrorCode] = OrderedDict()
        self._working: OrderedDict[InstancePushId, None] = OrderedDict()
        self._troubled: OrderedDict[InstancePushId, float] = (
            OrderedDict()
        )  # when one of its messages failed last
        self._lock = threading.Lock()

    def failed_by_itself(self, message_id: str, reason: ErrorCode) -> None:
        """A message failed, and no other can be blamed for it."""
        with self._lock:
            self._failed[message_id] = reason
            self._failed.move_to_end(message_id)
            if len(self._failed) > _REMEMBERED:
                self._failed.popitem(last=False)

    def ended(self, message_id: str) -> None:
        """A message will not come again."""
        with self._lock:
            self._failed.pop(message_id, None)

    def failures(self, message_ids: Iterable[str]) -> dict[str, ErrorCode]:
        """Those of the messages that failed by themselves, with the reason."""
        with self._lock:
            return {key: self._failed[key] for key in message_ids if key in self._failed}

    def works(self, instance_push_id: InstancePushId, works: bool) -> None:
        """Zendesk has taken something for an account, or the account has failed."""
        with self._lock:
            self._working.pop(instance_push_id, None)
            if works:
                self._working[instance_push_id] = None
                if len(self._working) > _REMEMBERED:
                    self._working.popitem(last=False)

    def worked_last(self, instance_push_id: InstancePushId) -> bool:
        """Zendesk took something for the account, and it has not failed since."""
        with self._lock:
            return instance_push_id in self._working

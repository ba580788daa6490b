"""The event callbacks that Zendesk sends to an integration, as values. ``event_sender`` delivers them.

Events carry no instance_push_id: only the metadata that the integration handed over.
Source: Zendesk's event callback documentation and the event_callback_* schemas of any_channel_json_schemas.
"""

from __future__ import annotations

import datetime
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_EVENTS = 10_000

Event = dict[str, Any]


class Events:
    """The last MAX_EVENTS events; ``listener`` is told of each as it happens and must not block."""

    def __init__(self) -> None:
        self.log: deque[Event] = deque(maxlen=MAX_EVENTS)
        self.listener: Callable[[Event], None] | None = None
        self.integration_name = "Integration"
        self.integration_id = "integration"

    def add(self, type_id: str, subdomain: str, now: float, data: dict[str, Any]) -> None:
        event = {
            "type_id": type_id,
            "timestamp": timestamp(now),
            "subdomain": subdomain,
            "integration_name": self.integration_name,
            "integration_id": self.integration_id,
            "data": data,
        }
        self.log.append(event)
        if self.listener is not None:
            self.listener(event)


def timestamp(now: float) -> str:
    """Whole seconds, as in Zendesk's examples: two events of one second look simultaneous."""
    return datetime.datetime.fromtimestamp(int(now), datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

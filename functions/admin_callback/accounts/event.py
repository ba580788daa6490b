"""An event of Zendesk's, as far as it is understood. Until its metadata says otherwise, a stranger sent it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

CREATED: Final = "create_integration_instance"
ACTIVATED: Final = "activate_integration_instance"
DEACTIVATED: Final = "deactivate_integration_instance"
DESTROYED: Final = "destroy_integration_instance"
INTEGRATION_DESTROYED: Final = "destroy_integration"
RESOURCES_CREATED: Final = "resources_created_from_external_ids"
ACCOUNT_EVENTS: Final = frozenset({CREATED, ACTIVATED, DEACTIVATED, DESTROYED})


@dataclass(frozen=True)
class Event:
    """One event. ``timestamp`` in epoch seconds, to the millisecond, now at most; ``metadata`` may be empty."""

    type_id: str
    timestamp: float
    subdomain: str
    metadata: str = field(repr=False)
    data: Mapping[str, Any] = field(repr=False)

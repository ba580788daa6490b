"""What can be told of a message's body for people, whatever it holds: whose it is and what is in it."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class MessageFacts:
    """The account (None: the body names none) and the external ids of the resources, in the message's order."""

    account: str | None = None
    external_ids: tuple[str, ...] = ()


def message_facts(body: str) -> MessageFacts:
    """The facts of a body, as far as it has any; a body that is not a message has none."""
    try:
        message: Any = json.loads(body, parse_int=float)  # int() refuses more than 4,300 digits
    except (ValueError, RecursionError):
        return MessageFacts()
    if not isinstance(message, dict):
        return MessageFacts()
    account, resources = message.get("instance_push_id"), message.get("external_resources")
    ids = (
        resource.get("external_id")
        for resource in (resources if isinstance(resources, list) else ())
        if isinstance(resource, dict)
    )
    return MessageFacts(
        account if isinstance(account, str) and account else None,
        tuple(one for one in ids if isinstance(one, str)),
    )

"""The form that Zendesk posts when an agent answers, checked field by field. That says nothing yet of who sent it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from admin_callback.http.form import (
    MAX_FORM_BYTES,
    FormError,
    Pairs,
    check_characters,
    check_repeats,
    optional,
    read_pairs,
)
from zendesk_channel.contract import MAX_METADATA

MAX_MESSAGE: Final = 65_535  # characters
# Percent-encoding makes twelve bytes of an emoji, so the longest message that an agent can write is larger than a
# form may otherwise be. What it says is held to the same limit.
_MAX_ENCODED_BYTES: Final = 1024 * 1024
_IDS: Final[Mapping[str, int]] = {  # characters
    "parent_id": 511,
    "recipient_id": 255,
    "request_unique_identifier": 255,
    "thread_id": 511,
}
_FIELDS: Final = ("message", "metadata", *_IDS)


@dataclass(frozen=True)
class Channelback:
    """An agent's answer. Ids are None where Zendesk sent none; ``metadata`` may be empty, ``message`` is not.

    ``pairs`` is the whole form, for telling a repeat by.
    """

    message: str = field(repr=False)
    metadata: str = field(repr=False)
    parent_id: str | None
    thread_id: str | None
    recipient_id: str | None
    request_unique_identifier: str | None
    pairs: Pairs = field(repr=False)


def parse_channelback(event: Mapping[str, Any]) -> Channelback:
    """The channelback of an HTTP API event.

    Raises:
        FormError: it breaks a rule; 400, 413 or 415.
    """
    pairs = read_pairs(event, _MAX_ENCODED_BYTES)
    if sum(len(name) + len(value) for name, value in pairs) > MAX_FORM_BYTES:
        raise FormError(413, "too_large")
    check_repeats(pairs, _FIELDS)
    values = dict(pairs)
    message = values.get("message", "")
    if not message:
        raise FormError(400, "missing_field", "message")
    if len(message) > MAX_MESSAGE:
        raise FormError(400, "invalid_field", "message")
    metadata = optional(values, "metadata", MAX_METADATA)
    ids = {name: optional(values, name, limit) or None for name, limit in _IDS.items()}
    # Not in the message: an agent's text has line breaks, and whatever else it has is the customer's to read.
    for name in ("metadata", *_IDS):
        check_characters(name, values.get(name, ""))
    return Channelback(message=message, metadata=metadata, **ids, pairs=pairs)

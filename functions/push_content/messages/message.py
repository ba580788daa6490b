"""A message's body: checked as far as routing needs it, and kept as the text that was dropped.

Resources are slices of the body, never decoded and encoded again, so that numbers of any size, key order,
repeated keys and escapes reach Zendesk as they came.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn, TypeVar

from push_content.messages.sqs_record import SqsRecord
from zendesk_channel.contract import MAX_REQUEST_ID, MAX_RESOURCES, InstancePushId
from zendesk_channel.errors import InvalidValueError

MAX_DEPTH: Final = 100  # the message's own object is the first level
_Value = TypeVar("_Value")

_SPACE: Final = re.compile(r"[ \t\n\r]*")
# A string that never ends takes the rest of the text along: what comes after it is not JSON anyway, and
# starting anew at each quote would take time by the square of the length.
_BRACKET_OR_STRING: Final = re.compile(r'[\[\]{}]|"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)


@dataclass(frozen=True)
class Resource:
    """One external_resource: its JSON text, and the ids that match it and order it (None: no string)."""

    raw: str = field(repr=False)
    external_id: str | None = None
    parent_id: str | None = None
    thread_id: str | None = None


@dataclass(frozen=True)
class Message:
    """A message that can be routed. Its further top-level keys are its sender's own and stay in the body."""

    record: SqsRecord
    instance_push_id: InstancePushId
    resources: tuple[Resource, ...] = field(repr=False)
    request_id: str | None = None

    @property
    def id(self) -> str:
        """The SQS message id."""
        return self.record.message_id


class InvalidMessageError(InvalidValueError):
    """A body that is not a message. Its text names the rule, never what the body holds.

    ``instance_push_id`` and ``request_id`` are the body's, where they can be read and are valid.
    """

    instance_push_id: InstancePushId | None = None
    request_id: str | None = None


def parse(record: SqsRecord) -> Message:
    """The message in a record's body.

    Raises:
        InvalidMessageError: by the rules of docs/message.md it is not a message.
    """
    text = record.body
    if _too_deep(text):
        raise InvalidMessageError("message", f"is nested more than {MAX_DEPTH} deep")
    try:
        members = _members(text)
    except json.JSONDecodeError as error:
        raise InvalidMessageError("message", f"is not JSON: {error.msg} (character {error.pos})") from None
    try:
        return Message(
            record, _instance_push_id(members.values), _resources(members), _request_id(members.values)
        )
    except InvalidMessageError as error:
        error.instance_push_id = _if_valid(_instance_push_id, members.values)
        error.request_id = _if_valid(_request_id, members.values)
        raise


@dataclass
class _Members:
    """The top level of a body: decoded values, and the resources as text."""

    values: dict[str, Any] = field(default_factory=dict)
    resources: list[Resource] | None = None


def _too_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    depth = 0
    for token in _BRACKET_OR_STRING.finditer(text):
        character = text[token.start()]
        if character in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif character in "]}":
            depth -= 1
    return False


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidMessageError("message", f"is not JSON: {name} is no number")


# No number is ever used. int() refuses those of more than 4,300 digits; float() takes any.
_DECODER: Final = json.JSONDecoder(parse_int=float, parse_constant=_refuse_constant)


def _members(text: str) -> _Members:
    found = _Members()
    position = _skip(text, 0)
    if text[position : position + 1] != "{":
        _DECODER.raw_decode(text, position)
        raise InvalidMessageError("message", "is not a JSON object")
    position = _skip(text, position + 1)
    if text[position : position + 1] == "}":
        return _ended(text, position, found)
    while True:
        position = _member(text, position, found)
        if text[position : position + 1] != ",":
            return _ended(text, position, found)
        position = _skip(text, position + 1)


def _member(text: str, start: int, found: _Members) -> int:
    """Read one ``"key": value`` into ``found``; where the text goes on after it."""
    if text[start : start + 1] != '"':
        raise json.JSONDecodeError("Expecting property name enclosed in double quotes", text, start)
    key, end_of_key = _DECODER.raw_decode(text, start)
    if key in found.values:
        raise InvalidMessageError("message", "has a top-level key twice")
    colon = _skip(text, end_of_key)
    if text[colon : colon + 1] != ":":
        raise json.JSONDecodeError("Expecting ':' delimiter", text, colon)
    begin = _skip(text, colon + 1)
    if key == "external_resources" and text[begin : begin + 1] == "[":
        found.values[key] = None
        found.resources, end = _array(text, begin)
    else:
        found.values[key], end = _DECODER.raw_decode(text, begin)
    return _skip(text, end)


def _array(text: str, start: int) -> tuple[list[Resource], int]:
    """The elements of the array that begins at ``start``, and where it ends."""
    resources: list[Resource] = []
    position = _skip(text, start + 1)
    if text[position : position + 1] == "]":
        return resources, position + 1
    while True:
        value, end = _DECODER.raw_decode(text, position)
        fields = value if isinstance(value, dict) else {}
        ids = [_string(fields.get(name)) for name in ("external_id", "parent_id", "thread_id")]
        resources.append(Resource(text[position:end], *ids))
        position = _skip(text, end)
        if text[position : position + 1] == "]":
            return resources, position + 1
        if text[position : position + 1] != ",":
            raise json.JSONDecodeError("Expecting ',' delimiter", text, position)
        position = _skip(text, position + 1)


def _ended(text: str, position: int, found: _Members) -> _Members:
    """The members, if the object ends here and nothing follows it."""
    if text[position : position + 1] != "}":
        raise json.JSONDecodeError("Expecting ',' delimiter", text, position)
    position = _skip(text, position + 1)
    if position != len(text):
        raise json.JSONDecodeError("Extra data", text, position)
    return found


def _skip(text: str, position: int) -> int:
    space = _SPACE.match(text, position)
    return space.end() if space else position


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _if_valid(read: Callable[[dict[str, Any]], _Value], values: dict[str, Any]) -> _Value | None:
    try:
        return read(values)
    except InvalidMessageError:
        return None


def _instance_push_id(values: dict[str, Any]) -> InstancePushId:
    value = values.get("instance_push_id")
    if not isinstance(value, str):
        raise InvalidMessageError("instance_push_id", "must be a string")
    try:
        return InstancePushId(value)
    except InvalidValueError as error:
        raise InvalidMessageError(error.field, error.reason) from None


def _resources(members: _Members) -> tuple[Resource, ...]:
    if members.resources is None:
        raise InvalidMessageError("external_resources", "must be an array")
    if not 1 <= len(members.resources) <= MAX_RESOURCES:
        raise InvalidMessageError(
            "external_resources", f"must be 1 to {MAX_RESOURCES}, not {len(members.resources)}"
        )
    return tuple(members.resources)


def _request_id(values: dict[str, Any]) -> str | None:
    if "request_id" not in values:
        return None
    value = values["request_id"]
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_REQUEST_ID:
        raise InvalidMessageError("request_id", f"must be a string of 1 to {MAX_REQUEST_ID} characters")
    return value

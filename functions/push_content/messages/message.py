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

# A string that never ends takes the rest of the text along: what comes after it is not JSON anyway, and
# starting over at each quote would take time by the square of the length.
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
    raise InvalidMessageError("message", f"is not JSON: {name} is not a number")


# No number is ever used. int() refuses those of more than 4,300 digits; float() takes any.
# ``scan_once`` is what ``raw_decode`` calls, without a second call in Python for each value.
_SCAN: Final[Callable[[str, int], tuple[Any, int]]] = json.JSONDecoder(
    parse_int=float, parse_constant=_refuse_constant
).scan_once  # type: ignore[attr-defined]


_SPACE: Final = re.compile(r"[ \t\n\r]*")
_OPENING: Final = re.compile(r"[ \t\n\r]*\{[ \t\n\r]*")
_KEY: Final = re.compile(
    r'"([^"\\\x00-\x1f]*)"[ \t\n\r]*:[ \t\n\r]*'
)  # as all keys are but those with escapes
_AFTER_MEMBER: Final = re.compile(r"[ \t\n\r]*([,}])[ \t\n\r]*")
_AFTER_ELEMENT: Final = re.compile(r"[ \t\n\r]*([,\]])[ \t\n\r]*")


def _members(text: str) -> _Members:
    """Read once from the left: values by json's own scanner, and what is between them by one pattern each."""
    found = _Members()
    opening = _OPENING.match(text)
    if opening is None:
        _value(text, _skip(text, 0))
        raise InvalidMessageError("message", "is not a JSON object")
    position = opening.end()
    if text.startswith("}", position):
        _ended(text, _skip(text, position + 1))
        return found
    while True:
        name, begin = _key(text, position)
        if name in found.values:
            raise InvalidMessageError("message", "has a top-level key twice")
        if name == "external_resources" and text.startswith("[", begin):
            found.values[name] = None
            found.resources, end = _array(text, begin)
        else:
            found.values[name], end = _value(text, begin)
        character, position = _after(_AFTER_MEMBER, text, end)
        if character == "}":
            _ended(text, position)
            return found


def _key(text: str, start: int) -> tuple[str, int]:
    """A member's name, and where its value begins."""
    key = _KEY.match(text, start)
    if key is not None:
        return key[1], key.end()
    if not text.startswith('"', start):
        raise json.JSONDecodeError("Expecting property name enclosed in double quotes", text, start)
    name, end = _value(text, start)
    colon = _skip(text, end)
    if not text.startswith(":", colon):
        raise json.JSONDecodeError("Expecting ':' delimiter", text, colon)
    return name, _skip(text, colon + 1)


def _array(text: str, start: int) -> tuple[list[Resource], int]:
    """The elements of the array that begins at ``start``, and where it ends."""
    resources: list[Resource] = []
    position = _skip(text, start + 1)
    if text.startswith("]", position):
        return resources, position + 1
    while True:
        value, end = _value(text, position)
        fields = value if type(value) is dict else {}
        resources.append(
            Resource(
                text[position:end],
                _string(fields.get("external_id")),
                _string(fields.get("parent_id")),
                _string(fields.get("thread_id")),
            )
        )
        character, position = _after(_AFTER_ELEMENT, text, end)
        if character == "]":
            return resources, position


def _value(text: str, start: int) -> tuple[Any, int]:
    """Any value, and where it ends."""
    try:
        return _SCAN(text, start)
    except StopIteration as nothing:
        raise json.JSONDecodeError("Expecting value", text, nothing.value) from None


def _after(pattern: re.Pattern[str], text: str, end: int) -> tuple[str, int]:
    """The comma or bracket behind a value, and where the text goes on behind that."""
    after = pattern.match(text, end)
    if after is None:
        raise json.JSONDecodeError("Expecting ',' delimiter", text, _skip(text, end))
    return after[1], after.end()


def _ended(text: str, position: int) -> None:
    """Nothing follows the object."""
    if position != len(text):
        raise json.JSONDecodeError("Extra data", text, position)


def _skip(text: str, position: int) -> int:
    space = _SPACE.match(text, position)
    return space.end() if space else position


def _string(value: object) -> str | None:
    return value if type(value) is str else None


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

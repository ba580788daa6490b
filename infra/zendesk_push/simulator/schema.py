"""The push schema, with the words in which Zendesk's validator complains.

Zendesk validates with any_channel_json_schemas 0.15.0 in Ruby's json-schema gem and collects every error of
every resource. A client has to find indices in these texts, so they are reproduced to the letter:
``The property '#/external_resources/N/…' <complaint> in schema file:///…#``.
"""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from zendesk_push.simulator.strict_json import HugeInteger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SCHEMAS = "file:///bundle/gems/any_channel_json_schemas-0.15.0/json_schemas"
BODY_SCHEMA = f"{SCHEMAS}/push_parameters.json#"
RESOURCE_SCHEMA = f"{SCHEMAS}/external_resource.json#"
MAX_RESOURCES = 256

_RFC3339 = re.compile(
    r"\s*(\d{4})-(\d{2})-(\d{2})[Tt\s](\d{2}):(\d{2}):(\d{2})(?:\.\d+)?(?:[Zz]|[+-](\d{2}):(\d{2}))\s*",
    re.ASCII,
)


class Rule(NamedTuple):
    """What one value must be; ``properties`` of an object, ``items`` of an array."""

    types: tuple[str, ...] = ()
    min_length: int | None = None
    max_length: int | None = None
    max_items: int | None = None
    format: str | None = None
    required: Sequence[str] = ()
    properties: Mapping[str, Rule] | None = None
    items: Rule | None = None


def _string(max_length: int, *, min_length: int | None = 1, form: str | None = None) -> Rule:
    return Rule(("string",), min_length, max_length, format=form)


def _array(max_items: int, items: Rule) -> Rule:
    return Rule(("array",), max_items=max_items, items=items)


_EXTERNAL_ID = _string(255, form="external-id")
_FIELD = Rule(
    ("object",),
    required=("id", "value"),
    properties={"id": Rule(("integer", "string"), 1, 255)},
)
_AUTHOR = Rule(
    ("object",),
    required=("external_id",),
    properties={
        "external_id": _EXTERNAL_ID,
        "name": _string(255),
        "image_url": _string(511),
        "locale": _string(255),
        "fields": _array(64, _FIELD),
    },
)
_DISPLAY_INFO = Rule(
    ("object",),
    required=("type", "data"),
    properties={"type": _string(255), "data": Rule(("object",))},
)
_RESOURCE = Rule(
    ("object",),
    required=("external_id", "message", "author", "created_at"),
    properties={
        "external_id": _EXTERNAL_ID,
        "message": _string(65_535),
        "html_message": _string(65_535),
        "parent_id": _EXTERNAL_ID,
        "thread_id": _EXTERNAL_ID,
        "created_at": _string(255, min_length=None, form="date-time"),
        "author": _AUTHOR,
        "display_info": _array(16, _DISPLAY_INFO),
        "internal_note": Rule(("boolean",)),
        "allow_channelback": Rule(("boolean",)),
        "fields": _array(64, _FIELD),
        "file_urls": _array(64, _string(511, min_length=None, form="https-url")),
    },
)
_BODY = Rule(
    ("object",),
    required=("instance_push_id", "external_resources"),
    properties={
        "instance_push_id": _string(255),
        "request_id": _string(64),
        "external_resources": Rule(("array",), max_items=MAX_RESOURCES),
    },
)
_VALIDATION_BODY = Rule(
    ("object",),
    required=("instance_push_id",),
    properties={"instance_push_id": _string(255), "request_id": _string(64)},
)


def push_errors(body: Any) -> list[str]:
    """Every complaint about a push body, body first, then resource by resource; empty if there is none."""
    errors: list[str] = []
    _check(body, _BODY, "#/", BODY_SCHEMA, errors)
    resources = body.get("external_resources") if isinstance(body, dict) else None
    if isinstance(resources, list):
        for index, resource in enumerate(resources):
            _check(resource, _RESOURCE, f"#/external_resources/{index}", RESOURCE_SCHEMA, errors)
    return errors


def validate_token_errors(body: Any) -> list[str]:
    """Every complaint about the body of a validate_token request."""
    errors: list[str] = []
    _check(body, _VALIDATION_BODY, "#/", BODY_SCHEMA, errors)
    return errors


def _check(value: Any, rule: Rule, path: str, schema: str, errors: list[str]) -> None:
    def complain(text: str) -> None:
        errors.append(f"The property '{path}' {text} in schema {schema}")

    kind = _type_of(value)
    if rule.types and kind not in rule.types:
        wanted = ", ".join(rule.types)
        one = len(rule.types) == 1
        phrase = "the following type" if one else "one or more of the following types"
        complain(f"of type {kind} did not match {phrase}: {wanted}")
    if isinstance(value, str):
        _check_string(value, rule, complain)
    elif isinstance(value, list):
        _check_array(value, rule, complain, path, schema, errors)
    elif isinstance(value, dict):
        for name in rule.required:
            if name not in value:
                complain(f"did not contain a required property of '{name}'")
        for name, inner in (rule.properties or {}).items():
            if name in value:
                _check(value[name], inner, f"{path.rstrip('/')}/{name}", schema, errors)


def _check_array(
    value: list[Any], rule: Rule, complain: Callable[[str], None], path: str, schema: str, errors: list[str]
) -> None:
    if rule.max_items is not None and len(value) > rule.max_items:
        complain(f"had more items than the allowed {rule.max_items}")
    if rule.items is not None:
        for index, item in enumerate(value):
            _check(item, rule.items, f"{path}/{index}", schema, errors)


def _check_string(value: str, rule: Rule, complain: Callable[[str], None]) -> None:
    if rule.min_length is not None and len(value) < rule.min_length:
        complain(f"was not of a minimum string length of {rule.min_length}")
    if rule.max_length is not None and len(value) > rule.max_length:
        complain(f"was not of a maximum string length of {rule.max_length}")
    if rule.format == "external-id" and value != value.strip():
        complain("must not include leading or trailing whitespace")
    if rule.format == "https-url" and not value.startswith("https://"):
        complain("must be an https url")
    if rule.format == "date-time" and not is_rfc3339(value):
        complain("must be a valid RFC3339 date/time string")


def is_rfc3339(text: str) -> bool:
    """Whether Ruby's DateTime.rfc3339 takes ``text`` (it allows surrounding blanks, a blank for T, second 60)."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        return False
    year, month, day, hour, minute, second, off_hour, off_minute = (int(part or 0) for part in match.groups())
    if off_hour > 23 or off_minute > 59:
        return False
    try:
        datetime.datetime(max(year, 1), month, day, hour, minute, min(second, 59), tzinfo=datetime.UTC)
    except ValueError:
        return False
    return second <= 60


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    for types, name in _TYPE_NAMES:
        if isinstance(value, types):
            return name
    raise TypeError(type(value).__name__)


_TYPE_NAMES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "boolean"),
    (str, "string"),
    ((int, HugeInteger), "integer"),
    ((Decimal, float), "number"),
    (list, "array"),
    (dict, "object"),
)

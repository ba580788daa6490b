"""One external resource against Zendesk's published schema, and against what only its documentation says."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

_RFC3339: Final = re.compile(
    r"\d{4}-(?:0[1-9]|1[0-2])-\d{2}[Tt]([01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
_DOCUMENTED_FILE_URLS: Final = 10
_DOCUMENTED_IMAGE_URL: Final = 255
_FORMATS: Final = FormatChecker(formats=())
_FORMAT_RULES: Final = {
    "rfc3339": "must be an RFC 3339 date-time such as 2026-01-31T12:00:00Z",
    "https-url": "must be an https URL",
    "trimmed": "must not begin or end with white space",
}


@dataclass(frozen=True)
class Violation:
    """Something that Zendesk will refuse (``warning`` False), or that its documentation advises against.

    ``path`` is where, such as ``author.name``; empty for the resource itself. ``rule`` completes "<path> …" and
    never holds the customer's text.
    """

    path: str
    rule: str
    warning: bool = False

    def __str__(self) -> str:
        return f"{self.path} {self.rule}" if self.path else self.rule


def check_resource(resource: Any) -> list[Violation]:
    """All that is wrong with one external resource, a parsed JSON value of any type; errors first."""
    errors = [_finding(error) for error in _validator().iter_errors(resource)]
    errors.sort(key=lambda finding: finding.path)
    refused = {finding.path for finding in errors}
    warnings = _warnings(resource) if isinstance(resource, dict) else ()
    return errors + [finding for finding in warnings if finding.path not in refused]


@cache
def _validator() -> Draft202012Validator:
    schema = json.loads(
        files(__package__).joinpath("external_resource.schema.json").read_text(encoding="utf-8")
    )
    return Draft202012Validator(schema, format_checker=_FORMATS)


@_FORMATS.checks("rfc3339")
def _is_rfc3339(value: object) -> bool:
    if not isinstance(value, str):
        return True  # its type is another rule's business
    if not _RFC3339.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value[:10])  # 31 February
    except ValueError:
        return False
    return True


@_FORMATS.checks("https-url")
def _is_https_url(value: object) -> bool:
    return not isinstance(value, str) or bool(re.fullmatch(r"https://[^\s/?#]\S*", value))


@_FORMATS.checks("trimmed")
def _is_trimmed(value: object) -> bool:
    return not isinstance(value, str) or value == value.strip()


def _finding(error: ValidationError) -> Violation:
    path = list(error.absolute_path)
    keyword, limit = str(error.validator), error.validator_value
    if keyword == "required" and isinstance(limit, list):
        present = error.instance if isinstance(error.instance, dict) else {}
        missing = [name for name in limit if name not in present]
        # jsonschema reports each missing key on its own, and names it only in its text.
        named = next((name for name in missing if error.message.startswith(repr(name))), missing[0])
        return Violation(_dotted([*path, named]), "is missing")
    rule = {
        "type": f"must be of type {_types(limit)}",
        "minLength": "must not be empty",
        "maxLength": f"must have at most {limit:,} characters" if isinstance(limit, int) else "",
        "maxItems": f"must have at most {limit} entries",
        "format": _FORMAT_RULES.get(str(limit), f"must be a {limit}"),
        "anyOf": "must be a string of 1 to 255 characters or an integer",
    }.get(keyword, f"breaks the rule {keyword}")
    return Violation(_dotted(path), rule)


def _warnings(resource: dict[str, Any]) -> Iterator[Violation]:
    """Documented by Zendesk, and not in its schema."""
    external_id = resource.get("external_id")
    if isinstance(external_id, str) and not external_id.isascii():
        yield Violation("external_id", "should be ASCII, according to Zendesk's documentation", warning=True)
    if resource.get("parent_id") is not None and resource.get("thread_id") is not None:
        yield Violation(
            "parent_id",
            "and thread_id should not both be there, according to Zendesk's documentation",
            warning=True,
        )
    file_urls = resource.get("file_urls")
    if isinstance(file_urls, list) and len(file_urls) > _DOCUMENTED_FILE_URLS:
        yield Violation(
            "file_urls",
            f"should have at most {_DOCUMENTED_FILE_URLS} entries, according to Zendesk's documentation",
            warning=True,
        )
    display_info = resource.get("display_info")
    for index, entry in enumerate(display_info if isinstance(display_info, list) else ()):
        if isinstance(entry, dict) and isinstance(entry.get("data"), str):
            yield Violation(
                f"display_info[{index}].data",
                "is a string, as in Zendesk's documentation; its published schema wants an object",
                warning=True,
            )
    author = resource.get("author")
    image_url = author.get("image_url") if isinstance(author, dict) else None
    if isinstance(image_url, str) and len(image_url) > _DOCUMENTED_IMAGE_URL:
        yield Violation(
            "author.image_url",
            f"should have at most {_DOCUMENTED_IMAGE_URL} characters, according to Zendesk's documentation",
            warning=True,
        )


def _dotted(path: list[Any]) -> str:
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


def _types(types: object) -> str:
    return " or ".join(str(entry) for entry in types) if isinstance(types, list) else str(types)

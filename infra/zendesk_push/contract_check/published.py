"""The JSON Schema of a message that docs/contract publishes, made of what the code itself goes by.

Two things are in it. ``$defs/envelope`` is what the push function demands: anything else is ``invalid_message``. The
resources are described as Zendesk's own published schema has them; the push function looks at none of that and leaves
the judging to Zendesk.

``python -m zendesk_push.contract_check.published`` writes the file.
"""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from zendesk_channel.contract import MAX_REQUEST_ID, MAX_RESOURCES

PATH: Final = Path(__file__).resolve().parents[3] / "docs/contract/message.schema.json"

# Our checkers' own formats in words that every validator knows.
_KNOWN_FORMATS: Final[dict[str, dict[str, Any]]] = {
    "rfc3339": {"format": "date-time"},
    "https-url": {"pattern": r"^https://[^\s/?#]\S*$"},
    "trimmed": {"not": {"pattern": r"^\s|\s$"}},
}


def message_schema() -> dict[str, Any]:
    """The schema as a JSON value."""
    text = files(__package__).joinpath("external_resource.schema.json").read_text(encoding="utf-8")
    resource = json.loads(text, object_hook=_in_known_words)
    definitions = resource.pop("$defs")
    for key in ("$schema", "$id"):
        del resource[key]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:zendesk-push:message",
        "title": "A message on ContentQueue",
        "description": (
            "The body is the push request that Zendesk documents. Beyond what a schema can say: strict JSON (no NaN, "
            "no comments, no byte order mark), no top-level key twice, at most 100 levels deep, at most 1,000,000 "
            "bytes together with its message attributes."
        ),
        "allOf": [
            {"$ref": "#/$defs/envelope"},
            {"properties": {"external_resources": {"items": {"$ref": "#/$defs/external_resource"}}}},
        ],
        "$defs": {
            "envelope": {
                "description": (
                    "What the push function demands; anything else is rejected as invalid_message. Further keys are "
                    "the sender's own: a dead letter keeps them, Zendesk does not get them."
                ),
                "type": "object",
                "required": ["instance_push_id", "external_resources"],
                "properties": {
                    "instance_push_id": {
                        "description": "Which account. Zendesk gives it when the account is added.",
                        "type": "string",
                        "minLength": 1,
                        "maxLength": 255,
                        # Not "^…$": to some validators a line break at the end is beyond the end.
                        "not": {"pattern": "[^A-Za-z0-9_-]"},
                    },
                    "request_id": {
                        "description": "Comes back in Zendesk's event callbacks, and so in receipts.",
                        "type": "string",
                        "minLength": 1,
                        "maxLength": MAX_REQUEST_ID,
                    },
                    "external_resources": {"type": "array", "minItems": 1, "maxItems": MAX_RESOURCES},
                },
            },
            "external_resource": resource,
            **definitions,
        },
    }


def as_text() -> str:
    """The file's content."""
    return json.dumps(message_schema(), indent=2, ensure_ascii=False) + "\n"


def _in_known_words(value: dict[str, Any]) -> dict[str, Any]:
    known = _KNOWN_FORMATS.get(value.get("format", ""))
    if known is None:
        return value
    return {key: entry for key, entry in value.items() if key != "format"} | known


if __name__ == "__main__":
    PATH.write_text(as_text(), encoding="utf-8")

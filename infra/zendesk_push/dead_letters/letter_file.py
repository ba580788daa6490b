"""Dead letters in a file, a JSON object on each line: all that is needed to send them again.

Bodies are up to 1 MiB each and letters can be many, so what a command works on is here and not in memory; the same
lines are what ``dlq export`` and ``dlq purge`` leave behind, and what ``send --exported`` reads.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from types import TracebackType
from typing import IO, Any, Final, Self

from zendesk_push.dead_letters.dead_letter import ReceivedDeadLetter, original
from zendesk_push.errors import UsageError
from zendesk_push.queue_sender import Outgoing
from zendesk_push.terminal import isoformat

VERSION: Final = 1
_EXPLANATION_KEPT: Final = 1000  # characters in memory, of a letter whose line is on disk


class LetterFile:
    """Letters in the order in which they were added, as a context manager that closes the file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._offsets: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, letter: ReceivedDeadLetter) -> ReceivedDeadLetter:
        """Write it down; returns it without what can be read from here: body, attributes and context."""
        self._offsets[letter.message_id] = self._file.seek(0, 2)
        self._file.write(line_of(letter))
        return without_body(letter)

    def line(self, letter: ReceivedDeadLetter) -> bytes:
        """The line of a letter that was added."""
        self._file.seek(self._offsets[letter.message_id])
        return self._file.readline()

    def original(self, letter: ReceivedDeadLetter) -> Outgoing:
        """The message that the letter was."""
        return replace(outgoing_of(self.line(letter)), label=letter)


def without_body(letter: ReceivedDeadLetter) -> ReceivedDeadLetter:
    """What is kept in memory of a letter: there may be many, of up to 1 MiB each."""
    explanation = letter.explanation[:_EXPLANATION_KEPT] if letter.explanation else None
    return replace(letter, body="", attributes={}, context={}, explanation=explanation)


def line_of(letter: ReceivedDeadLetter) -> bytes:
    """A letter as a line: the message as it first came, and why it is dead."""
    first = original(letter)
    value = {
        "zendesk_push_dead_letter": VERSION,
        **as_json(letter),
        "context": letter.context,
        "message_group_id": letter.group_id,
        "attributes": {name: _attribute(value) for name, value in first.attributes.items()},
        "body": letter.body,
    }
    return json.dumps(value).encode() + b"\n"


def outgoing_of(line: bytes) -> Outgoing:
    """The message of a line.

    Raises:
        UsageError: it is not one that ``line_of`` wrote.
    """
    try:
        value = json.loads(line)
        if value["zendesk_push_dead_letter"] != VERSION:
            raise UsageError(f"exported by another version ({value['zendesk_push_dead_letter']})")
        attributes = {str(name): _sqs_attribute(entry) for name, entry in value["attributes"].items()}
        return Outgoing(str(value["body"]), group_id=value["message_group_id"], attributes=attributes)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UsageError("not a line that `dlq export` or `dlq purge` wrote") from None


def as_json(letter: ReceivedDeadLetter) -> dict[str, Any]:
    """What a list tells of a dead letter."""
    return {
        "id": letter.message_id,
        "source_message_id": letter.source_message_id,
        "reason": letter.reason,
        "explanation": letter.explanation,
        "account": letter.account,
        "subdomain": letter.subdomain,
        "external_ids": letter.external_ids,
        "request_id": letter.request_id,
        "dead_since": isoformat(letter.dead_since),
    }


def _attribute(value: Mapping[str, Any]) -> dict[str, str]:
    if "BinaryValue" in value:
        return {"type": value["DataType"], "base64": base64.b64encode(value["BinaryValue"]).decode()}
    return {"type": value["DataType"], "value": value.get("StringValue", "")}


def _sqs_attribute(entry: Mapping[str, str]) -> dict[str, Any]:
    if "base64" in entry:
        return {"DataType": entry["type"], "BinaryValue": base64.b64decode(entry["base64"])}
    return {"DataType": entry["type"], "StringValue": entry["value"]}

"""The messages that ``local`` shows the stack with, and what has to become of each: ``samples/*.json``.

A sample has a ``title``, an ``account`` (a subdomain; the account's id is put into its body) with a ``body``, or a
raw ``text`` instead, and an ``expected`` outcome: ``delivered`` (each external id, and the one whose ticket it has
to be on) or ``dead_letter`` (the ErrorCode, and passages of its ErrorMessage).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ACCOUNTS: Final = {"acme": "Acme Support", "globex": "Globex Kundendienst"}

_FOLDER: Final = Path(__file__).with_name("samples")


@dataclass(frozen=True)
class ExpectedDelivery:
    """Every external id is on the ticket of another, or of itself."""

    tickets: Mapping[str, str]


@dataclass(frozen=True)
class ExpectedDeadLetter:
    """The message is in the dead-letter queue, with this ErrorCode and these passages in its ErrorMessage."""

    code: str
    passages: Sequence[str]


@dataclass(frozen=True)
class Sample:
    """One message. ``account`` is None where the text names none."""

    title: str
    account: str | None
    content: Mapping[str, Any] | str
    expected: ExpectedDelivery | ExpectedDeadLetter

    def body(self, instance_push_ids: Mapping[str, str]) -> str:
        """The message's body, addressed to the account of the connected ones that it is for."""
        if isinstance(self.content, str) or self.account is None:
            return str(self.content)
        return json.dumps(
            {"instance_push_id": instance_push_ids[self.account], **self.content}, ensure_ascii=False
        )


def load_samples() -> list[Sample]:
    """All samples, in the order in which they are dropped."""
    return [_parse(json.loads(path.read_text("utf-8"))) for path in sorted(_FOLDER.glob("*.json"))]


def _parse(value: Mapping[str, Any]) -> Sample:
    expected = value["expected"]
    outcome: ExpectedDelivery | ExpectedDeadLetter
    if "delivered" in expected:
        outcome = ExpectedDelivery(expected["delivered"])
    else:
        outcome = ExpectedDeadLetter(expected["dead_letter"]["code"], expected["dead_letter"]["reason"])
    content = value["body"] if "body" in value else value["text"]
    return Sample(value["title"], value.get("account"), content, outcome)

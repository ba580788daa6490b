"""How dead letters are shown: counted in a table, or one by one as JSON."""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from rich.table import Table

from zendesk_push.dead_letters.dead_letter import ReceivedDeadLetter
from zendesk_push.terminal import duration, isoformat, printable, table

_SCHEMA: Final = re.compile(r" in schema file:[^\s;]+")


def without_schemas(explanation: str) -> str:
    """Zendesk's text without the schema's file, which it names after each error; ``dlq show`` has all of it."""
    return _SCHEMA.sub("", explanation)


def summary(letters: list[ReceivedDeadLetter], now: float) -> Table:
    """A table that counts dead letters, which are in the order of their age, by reason and account at ``now``."""
    groups: dict[tuple[str, str, str], list[ReceivedDeadLetter]] = defaultdict(list)
    for letter in letters:
        groups[letter.reason, letter.account or "-", letter.subdomain or "-"].append(letter)
    made = table("COUNT", "REASON", "ACCOUNT", "SUBDOMAIN", "OLDEST", "NEWEST", right=("COUNT",))
    for (reason, account, subdomain), group in sorted(
        groups.items(), key=lambda entry: (-len(entry[1]), entry[0])
    ):
        made.add_row(
            f"{len(group):,}",
            printable(reason),
            printable(account),
            printable(subdomain),
            duration(now - group[0].dead_since),
            duration(now - group[-1].dead_since),
        )
    if len(groups) > 1:
        made.add_row(f"{len(letters):,}", "in all")
    return made


def as_json(letter: ReceivedDeadLetter) -> dict[str, Any]:
    """What a list tells of a dead letter."""
    return {
        "id": letter.message_id,
        "source_message_id": letter.source_message_id,
        "reason": letter.reason,
        "explanation": letter.explanation,
        "account": letter.account,
        "subdomain": letter.subdomain,
        "request_id": letter.request_id,
        "dead_since": isoformat(letter.dead_since),
    }


def attributes_as_json(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Message attributes; binary values in hexadecimal."""
    return {
        name: {
            "type": value["DataType"],
            "value": value.get("StringValue", value.get("BinaryValue", b"").hex()),
        }
        for name, value in attributes.items()
    }

"""Messages with everything that upstream systems get wrong, each with what is to become of it.

For the state machine of the tests and for the soak run.
"""

import json
from dataclasses import dataclass, field
from typing import Any, Final

CANARY: Final = "the customer's own words"

# How a resource can offend the schema: a change of its fields, or another JSON value in its place.
POISONS: Final[tuple[Any, ...]] = (
    {"message": ""},
    {"message": 7},
    {"created_at": "yesterday"},
    {"author": {}},
    {"external_id": " padded "},
    {"message": None, "author": "nobody"},
    "a string where an object belongs",
    None,
)
# Not messages at all. Each is made unique by white space behind it, so that it can be told from the others.
INVALID: Final = (
    "not JSON",
    "[]",
    "null",
    "{}",
    '{"instance_push_id": "x/y", "external_resources": [{}]}',
    '{"instance_push_id": "a", "external_resources": []}',
    '{"instance_push_id": "a", "external_resources": {}}',
    '{"instance_push_id": "a", "external_resources": [1], "request_id": ""}',
    '{"instance_push_id": "a", "instance_push_id": "b", "external_resources": [1]}',
    '{"instance_push_id": "a", "external_resources": [NaN]}',
    '{"instance_push_id": "a", "external_resources": ' + "[" * 5_000,
)


@dataclass(frozen=True)
class Sent:
    """One message, and what is known about it.

    Attributes:
        resources: external id and exact JSON text of each; of an offending one the id is None.
        poison: indices of the offending resources.
        parents: ids of other messages' resources that must be there before.
    """

    key: str
    account: str | None
    body: str
    resources: tuple[tuple[str | None, str], ...] = ()
    poison: frozenset[int] = frozenset()
    request_id: str | None = None
    parents: tuple[str, ...] = ()
    attributes: dict[str, Any] = field(default_factory=dict)
    thread: str | None = None

    @property
    def invalid(self) -> bool:
        """Not a message."""
        return not self.resources

    @property
    def good(self) -> bool:
        """Nothing about it is wrong; only a parent may be missing."""
        return not self.invalid and not self.poison


def message(
    key: str,
    account: str,
    *,
    size: int = 1,
    poison: dict[int, Any] | None = None,
    parent: str | None = None,
    request_id: str | None = None,
    attributes: dict[str, Any] | None = None,
    text: str = "",
    thread: str | None = None,
) -> Sent:
    """A message of ``size`` resources whose ids begin with its key. ``parent`` is of its first resource.

    ``text`` is in each resource's message; all are in ``thread``.
    """
    offending = poison or {}
    resources: list[tuple[str | None, str]] = []
    for index in range(size):
        external_id = f"{key}.{index}"
        raw = _resource(external_id, offending.get(index, {}), parent if index == 0 else None, text, thread)
        resources.append((None if index in offending else external_id, raw))
    members = [f'"instance_push_id": "{account}"']
    if request_id is not None:
        members.append(f'"request_id": "{request_id}"')
    members.append(f'"external_resources": [{", ".join(raw for _, raw in resources)}]')
    return Sent(
        key,
        account,
        "{" + ",\n ".join(members) + f"}}{_mark(key)}",
        tuple(resources),
        frozenset(offending),
        request_id,
        (parent,) if parent else (),
        attributes or {},
        thread,
    )


def no_message(key: str, text: str) -> Sent:
    """Something that must be dead-lettered as it is."""
    return Sent(key, None, text + _mark(key))


def _mark(key: str) -> str:
    """White space that no other message has: bodies must stay as they are, so it is a name."""
    return "".join("\t" if bit == "1" else "\n" for bit in f"{int(key.removeprefix('m')):b}")


def _resource(external_id: str, offence: Any, parent: str | None, said: str, thread: str | None) -> str:
    if not isinstance(offence, dict):
        return json.dumps(offence)
    fields: dict[str, Any] = {
        "external_id": external_id,
        "message": f"{CANARY} {external_id}{said}",
        "created_at": "2026-01-02T03:04:05Z",
        "author": {"external_id": "author", "name": "Ann \ud83d\ude00"},
    }
    if parent:
        fields["parent_id"] = parent
    if thread:
        fields["thread_id"] = thread
    text = json.dumps(fields | offence)
    # Numbers and spellings that decoding and encoding again would change.
    return (
        text[:-1] + ', "fields": [{"id": "f", "value": 1e400},{"id":"g", "value":12345678901234567890.10}]}'
    )

"""Messages for tests, and the strategies that make them."""

import itertools
import json
from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st

from push_content.messages.message import Message, parse
from push_content.messages.sqs_record import SqsRecord

_ids = itertools.count(1)


def resource(external_id: str, parent_id: str | None = None, **more: Any) -> dict[str, Any]:
    """An external_resource that Zendesk takes."""
    fields: dict[str, Any] = {
        "external_id": external_id,
        "message": f"text of {external_id}",
        "created_at": "2026-01-02T03:04:05Z",
        "author": {"external_id": "author", "name": "Author"},
    }
    return fields | ({"parent_id": parent_id} if parent_id else {}) | more


def body(account: str, resources: Iterable[Any], **more: Any) -> str:
    """A message's body."""
    return json.dumps({"instance_push_id": account, "external_resources": list(resources), **more})


def message(
    *external_ids: str,
    account: str = "account",
    parents: dict[str, str] | None = None,
    thread: str | None = None,
    **more: Any,
) -> Message:
    """A parsed message of resources with these ids."""
    in_thread = {"thread_id": thread} if thread else {}
    resources = [resource(key, (parents or {}).get(key), **in_thread) for key in external_ids]
    return parse(SqsRecord(f"m{next(_ids)}", "handle", body(account, resources, **more)))


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
    max_leaves=8,
)

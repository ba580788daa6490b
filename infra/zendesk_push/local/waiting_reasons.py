"""Why messages wait: what the push function's own log lines say, the newest first.

Nothing else knows: the function reports ids, and the queue only counts. A request that several messages shared and
that had several reasons does not say which message had which.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

from zendesk_push.local.logs import LogLine

_LOOKED_AT: Final = 1_000  # lines; an invocation writes a few for each account
_LINES: Final = ("not sent", "push request")


def waiting_reasons(lines: Sequence[LogLine], message_ids: frozenset[str]) -> dict[str, str]:
    """The ErrorCodes of those messages that the newest of ``lines`` name, "a or b" where a request had several."""
    found: dict[str, str] = {}
    for said in _newest_first(lines):
        reason = said.get("reason") or " or ".join(said.get("reasons", ()))
        if reason:
            for message_id in message_ids.intersection(said.get("message_ids", ())) - found.keys():
                found[message_id] = str(reason)
        if len(found) == len(message_ids):
            break
    return found


def _newest_first(lines: Sequence[LogLine]) -> Iterator[dict[str, Any]]:
    for line in islice(reversed(lines), _LOOKED_AT):
        if not line.text.startswith("{"):
            continue
        try:
            said = json.loads(line.text)
        except ValueError:
            continue
        if said.get("message") in _LINES:
            yield said

"""The functions' own log lines: the only place that knows what became of a message, or why one waits.

On AWS they are asked for through CloudWatch Logs Insights, where a line shows up within a minute or so; a local stack
writes them into a file. Both give the same JSON objects, with ``timestamp`` as epoch seconds.
"""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from zendesk_push.deployment import Deployment
from zendesk_push.errors import CommandError

Line = Mapping[str, Any]
MOST_LINES: Final = 10_000  # Logs Insights' limit for one query
_LOG_GROUPS: Final = ("PushContentLogs", "AdminCallbackLogs")
_POLL_SECONDS: Final = 0.5  # Insights tells nobody when it is done
_QUERY_SECONDS: Final = 120
_ENDED: Final = ("Complete", "Failed", "Cancelled", "Timeout", "Unknown")


@dataclass(frozen=True)
class LogLines:
    """Lines, oldest first. ``cut``: there were more, and the oldest are missing."""

    lines: Sequence[Line] = field(default_factory=tuple)
    cut: bool = False


def read_log_lines(
    deployment: Deployment, messages: Iterable[str], since: float, *, holding: str | None = None
) -> LogLines:
    """What the functions said since a moment (epoch seconds).

    Args:
        deployment: whose functions.
        messages: the ``message`` of the lines that are meant, such as ``push request``.
        since: epoch seconds.
        holding: only lines in which this text occurs.

    Raises:
        CommandError: nobody knows where the lines are, or CloudWatch could not answer.
    """
    wanted = tuple(messages)
    if deployment.log_file is not None:
        return _of_file(deployment.log_file, wanted, since, holding)
    groups = [deployment.resources[name].physical_id for name in _LOG_GROUPS if name in deployment.resources]
    if not groups:
        raise CommandError("the functions' log lines are not known here: give --stack-name")
    return _of_insights(deployment.client("logs"), groups, wanted, since, holding)


def _of_file(path: Path, messages: Sequence[str], since: float, holding: str | None) -> LogLines:
    markers = [f'"message":{json.dumps(message)}' for message in messages]
    held = json.dumps(holding)[1:-1] if holding else ""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            texts = [
                line.partition("] ")[2]
                for line in file
                if held in line and any(marker in line for marker in markers)
            ]
    except OSError as error:
        raise CommandError(f"{path} can't be read: {error.strerror}") from None
    return LogLines([line for line in parsed_lines(texts) if line["timestamp"] >= since])


def _of_insights(
    logs: Any,
    groups: Sequence[str],
    messages: Sequence[str],
    since: float,
    holding: str | None,
) -> LogLines:
    query = f"fields @message | filter message in {json.dumps(list(messages))}"
    if holding:
        # As the function wrote it: JSON with escapes, whose backslashes the query's own string needs twice.
        query += f" | filter @message like {json.dumps(json.dumps(holding)[1:-1])}"
    query_id = logs.start_query(
        logGroupNames=list(groups),
        startTime=int(since),
        endTime=int(time.time()) + 60,
        queryString=f"{query} | sort @timestamp desc | limit {MOST_LINES}",
    )["queryId"]
    deadline = time.monotonic() + _QUERY_SECONDS
    answer = logs.get_query_results(queryId=query_id)
    while answer["status"] not in _ENDED and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        answer = logs.get_query_results(queryId=query_id)
    if answer["status"] != "Complete":
        logs.stop_query(queryId=query_id)
        raise CommandError(f"CloudWatch Logs Insights did not answer: {answer['status']}")
    texts = [entry["value"] for row in answer["results"] for entry in row if entry.get("field") == "@message"]
    return LogLines(list(parsed_lines(reversed(texts))), cut=len(texts) >= MOST_LINES)


def parsed_lines(texts: Iterable[str]) -> Iterator[Line]:
    """The lines that a function logged, of texts that may be anything."""
    for text in texts:
        try:
            line = json.loads(text)
            moment = datetime.fromisoformat(line["timestamp"].replace(",", "."))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue  # somebody else's line in the same group
        yield {**line, "timestamp": moment.timestamp()}

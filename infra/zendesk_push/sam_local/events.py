"""The events in tests/events/, made to fit a running stack.

As they lie there they are what AWS sends for a customer of the real Zendesk. For a local run the customer's origin
is the simulator's, times are now, and ``{{metadata}}`` is what the admin function handed over at registration.
"""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

EVENTS: Final = Path(__file__).resolve().parents[3] / "tests/events"
METADATA: Final = "{{metadata}}"
REAL_ORIGIN: Final = "https://acme.zendesk.com/"
_FORM: Final = "application/x-www-form-urlencoded"

Event = dict[str, Any]


@dataclass(frozen=True)
class Circumstances:
    """What an event has to fit: the customer's origin, the time in epoch seconds, the account's metadata so far."""

    zendesk_origin: str
    now: float
    metadata: str = ""


def load(name: str) -> Event:
    """One of the files, as it is."""
    event: Event = json.loads((EVENTS / f"{name}.json").read_text("utf-8"))
    return event


def form_of(event: Event) -> dict[str, str]:
    """The fields of an admin UI event's form."""
    return dict(parse_qsl(base64.b64decode(event["body"]).decode(), keep_blank_values=True))


def fit(event: Event, to: Circumstances) -> Event:
    """An event with its places filled in; the one given stays as it is."""
    if "Records" in event:
        return {**event, "Records": [_fit_record(record, to) for record in event["Records"]]}
    if event.get("headers", {}).get("content-type") == _FORM:
        fields = {key: _fit_text(value, to) for key, value in form_of(event).items()}
        return {**event, "body": base64.b64encode(urlencode(fields).encode()).decode()}
    if event.get("rawPath") == "/event_callback":
        events = [_fit_callback(each, to) for each in json.loads(event["body"])["events"]]
        return {**event, "body": json.dumps({"events": events})}
    return event


def _fit_text(value: str, to: Circumstances) -> str:
    value = value.replace(METADATA, to.metadata)
    # Only the customer's own origin: an address that merely begins like it stays what it is.
    if value.startswith(REAL_ORIGIN):
        return f"{to.zendesk_origin}/{value.removeprefix(REAL_ORIGIN)}"
    return value


def _fit_callback(event: dict[str, Any], to: Circumstances) -> dict[str, Any]:
    data = {
        key: _fit_text(value, to) if isinstance(value, str) else value for key, value in event["data"].items()
    }
    return {
        **event,
        "timestamp": datetime.fromtimestamp(to.now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "data": data,
    }


def _fit_record(record: dict[str, Any], to: Circumstances) -> dict[str, Any]:
    milliseconds = str(int(to.now * 1000))
    times = {"SentTimestamp": milliseconds, "ApproximateFirstReceiveTimestamp": milliseconds}
    return {**record, "attributes": {**record["attributes"], **times}}

"""Faults that can be switched on: everything that a client of Zendesk must survive.

A fault applies to requests that match all of its conditions, ``count`` times or until switched off. Faults of
the first group strike before Zendesk looks at the request; those of the second after it has imported the
resources, which is when a repeat must not make a second ticket.

Not thread-safe: ``core.ZendeskState`` holds the lock (``Fault.on_release`` has its own).
"""

from __future__ import annotations

import itertools
import json
import threading
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

MAX_FAULTS = 1_000
MAX_SECONDS = 3_600


class FaultKind(StrEnum):
    # Before anything is imported.
    DROP_CONNECTION = "drop_connection"  # closed before the body is read
    HANG = "hang"  # a time-out; after the import with after_import
    DELAY = "delay"  # whatever the answer is, ``seconds`` late; the work is done at once
    THROTTLED = "throttled"  # 429, Retry-After if retry_after is given
    SERVER_ERROR = "server_error"  # 500, HTML
    UNAVAILABLE = "unavailable"  # 503, HTML, Retry-After if retry_after is given
    UNAUTHORIZED = "unauthorized"  # 401
    FORBIDDEN = "forbidden"  # 403
    NOT_FOUND = "not_found"  # 404, HTML
    REDIRECT = "redirect"  # 302 to ``location``
    TOO_LARGE = "too_large"  # 413, HTML
    BAD_REQUEST = "bad_request"  # 400 that names no resource: a JSON object, or ``body`` as it stands
    STATUS = "status"  # any ``status`` with ``body``
    HTML = "html"  # 200 with an HTML page; after the import with after_import
    PROCESSING_ERROR = "processing_error"  # for each resource with ``external_id``, or for any
    # Of an agent's answer on its way to the integration, where Zendesk is the client; also a dropped connection, a
    # delay and a lost reply.
    REPEATED = "repeated"  # sent twice, side by side
    FORGED = "forged"  # with metadata that is no account's
    # After the import.
    REPLY_LOST = "reply_lost"  # closed instead of answered
    NO_RESULTS = "no_results"  # 200 without "results"
    FEW_RESULTS = "few_results"  # the last result is left out
    REORDERED_RESULTS = "reordered_results"  # last first
    UNKNOWN_CODE = "unknown_code"  # ``code`` instead of success, for ``external_id`` or the first
    OTHER_SUCCESS = "other_success"  # ``status`` (201) instead of 200


AFTER_IMPORT = frozenset(
    {
        FaultKind.REPLY_LOST,
        FaultKind.NO_RESULTS,
        FaultKind.FEW_RESULTS,
        FaultKind.REORDERED_RESULTS,
        FaultKind.UNKNOWN_CODE,
        FaultKind.OTHER_SUCCESS,
    }
)
# Processing errors strike resources, not requests; a delay comes on top of any other fault's answer.
ONLY_OF_ANSWERS = frozenset({FaultKind.REPEATED, FaultKind.FORGED})
OF_ANSWERS = ONLY_OF_ANSWERS | {FaultKind.DROP_CONNECTION, FaultKind.DELAY, FaultKind.REPLY_LOST}
OF_THEIR_OWN = frozenset({FaultKind.PROCESSING_ERROR, FaultKind.DELAY}) | ONLY_OF_ANSWERS
CHANNELBACK = "channelback"
ENDPOINTS = ("push", "validate_token", CHANNELBACK, "any")


class FaultError(ValueError):
    """A fault that makes no sense; the text says why."""


class Target(NamedTuple):
    """What a fault's conditions are compared with: one request. ``body`` is empty before it is read."""

    endpoint: str
    instance_push_id: str | None = None
    subdomain: str | None = None
    external_ids: tuple[str, ...] = ()
    body: bytes = b""


@dataclass(eq=False)
class Fault:
    """One fault and its conditions; every condition that is None matches anything."""

    kind: FaultKind
    endpoint: str = "push"
    instance_push_id: str | None = None
    subdomain: str | None = None
    external_id: str | None = None
    """Only requests with such a resource (a poison that no message names, to be found by halving)."""
    min_resources: int | None = None
    """Only requests of at least so many resources (large ones time out)."""
    min_bytes: int | None = None
    text: str | None = None
    """Only requests with this text in a body, as characters or as JSON's escapes (a firewall's or a crash's)."""
    count: int | None = None
    """How many requests (for processing_error: resources) it strikes; None: until switched off."""
    retry_after: int | str | None = None
    status: int | None = None
    body: str | None = None
    content_type: str = "text/plain; charset=utf-8"
    location: str = "https://www.zendesk.com/"
    code: str = "deferred"
    description: str = "An unexpected error occurred while processing the resource"
    after_import: bool = False
    seconds: float = 1.0
    """How late the answer of a delay is."""
    id: int = 0
    hits: int = 0
    _released: bool = field(default=False, repr=False)
    _waiting: list[Callable[[], None]] = field(default_factory=list, repr=False)
    _wait_lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        if self.endpoint not in ENDPOINTS:
            raise FaultError(f"endpoint must be one of {', '.join(ENDPOINTS)}")
        if self.endpoint == CHANNELBACK and self.kind not in OF_ANSWERS:
            raise FaultError(f"at {CHANNELBACK}, kind must be one of {', '.join(sorted(OF_ANSWERS))}")
        if self.endpoint != CHANNELBACK and self.kind in ONLY_OF_ANSWERS:
            raise FaultError(f"{self.kind} strikes only at {CHANNELBACK}")
        if self.kind is FaultKind.STATUS and self.status is None:
            raise FaultError("status is required")
        if self.status is not None and not 200 <= self.status <= 599:
            raise FaultError("status must be from 200 to 599")
        if self.count is not None and self.count < 1:
            raise FaultError("count must be at least 1")
        if self.text == "":
            raise FaultError("text must not be empty")
        if not 0 < self.seconds <= MAX_SECONDS:
            raise FaultError(f"seconds must be above 0 and at most {MAX_SECONDS}")

    @property
    def strikes_after_import(self) -> bool:
        return self.kind in AFTER_IMPORT or (
            self.after_import and self.kind in (FaultKind.HANG, FaultKind.HTML)
        )

    @property
    def spent(self) -> bool:
        return self._released or (self.count is not None and self.hits >= self.count)

    def matches(self, target: Target) -> bool:
        return (
            self.endpoint in ("any", target.endpoint)
            and self.instance_push_id in (None, target.instance_push_id)
            and self.subdomain in (None, target.subdomain)
            and (self.external_id is None or self.external_id in target.external_ids)
            and len(target.external_ids) >= (self.min_resources or 0)
            and len(target.body) >= (self.min_bytes or 0)
            and (self.text is None or _holds(target.body, self.text))
        )

    @property
    def where(self) -> str:
        """The conditions in words, but for whose requests they are."""
        conditions = {
            "the text": self.text and repr(self.text),
            "external_id": self.external_id,
            "at least": self.min_resources and f"{self.min_resources} resources",
            "from": self.min_bytes and f"{self.min_bytes:,} bytes on",
        }
        return ", ".join(f"{name} {value}" for name, value in conditions.items() if value)

    @property
    def until(self) -> str:
        """When it ends, as things stand."""
        if self.spent:
            return "over"
        if self.count is None:
            return "until switched off"
        left = self.count - self.hits
        return f"{left} more {'time' if left == 1 else 'times'}"

    def on_release(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` once when the fault is switched off, at once if it is already."""
        with self._wait_lock:
            if not self._released:
                self._waiting.append(wake)
                return
        wake()

    def forget(self, wake: Callable[[], None]) -> None:
        """Undo on_release: the client has gone."""
        with self._wait_lock:
            if wake in self._waiting:
                self._waiting.remove(wake)

    def release(self) -> None:
        with self._wait_lock:
            self._released = True
            waiting, self._waiting = self._waiting, []
        for wake in waiting:
            wake()

    def as_json(self) -> dict[str, Any]:
        return {
            item.name: getattr(self, item.name) for item in fields(self) if not item.name.startswith("_")
        } | {"spent": self.spent}


class Faults:
    """The faults that are switched on, in the order in which they were; the first that matches strikes."""

    def __init__(self) -> None:
        self._faults: dict[int, Fault] = {}
        self._ids = itertools.count(1)

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._faults.values())

    def switch_on(self, fault: Fault) -> Fault:
        """Add ``fault``, once; spent ones make room when there are MAX_FAULTS."""
        if fault.id:
            raise FaultError("this fault has been switched on before")
        if len(self._faults) >= MAX_FAULTS:
            for spent in [each for each in self if each.spent]:
                self.switch_off(spent.id)
        if len(self._faults) >= MAX_FAULTS:
            raise FaultError(f"{MAX_FAULTS} faults are switched on")
        fault.id = next(self._ids)
        self._faults[fault.id] = fault
        return fault

    def switch_off(self, fault_id: int | None = None) -> int:
        """Switch one fault off, or all; requests that hang on it go on. Returns how many there were."""
        chosen = [fault for fault in self if fault_id in (None, fault.id)]
        for fault in chosen:
            del self._faults[fault.id]
            fault.release()
        return len(chosen)

    def take(self, target: Target, *, after_import: bool) -> Fault | None:
        """The fault that strikes this request, counted; those OF_THEIR_OWN are taken by ``take_kind``."""
        return self._take(
            target,
            (
                fault
                for fault in self
                if fault.strikes_after_import == after_import and fault.kind not in OF_THEIR_OWN
            ),
        )

    def take_kind(self, kind: FaultKind, target: Target) -> Fault | None:
        """As take, for one kind."""
        return self._take(target, (fault for fault in self if fault.kind is kind))

    @staticmethod
    def _take(target: Target, candidates: Iterable[Fault]) -> Fault | None:
        for fault in candidates:
            if not fault.spent and fault.matches(target):
                fault.hits += 1
                return fault
        return None


def _holds(body: bytes, text: str) -> bool:
    return any(
        json.dumps(text, ensure_ascii=escaped)[1:-1].encode("utf-8", "surrogatepass") in body
        for escaped in (False, True)
    )


_SETTABLE: dict[str, type | tuple[type, ...]] = {
    "endpoint": str,
    "instance_push_id": str,
    "subdomain": str,
    "external_id": str,
    "min_resources": int,
    "min_bytes": int,
    "text": str,
    "count": int,
    "retry_after": (int, str),
    "status": int,
    "body": str,
    "content_type": str,
    "location": str,
    "code": str,
    "description": str,
    "after_import": bool,
    "seconds": (int, float),
}


def fault_from_json(value: object) -> Fault:
    """The fault that a JSON object describes; raises FaultError for unknown kinds, keys and types."""
    if not isinstance(value, dict):
        raise FaultError("a fault is a JSON object")
    settings: Mapping[str, Any] = {
        key: item for key, item in value.items() if key != "kind" and item is not None
    }
    try:
        kind = FaultKind(str(value.get("kind")))
    except ValueError:
        raise FaultError(f"kind must be one of {', '.join(FaultKind)}") from None
    for key, item in settings.items():
        wanted = _SETTABLE.get(key)
        if wanted is None:
            raise FaultError(f"unknown key {key!r}")
        if not isinstance(item, wanted) or (isinstance(item, bool) and wanted is not bool):
            raise FaultError(f"{key} is of the wrong type")
    return Fault(kind, **settings)

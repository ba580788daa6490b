"""Collaborators whose calls park on the stage first, and fail when they are told to."""

import enum
from collections import Counter
from collections.abc import Callable, Collection
from typing import Any

from botocore.exceptions import ClientError, EndpointConnectionError

from unit.delivery.stage import Stage
from zendesk_channel.errors import StoreUnavailableError, ZendeskError

SLOW = 21.0  # seconds that botocore's attempts take before it gives up


class Failing(enum.StrEnum):
    """How a call to AWS goes wrong."""

    REFUSED = "refused"  # nothing was done
    LOST = "lost"  # it was done, and the answer did not arrive
    SLOW = "slow"  # nothing was done, and that took long to find out
    PARTLY = "partly"  # of a batch every second entry failed


Observer = Callable[[str, Any, tuple[Any, ...], dict[str, Any]], None]


class Effects:
    """What all collaborators of one world share: the stage, armed failures, observers.

    ``before`` and ``after`` are told of each call: (label, None or what came of it, arguments). Calls from outside
    the stage are not told and do not fail: they are the world's own.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.armed: dict[tuple[str, Failing], int] = {}
        self.struck: Counter[str] = Counter()
        self.before: Observer = lambda *_: None
        self.after: Observer = lambda *_: None

    def perform(
        self, label: str, call: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any]
    ) -> Any:
        """One call, when its turn comes."""
        if self._stage.current() is None:
            return call(*arguments, **named)
        self._stage.before_effect(label)
        self.before(label, None, arguments, named)
        failing = self._take(label)
        if failing is Failing.SLOW:
            self._stage.sleep(SLOW)
        if failing in (Failing.REFUSED, Failing.SLOW):
            raise _error(label, failing)
        try:
            result = _partly(call, named) if failing is Failing.PARTLY else call(*arguments, **named)
        except ZendeskError as error:
            self.after(label, error, arguments, named)
            raise
        self.after(label, result, arguments, named)
        if failing is Failing.LOST:
            raise _error(label, failing)
        return result

    def _take(self, label: str) -> Failing | None:
        for (armed, failing), left in self.armed.items():
            if armed in ("*", label) and left and (failing is not Failing.PARTLY or label.endswith("_batch")):
                self.armed[armed, failing] = left - 1
                self.struck[label] += 1
                return failing
        return None


class Staged:
    """A collaborator behind the stage: the calls named are effects, everything else goes straight through."""

    def __init__(self, target: Any, name: str, effects: Effects, calls: Collection[str]) -> None:
        self._target = target
        self._name = name
        self._effects = effects
        self._calls = frozenset(calls)

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._target, name)
        if name not in self._calls:
            return real
        return lambda *arguments, **named: self._effects.perform(
            f"{self._name}.{name}", real, arguments, named
        )


def _error(label: str, failing: Failing) -> Exception:
    collaborator, operation = label.split(".")
    if collaborator != "sqs":
        return StoreUnavailableError(operation, "InternalServerError")
    if failing is Failing.REFUSED:
        return ClientError({"Error": {"Code": "ServiceUnavailable", "Message": "try again"}}, operation)
    return EndpointConnectionError(endpoint_url="https://sqs.us-east-1.amazonaws.com")


def _partly(call: Callable[..., Any], named: dict[str, Any]) -> Any:
    entries = named["Entries"]
    result: dict[str, Any] = {"Successful": [], "Failed": []}
    if len(entries) > 1:
        result = call(**(named | {"Entries": entries[1::2]}))
    failed = [
        {"Id": entry["Id"], "SenderFault": False, "Code": "InternalError", "Message": "try again"}
        for entry in entries[::2]
    ]
    return result | {"Failed": [*result.get("Failed", []), *failed]}

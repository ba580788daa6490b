"""The results in a 2xx: which resource each one is about."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from push_content.messages.message import Resource
from push_content.outcomes.outcome import ALREADY_IMPORTED, SUCCESS, Result

NOTHING: Final = Result()


def read_results(body: bytes) -> list[Any] | None:
    """The entries of a 2xx body, empty if there are none; None: it is not what Zendesk sends."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(answer, dict):
        return None
    entries = answer.get("results", [])
    return entries if isinstance(entries, list) else None


def all_delivered(resources: Sequence[Resource], entries: Sequence[Any]) -> Counter[str] | None:
    """How many have which code, if each entry is in its place and says that its resource is delivered; else None.

    That is nearly every answer, so nothing is made for each of its resources.
    """
    if len(entries) != len(resources):
        return None
    codes: Counter[str] = Counter()
    try:
        for resource, entry in zip(resources, entries, strict=True):
            if entry["external_resource_id"] != resource.external_id:
                return None
            codes[entry["status"]["code"]] += 1
    except (TypeError, KeyError):  # of another form
        return None
    return codes if codes.keys() <= {SUCCESS, ALREADY_IMPORTED} else None


def match(resources: Sequence[Resource], entries: Sequence[Any]) -> list[Result]:
    """A result for each resource: by position if the entries are in order, else by external ids that are unique."""
    ids = [_external_id(entry) for entry in entries]
    if len(ids) == len(resources) and all(
        said is None or resource.external_id is None or said == resource.external_id
        for said, resource in zip(ids, resources, strict=True)
    ):
        return [_result(entry) for entry in entries]
    asked = Counter(resource.external_id for resource in resources)
    answered = Counter(ids)
    by_id = {key: _result(entry) for key, entry in zip(ids, entries, strict=True) if answered[key] == 1}
    return [
        by_id.get(resource.external_id, NOTHING)
        if resource.external_id is not None and asked[resource.external_id] == 1
        else NOTHING
        for resource in resources
    ]


def _external_id(entry: Any) -> str | None:
    """What an entry says whose it is. An id that is not a string is taken as its JSON, never for one that is missing:
    a number that is another resource's must not pass for this one's.
    """
    said = entry.get("external_resource_id") if isinstance(entry, dict) else None
    return said if said is None or isinstance(said, str) else json.dumps(said)


def _result(entry: Any) -> Result:
    status = entry.get("status") if isinstance(entry, dict) else None
    if not isinstance(status, dict) or not isinstance(status.get("code"), str):
        return NOTHING
    description = status.get("description")
    return Result(status["code"], description if isinstance(description, str) else "")

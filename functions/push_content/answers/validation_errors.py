"""What Zendesk's 400 says, and about whom: the one place that reads its text.

Zendesk validates with json-schema, whose errors begin with a path into the request::

    The property '#/external_resources/3/author/name' of type integer did not match …

A request's resources come from several messages. An error is given to the message that owns the resource and to
no other, with the index that the resource has there.

Zendesk lists its errors. In any other text a line may be what a sender wrote, quoted by an error: such text names the
one resource that all its errors name, or nobody, and halving finds whose it is.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

_RESOURCE: Final = re.compile(r"\s*The property '#/external_resources/(0|[1-9][0-9]{0,8})(?=[/'])")
_BODY: Final = re.compile(r"\s*The property '#/(?:request_id|instance_push_id)(?=[/'])")
_ERROR: Final = re.compile(r"\s*The property '#/")


@dataclass(frozen=True)
class SchemaErrors:
    """The errors of one answer.

    Attributes:
        by_resource: the errors of each resource that is named, by its index in the request.
        of_body: errors that name ``#/request_id`` or ``#/instance_push_id``: they are every message's.
        text: everything the answer said. For a message only that was alone in its request.
    """

    by_resource: dict[int, list[str]] = field(default_factory=dict)
    of_body: list[str] = field(default_factory=list)
    text: str = ""


def schema_errors(body: bytes, resources: int) -> SchemaErrors:
    """Read the body of a 400 or 422 to a request of so many resources. Indices beyond it name nobody."""
    said, nothing_else = _said(body)
    texts = [said] if isinstance(said, str) else said
    joined = "; ".join(text.strip() for text in texts) if nothing_else else ""
    found = SchemaErrors(text=joined or excerpt(body))
    if isinstance(said, str) and not _names_one(said):
        return found
    for text in texts:
        named = _RESOURCE.match(text)
        if named and int(named[1]) < resources:
            found.by_resource.setdefault(int(named[1]), []).append(text.strip())
        elif _BODY.match(text):
            found.of_body.append(text.strip())
    return found


def with_index(error: str, index: int, own_index: int) -> str:
    """An error of the request's resource ``index``, as one of the message's resource ``own_index``.

    The validator repeats the path in the errors of alternatives, each on a line of its own, so those are
    rewritten too; text further on in a line may be the customer's and stays.
    """
    path = re.compile(
        rf"^([ \t]*(?:- )?The property '#/external_resources/){index}(?=[/'])", flags=re.MULTILINE
    )
    return path.sub(rf"\g<1>{own_index}", error)


def excerpt(body: bytes, limit: int = 4096) -> str:
    """The beginning of a body that is not what it should be, as text."""
    return body[:limit].decode("utf-8", "replace").strip()


def _said(body: bytes) -> tuple[list[str] | str, bool]:
    """The errors in an answer, or its text if it does not list them, and whether it says nothing besides."""
    try:
        said: Any = json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace"), False
    nothing_else = True
    for key in ("error", "message"):
        if isinstance(said, dict) and key in said:
            nothing_else = nothing_else and len(said) == 1
            said = said[key]
    if isinstance(said, str):
        return said, nothing_else
    if isinstance(said, Sequence):
        texts = [text for text in said if isinstance(text, str)]
        return texts, nothing_else and len(texts) == len(said)
    return [], False


def _names_one(text: str) -> bool:
    """Whether the lines that begin as errors do all name the same resource."""
    errors = [_RESOURCE.match(line) for line in text.splitlines() if _ERROR.match(line)]
    named = {error[1] if error else None for error in errors}
    return len(named) == 1 and None not in named

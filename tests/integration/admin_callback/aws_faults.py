"""Making AWS fail, or making something happen in the middle, at botocore's own hooks: nothing of ours is patched."""

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any, Final

import boto3
from botocore.awsrequest import AWSRequest, AWSResponse, HeadersDict

_JSON: Final = "application/x-amz-json-1.1"


class _Raw(BytesIO):
    def stream(self, *_: Any, **__: Any) -> Any:
        yield self.getvalue()


def refuse(service: str, operation: str, code: str = "AccessDeniedException") -> None:
    """Let every client that is built from now on be refused this operation, as AWS words it."""

    arranged = f"{service}.{operation} is refused"
    _not_met.add(arranged)

    def answer(request: AWSRequest, **_: Any) -> AWSResponse:
        _not_met.discard(arranged)
        message = f"User: arn:aws:sts::1:assumed-role/r/f is not authorized to perform: {service}:{operation}"
        body = json.dumps({"__type": code, "message": message}).encode()
        return AWSResponse(str(request.url), 400, HeadersDict({"Content-Type": _JSON}), _Raw(body))  # type: ignore[arg-type]

    _register(f"before-send.{service}.{operation}", answer)


def before(service: str, operation: str, action: Callable[[], object]) -> None:
    """Call ``action`` once, right before this operation of a client that is built from now on."""
    _at(f"before-call.{service}.{operation}", action)


def after(service: str, operation: str, action: Callable[[], object]) -> None:
    """Call ``action`` once, right after this operation of a client that is built from now on."""
    _at(f"after-call.{service}.{operation}", action)


def record_calls(calls: list[str]) -> None:
    """Note every AWS call of clients that are built from now on, as ``service.Operation``."""

    def note(model: Any, **_: Any) -> None:
        calls.append(f"{model.service_model.service_name}.{model.name}")

    _register("before-call", note)


def _at(event: str, action: Callable[[], object]) -> None:
    done = False
    _not_met.add(event)

    def once(**_: Any) -> None:
        nonlocal done
        if not done:
            done = True
            _not_met.discard(event)
            action()

    _register(event, once)


def not_met() -> set[str]:
    """What was arranged and did not happen since this was last asked: a test of it would have shown nothing."""
    left = set(_not_met)
    _not_met.clear()
    return left


def clear() -> None:
    """Clients that are built from now on meet none of this."""
    while _registered:
        event, action = _registered.pop()
        _session().events.unregister(event, action)


_registered: list[tuple[str, Any]] = []
_not_met: set[str] = set()


def _register(event: str, action: Any) -> None:
    _session().events.register(event, action)
    _registered.append((event, action))


def _session() -> boto3.Session:
    session = boto3.DEFAULT_SESSION
    assert session is not None
    return session

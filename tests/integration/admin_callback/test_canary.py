"""A token that would be recognised anywhere goes through every path, failures included, and is found in no place.

The one place that may hold it is Secrets Manager. The form's other private values must not be in the logs either.
"""

import base64
import json
from collections.abc import Callable

import pytest

from integration.admin_callback import aws_faults
from integration.admin_callback.world import MotoAdminWorld
from worlds.admin_requests import Answer

CANARY = "canary-token-0123456789abcdefghij"
NEXT = "canary-token-jihgfedcba9876543210"
PRIVATE = {
    "name": "canary-name",
    "metadata": "canary-metadata",
    "state": "canary-state",
}
ACCOUNT = "3cd1d2a5-aaf2-41fe-a9f1-519499605854"
CREATE, DESTROY = "create_integration_instance", "destroy_integration_instance"

Path = Callable[[MotoAdminWorld], list[Answer]]


def callback(world: MotoAdminWorld, token: str = CANARY, **fields: str) -> Answer:
    return world.callback(
        instance_push_id=ACCOUNT,
        zendesk_access_token=token,
        **{"return_url": world.zendesk.origin("acme") + "/canary-return-url", **PRIVATE, **fields},
    )


def confirmed(world: MotoAdminWorld) -> list[Answer]:
    world.zendesk.accept("acme", ACCOUNT, CANARY)
    return [callback(world)]


def refused(world: MotoAdminWorld) -> list[Answer]:
    return [callback(world)]


def zendesk_fails(world: MotoAdminWorld) -> list[Answer]:
    world.zendesk.scripted += [(500, CANARY.encode(), {"X-Echo": CANARY})]
    return [callback(world)]


def zendesk_redirects(world: MotoAdminWorld) -> list[Answer]:
    world.zendesk.scripted += [(302, b"", {"Location": f"http://127.0.0.1:1/?{CANARY}"})]
    return [callback(world)]


def zendesk_echoes(world: MotoAdminWorld) -> list[Answer]:
    world.zendesk.scripted += [(200, json.dumps({"token": CANARY}).encode(), {})]
    return [callback(world)]


def edited(world: MotoAdminWorld) -> list[Answer]:
    first = confirmed(world)
    pending = callback(world, NEXT, metadata=first[0].metadata)
    world.revalidate()
    world.zendesk.accept("acme", ACCOUNT, NEXT)
    world.revalidate()
    return [*first, pending]


def comes_back_with_an_event(world: MotoAdminWorld) -> list[Answer]:
    page = callback(world)
    world.zendesk.scripted += [(500, CANARY.encode(), {})]
    world.zendesk.accept("acme", ACCOUNT, CANARY)
    return [page, world.event(CREATE, page.metadata), world.event(DESTROY, page.metadata)]


def never_confirmed(world: MotoAdminWorld) -> list[Answer]:
    page = callback(world)
    world.zendesk.down.add("acme")
    return [page, world.event(CREATE, page.metadata)]


def moved(world: MotoAdminWorld) -> list[Answer]:
    first = confirmed(world)[0]
    world.zendesk.accepted = {("acme2", ACCOUNT, NEXT)}
    return [
        first,
        world.callback(
            "acme2",
            instance_push_id=ACCOUNT,
            zendesk_access_token=NEXT,
            metadata=first.metadata,
            name="canary-name",
        ),
    ]


def refused_form(world: MotoAdminWorld) -> list[Answer]:
    return [callback(world, return_url="https://canary-return-url"), callback(world, CANARY + " " + CANARY)]


# How each callback of a path is answered: a page, or a status. One that went another way would show nothing.
PATHS: list[tuple[Path, list[str | int]]] = [
    (confirmed, ["connected"]),
    (refused, ["unconfirmed"]),
    (zendesk_fails, ["unconfirmed"]),
    (zendesk_redirects, ["unconfirmed"]),
    (zendesk_echoes, ["unconfirmed"]),
    (edited, ["connected", "unconfirmed"]),
    (comes_back_with_an_event, ["unconfirmed", 200, 200]),
    (never_confirmed, ["unconfirmed", 503]),
    (moved, ["connected", "connected"]),
    (refused_form, ["refused", "refused"]),
]
FAULTS = [
    ("secretsmanager", "CreateSecret"),
    ("secretsmanager", "PutSecretValue"),
    ("dynamodb", "GetItem"),
    ("dynamodb", "UpdateItem"),
    ("secretsmanager", "GetSecretValue"),
    ("kms", "Encrypt"),
    ("kms", "Decrypt"),
]


def traces(token: str) -> set[str]:
    """How a token may look somewhere: as it is, or as base64 at any offset."""
    inner = {base64.b64encode(b"\0" * offset + token.encode())[4:-4].decode() for offset in range(3)}
    return {token, *inner}


def check_nothing_leaked(
    world: MotoAdminWorld,
    answers: list[Answer],
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    captured = capsys.readouterr()
    logs = captured.out + captured.err + "".join(record.getMessage() for record in caplog.records)
    messages = world.sqs.receive_message(QueueUrl=world.receipts_url, MaxNumberOfMessages=10).get(
        "Messages", []
    )
    places = {
        "logs": logs,
        "answers": repr([(answer.status, answer.headers, answer.body) for answer in answers]),
        "table": repr(world.items()),
        "queue": repr(messages),
    }
    for token in (CANARY, NEXT):
        for trace in traces(token):
            assert [name for name, text in places.items() if trace in text] == []
    for private in (*PRIVATE.values(), "canary-return-url"):
        assert private not in logs
    assert '"sealed"' not in logs


@pytest.mark.parametrize(("path", "answered"), PATHS)
def test_every_path(
    world: MotoAdminWorld,
    path: Path,
    answered: list[str | int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name in ("POWERTOOLS_DEV", "POWERTOOLS_DEBUG", "POWERTOOLS_LOGGER_LOG_EVENT"):
        monkeypatch.setenv(name, "true")
    world.restart(receipt_queue_url=world.receipts_url)
    answers = path(world)
    assert [answer.state or answer.status for answer in answers] == answered
    check_nothing_leaked(world, answers, capsys, caplog)


@pytest.mark.parametrize(("service", "operation"), FAULTS)
def test_when_aws_refuses(
    world: MotoAdminWorld,
    service: str,
    operation: str,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    page = callback(world).metadata
    if service != "kms":
        world.zendesk.accept("acme", ACCOUNT, CANARY)
    if operation == "PutSecretValue":
        world.connect(account=ACCOUNT, token="another")
    aws_faults.refuse(service, operation)
    world.restart()
    answers = [callback(world), world.event(CREATE, page)]
    assert 503 in [answer.status for answer in answers]
    check_nothing_leaked(world, answers, capsys, caplog)


@pytest.mark.parametrize("service", ["SECRETS_MANAGER", "DYNAMODB", "KMS"])
def test_when_aws_is_not_there(
    world: MotoAdminWorld,
    service: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    if service != "KMS":
        world.zendesk.accept("acme", ACCOUNT, CANARY)
    monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", "http://127.0.0.1:1")
    world.restart()
    monkeypatch.delenv(f"AWS_ENDPOINT_URL_{service}")
    answers = [callback(world)]
    assert [answer.status for answer in answers] == [503]
    check_nothing_leaked(world, answers, capsys, caplog)


def test_the_search_would_find_it(
    world: MotoAdminWorld, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    print(base64.b64encode(f"x{CANARY}".encode()).decode())  # noqa: T201
    with pytest.raises(AssertionError):
        check_nothing_leaked(world, [], capsys, caplog)

"""What an unauthenticated request may cost: each row of docs/security.md, counted."""

import json
from typing import Any

import pytest

from worlds.admin_world import AdminWorld
from zendesk_channel.contract import InstancePushId, PushToken

ACCOUNT = "3cd1d2a5-aaf2-41fe-a9f1-519499605854"
TOKEN = "a" * 64
CREATE, ACTIVATE, DEACTIVATE, DESTROY = (
    f"{verb}_integration_instance" for verb in ("create", "activate", "deactivate", "destroy")
)
REPORT = "resources_created_from_external_ids"


def cost(world: AdminWorld, *requests: Any) -> dict[str, int]:
    """What these requests call, beside the metadata's key."""
    before = world.calls()
    for request in requests:
        request()
    return dict(world.calls() - before)


def logged(capsys: pytest.CaptureFixture[str]) -> int:
    """Bytes since this was last asked."""
    return len(capsys.readouterr().out.encode())


def connected(world: AdminWorld, names: list[str]) -> list[str]:
    """The metadata of accounts that are registered one after the other, as slowly as one address may."""
    texts = []
    for name in names:
        world.clock.time += 15
        texts.append(world.connect(account=name).metadata)
    return texts


# /admin_ui


def test_a_callback_that_nobody_confirms(world: AdminWorld, capsys: pytest.CaptureFixture[str]) -> None:
    longest = world.form(
        "a" * 63, instance_push_id="i" * 255, zendesk_access_token="t" * 2_048, metadata="m" * 5_000
    )
    assert cost(world, lambda: world.post_form(longest)) == {"reads": 1, "validations": 1, "Encrypt": 1}
    assert logged(capsys) <= 1_024


def test_one_that_a_strangers_own_zendesk_confirms(
    world: AdminWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    world.zendesk.says_yes_to_everything.add("evil")
    spent = cost(world, lambda: world.callback("evil", instance_push_id="i" * 255))
    assert spent == {"reads": 1, "validations": 2, "Encrypt": 1}
    assert logged(capsys) <= 1_024


def test_one_for_another_zendesks_account(world: AdminWorld, capsys: pytest.CaptureFixture[str]) -> None:
    world.connect("acme", account=ACCOUNT)
    world.zendesk.says_yes_to_everything.add("evil")
    logged(capsys)
    spent = cost(world, lambda: world.callback("evil", instance_push_id=ACCOUNT))
    assert spent == {"reads": 1, "validations": 1}
    assert logged(capsys) <= 1_024


def test_one_over_the_limit(world: AdminWorld, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(10):
        world.callback(instance_push_id=ACCOUNT)
    logged(capsys)
    assert cost(world, lambda: world.callback(instance_push_id=ACCOUNT)) == {"reads": 1, "Encrypt": 1}
    assert logged(capsys) <= 1_024


@pytest.mark.parametrize("field", ["subdomain", "return_url", "instance_push_id", "zendesk_access_token"])
def test_a_form_that_breaks_a_rule(world: AdminWorld, capsys: pytest.CaptureFixture[str], field: str) -> None:
    form = world.form("a" * 63, instance_push_id="i" * 255)
    assert cost(world, lambda: world.post_form({**form, field: "\\" * 3_000})) == {}
    assert logged(capsys) <= 1_024


# /event_callback


def foreign(world: AdminWorld) -> list[str]:
    """Metadata of every kind that we did not write."""
    ours = json.loads(world.metadata(ACCOUNT, nonce="n"))
    return [
        "",
        "junk",
        "[" * 5_000,
        "x" * 500_000,
        json.dumps({**ours, "mac": "0" * 64}),
        json.dumps({**ours, "instance_push_id": "another"}),
        json.dumps({key: value for key, value in ours.items() if key != "mac"}),
    ]


@pytest.mark.parametrize("event", [CREATE, ACTIVATE, DEACTIVATE, DESTROY])
def test_metadata_that_we_did_not_write_costs_no_call(
    world: AdminWorld, capsys: pytest.CaptureFixture[str], event: str
) -> None:
    world.connect(account=ACCOUNT)
    bodies = [[world.event_body(event, text)] * count for text in foreign(world) for count in (1, 50)]
    logged(capsys)
    for body in bodies:
        assert cost(world, lambda body=body: world.events(*body)) == {}
        assert logged(capsys) <= 1_024


@pytest.mark.parametrize("registered", [True, False])
def test_a_body_of_our_metadata_that_speaks_for_nobody_costs_ten_reads_and_says_so(
    world: AdminWorld, capsys: pytest.CaptureFixture[str], registered: bool
) -> None:
    """Anybody can have metadata made: for accounts that exist and for others, with tokens that are junk."""
    made = [world.metadata(f"account-{n}", nonce="n") for n in range(200)]
    if registered:
        connected(world, [f"account-{n}" for n in range(20)])
    world.restart()
    logged(capsys)
    answers = []
    spent = cost(
        world, lambda: answers.append(world.events(*(world.event_body(DESTROY, text) for text in made)))
    )
    assert spent == {"reads": 10}
    assert (answers[0].status, answers[0].headers["Retry-After"]) == (429, "10")
    assert logged(capsys) <= 8_192


def test_authentic_events_count_for_nothing(world: AdminWorld) -> None:
    """A customer who removes the app takes all of its accounts along, in one body."""
    names = [f"account-{n}" for n in range(50)]
    texts = connected(world, names)
    forged = [world.metadata(name, nonce="n") for name in names[:9]]
    bodies = [world.event_body(DESTROY, text) for text in (*forged, *texts)]
    assert world.events(*bodies).status == 200
    assert {world.known(name).state for name in names} == {"deleted"}


@pytest.mark.parametrize("zendesk", ["refuses", "is down", "confirms", "says yes to everything"])
def test_a_body_of_sealed_tokens_costs_three_of_each(
    world: AdminWorld, capsys: pytest.CaptureFixture[str], zendesk: str
) -> None:
    texts = [world.callback(f"customer-{n}", instance_push_id=f"account-{n}").metadata for n in range(20)]
    for n in range(20):
        name = f"customer-{n}"
        if zendesk == "confirms":
            world.zendesk.accept(name, f"account-{n}", TOKEN)
        elif zendesk == "is down":
            world.zendesk.down.add(name)
        elif zendesk == "says yes to everything":
            world.zendesk.says_yes_to_everything.add(name)
    world.restart()
    logged(capsys)
    began = world.clock.time
    spent = cost(world, lambda: world.events(*(world.event_body(CREATE, text) for text in texts)))
    assert spent["validations"] == 3
    assert spent["Decrypt"] <= 3
    assert spent["reads"] <= 10 + 1
    assert world.clock.time - began <= 5
    assert logged(capsys) <= 8_192


@pytest.mark.parametrize(
    ("event", "broken", "most"),
    [
        (CREATE, "KMS", {"reads": 10, "Decrypt": 3}),
        (ACTIVATE, "KMS", {"reads": 10, "Decrypt": 3}),
        (DESTROY, "the table", {"reads": 10}),
        (CREATE, "the table", {"reads": 10}),
    ],
)
def test_a_body_costs_no_more_while_aws_fails(
    world: AdminWorld, event: str, broken: str, most: dict[str, int]
) -> None:
    texts = [world.metadata(f"account-{n}", nonce="n", token=PushToken(TOKEN)) for n in range(700)]
    if broken == "KMS":
        world.kms.failing = "ThrottlingException"
    else:
        world.accounts.failing = True
    answers = []
    spent = cost(
        world, lambda: answers.append(world.events(*(world.event_body(event, text) for text in texts)))
    )
    assert spent == most
    assert answers[0].status == 503  # so what was not looked at is not dropped


def test_authentic_events_count_for_nothing_while_aws_fails(world: AdminWorld) -> None:
    names = [f"account-{n}" for n in range(50)]
    texts = connected(world, names)
    world.credentials.failing |= {InstancePushId(name) for name in names}
    spent = cost(world, lambda: world.events(*(world.event_body(DESTROY, text) for text in texts)))
    assert spent["reads"] == 50
    assert {world.known(name).state for name in names} == {"deleted"}


def test_a_body_asks_once_for_a_key_that_cannot_be_read(world: AdminWorld) -> None:
    world.restart()
    text = world.metadata(ACCOUNT, nonce="n")
    world.metadata_key.failing = "InternalServiceError"
    calls = world.metadata_key.calls
    body = [world.event_body(DESTROY, text) for text in ['{"mac":"a"}'] * 5_000]
    assert world.events(*body).status == 503
    assert world.metadata_key.calls - calls == 1
    world.metadata_key.failing = None
    assert world.event(DESTROY, text).status == 503  # for a few seconds more
    world.clock.time += 5
    assert world.event(DESTROY, text).status == 200


def test_a_body_of_reports(world: AdminWorld, capsys: pytest.CaptureFixture[str]) -> None:
    world.restart(receipt_queue_url=world.receipts_url)
    long = [{"external_id": "\ud800" * 255, "ticket_id": n} for n in range(60)]
    bodies = [world.event_body(REPORT, request_id="\ud800" * 64, resource_events=long) for _ in range(8)]
    assert cost(world, lambda: world.events(*bodies)) == {}
    assert logged(capsys) <= 8_192
    small = [world.event_body(REPORT, request_id=f"r-{n}", resource_events=[{}]) for n in range(2_000)]
    world.events(*small)
    assert logged(capsys) <= 8_192


def test_a_body_whose_every_event_fails_is_one_line(
    world: AdminWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = connected(world, [f"account-{n}" for n in range(100)])
    world.accounts.failing = True
    logged(capsys)
    assert world.events(*(world.event_body(DESTROY, text) for text in texts)).status == 503
    output = capsys.readouterr().out
    assert len(output) <= 8_192
    assert '"failures":{"GetItem failed with InternalServerError":10}' in output


def test_a_body_that_removes_hundreds_of_accounts_is_a_few_kilobytes_of_log(
    world: AdminWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = connected(world, ["i" * 200 + str(n) for n in range(300)])
    logged(capsys)
    assert world.events(*(world.event_body(DESTROY, text) for text in texts)).status == 200
    assert logged(capsys) <= 8_192


# How long an answer takes: the same calls, whether an account is registered or not


@pytest.mark.parametrize("brought", ["nothing", "ours"])
def test_a_strangers_callback_does_the_same_for_accounts_that_exist(world: AdminWorld, brought: str) -> None:
    world.connect(account="exists")
    spent = []
    for name in ("exists", "does-not"):
        metadata = world.metadata(name, nonce="n") if brought == "ours" else ""
        fields = {"instance_push_id": name, "zendesk_access_token": "junk", "metadata": metadata}
        spent.append(cost(world, lambda fields=fields: world.callback(**fields)))
    assert spent[0] == spent[1] == {"reads": 1, "validations": 1, "Encrypt": 1}


@pytest.mark.parametrize("event", [CREATE, ACTIVATE, DEACTIVATE, DESTROY])
@pytest.mark.parametrize("subdomain", ["acme", "evil"])
@pytest.mark.parametrize("yes", [True, False])
def test_a_strangers_event_does_the_same_for_accounts_that_exist(
    world: AdminWorld, event: str, subdomain: str, yes: bool
) -> None:
    """Connected, destroyed, with newer events than this one: a junk token at their own Zendesk or at the owner's."""
    for name in ("exists", "destroyed", "newer"):
        metadata = world.connect("acme", account=name).metadata
        if name == "destroyed":
            world.event(DESTROY, metadata)
        if name == "newer":
            world.event(ACTIVATE, metadata, world.clock.time)
    texts = {
        name: world.callback(subdomain, instance_push_id=name, zendesk_access_token="junk").metadata
        for name in ("exists", "destroyed", "newer", "does-not")
    }
    if yes and subdomain == "evil":
        world.zendesk.accepted |= {("evil", name, "junk") for name in texts}
        world.zendesk.accepted.discard(("evil", "does-not", "junk"))
        texts.pop("does-not")  # which would be theirs
    world.clock.time += 60
    spent = [cost(world, lambda text=text: world.event(event, text)) for text in texts.values()]
    assert all(each == spent[0] for each in spent), spent

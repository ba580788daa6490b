"""Strangers by the thousand: nothing stored, nothing created, few calls out."""

from collections import Counter

import pytest

from integration.admin_callback import aws_faults
from integration.admin_callback.world import World
from zendesk_channel.accounts import AccountState

ACCOUNT = "3cd1d2a5-aaf2-41fe-a9f1-519499605854"
FORGED = 10_000


def test_ten_thousand_forged_callbacks(world: World) -> None:
    """Of all kinds, for an account that is registered; its administrator is not kept from its own page."""
    metadata = world.connect(account=ACCOUNT).metadata
    before = (world.items(), world.secret_names())
    stolen = world.seal(ACCOUNT, nonce="invented", issued_at=world.clock.time)
    calls: list[str] = []
    aws_faults.record_calls(calls)
    world.restart()
    world.zendesk.asked.clear()
    statuses: Counter[int] = Counter()
    for n in range(FORGED):
        fields = world.form(instance_push_id=ACCOUNT, zendesk_access_token=f"junk-{n}")
        if n % 5 == 1:
            fields["instance_push_id"] = f"invented-{n}"
        elif n % 5 == 2:
            fields["return_url"] = "https://evil.example.com/"
        elif n % 5 == 3:
            fields["subdomain"] = "acme.evil.example.com"
        elif n % 100 == 4:
            fields["metadata"] = stolen
        statuses[world.post_form(fields).status] += 1

    assert (world.items(), world.secret_names()) == before
    assert len(world.zendesk.asked) == 10
    assert statuses == {200: 10, 400: 4_000, 429: 5_990}
    counted = Counter(calls)
    assert counted["kms.Encrypt"] == 10
    # Only metadata that claims to be the account's own makes the record worth reading.
    assert counted["kms.Decrypt"] == FORGED / 100
    assert counted["dynamodb.GetItem"] <= FORGED / 100 + 10
    assert set(counted) == {"kms.Encrypt", "kms.Decrypt", "dynamodb.GetItem"}

    world.zendesk.asked.clear()
    answer = world.callback(instance_push_id=ACCOUNT, metadata=metadata)
    assert (answer.status, answer.state) == (200, "connected")


def test_one_forged_callback_costs_one_validation_two_kms_calls_and_one_line(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.connect(account=ACCOUNT)
    stolen = world.seal(ACCOUNT, nonce="invented", issued_at=world.clock.time)
    calls: list[str] = []
    aws_faults.record_calls(calls)
    world.restart()
    world.zendesk.asked.clear()
    capsys.readouterr()
    world.callback(instance_push_id=ACCOUNT, zendesk_access_token="junk", metadata=stolen)
    assert calls == ["dynamodb.GetItem", "kms.Decrypt", "kms.Encrypt"]
    assert len(world.zendesk.asked) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.startswith('{"_aws"') for line in lines] == [False, True]


def test_forged_events_in_thousands_change_nothing(world: World) -> None:
    world.connect(account=ACCOUNT)
    before = world.items()
    own = world.callback(instance_push_id=ACCOUNT, zendesk_access_token="junk").metadata
    world.restart()
    world.zendesk.asked.clear()
    verbs = ("create", "activate", "deactivate", "destroy")
    bodies = [world.event_body(f"{verb}_integration_instance", own) for verb in verbs]
    statuses = Counter(world.events(*(bodies * 250)).status for _ in range(5))
    assert world.items() == before
    assert len(world.zendesk.asked) == 10
    assert set(statuses) == {200, 429}


def test_an_old_callback_that_is_replayed_restores_no_old_token(world: World) -> None:
    """Zendesk takes a token back when it hands out a new one: then the old one is not confirmed any more."""
    page = world.connect(account=ACCOUNT, token="a" * 64)
    world.zendesk.accepted.clear()
    world.connect(account=ACCOUNT, token="b" * 64)
    world.callback(instance_push_id=ACCOUNT, zendesk_access_token="a" * 64)
    account = world.known(ACCOUNT)
    assert (world.token(account), account.pending_version) == ("b" * 64, None)
    # With the metadata of that time as well, it is kept at most until Zendesk has been asked.
    world.callback(instance_push_id=ACCOUNT, zendesk_access_token="a" * 64, metadata=page.metadata)
    world.revalidate()
    account = world.known(ACCOUNT)
    assert (account.state, world.token(account)) == (AccountState.ACTIVE, "b" * 64)

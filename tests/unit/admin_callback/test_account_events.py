"""Events about accounts: who may say what, in which order, and what it does."""

import base64
import json
import math
from typing import Any

import pytest

from worlds.admin_world import AdminWorld
from zendesk_channel.accounts import AccountState
from zendesk_channel.contract import Subdomain

ACCOUNT = "3cd1d2a5-aaf2-41fe-a9f1-519499605854"
OLD, NEW = "a" * 64, "b" * 64
CREATE, ACTIVATE, DEACTIVATE, DESTROY = (
    f"{verb}_integration_instance" for verb in ("create", "activate", "deactivate", "destroy")
)


@pytest.fixture
def metadata(world: AdminWorld) -> str:
    return world.connect(account=ACCOUNT, token=OLD).metadata


def state(world: AdminWorld) -> AccountState:
    return world.known(ACCOUNT).state


def test_deactivate_and_activate(world: AdminWorld, metadata: str) -> None:
    assert world.event(DEACTIVATE, metadata, deactivated_by="error", deactivating_error="x").status == 200
    assert state(world) is AccountState.INACTIVE
    assert world.event(ACTIVATE, metadata).status == 200
    assert state(world) is AccountState.ACTIVE
    assert world.token(world.known(ACCOUNT)) == OLD


def test_destroy_leaves_a_tombstone_and_a_recoverable_secret(world: AdminWorld, metadata: str) -> None:
    answer = world.event(DESTROY, metadata)
    assert (answer.status, answer.body, answer.headers["Content-Type"]) == (200, "{}", "application/json")
    account = world.known(ACCOUNT)
    assert (account.state, account.subdomain) == (AccountState.DELETED, "acme")
    assert (account.nonce, account.token_version, account.pending_version) == (None, "", None)
    assert world.secret_deleted(ACCOUNT)


@pytest.mark.parametrize("event", [CREATE, ACTIVATE, DEACTIVATE, DESTROY])
def test_a_tombstones_old_metadata_does_nothing_any_more(
    world: AdminWorld, metadata: str, event: str
) -> None:
    world.event(DESTROY, metadata)
    before = world.known(ACCOUNT)
    assert world.event(event, metadata).status == 200
    assert world.known(ACCOUNT) == before


def test_events_of_one_moment_are_all_applied_to_whatever_fraction_the_clock_shows(
    world: AdminWorld, metadata: str
) -> None:
    world.clock.time = math.floor(world.clock.time) + 0.1239
    deactivate, activate = (world.event_body(type_id, metadata, "soon") for type_id in (DEACTIVATE, ACTIVATE))
    world.events(deactivate, activate)
    assert state(world) is AccountState.ACTIVE


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("2026-01-01T00:00:02Z", "2026-01-01T00:00:01Z", AccountState.INACTIVE),
        ("2026-01-01T00:00:02Z", "2026-01-01T00:00:02Z", AccountState.ACTIVE),
        ("2026-01-01T00:00:02Z", "2026-01-01T00:00:02.500+00:00", AccountState.ACTIVE),
        ("2026-01-01T00:00:02Z", "2026-01-01T03:00:01+03:00", AccountState.INACTIVE),
        (1767225602, 1767225601, AccountState.INACTIVE),
        (1767225602000, "2026-01-01T00:00:03Z", AccountState.ACTIVE),
        ("2026-01-01T00:00:02Z", "no time at all", AccountState.ACTIVE),
        # The record keeps milliseconds.
        ("2026-01-01T00:00:02.123900Z", "2026-01-01T00:00:02.123900Z", AccountState.ACTIVE),
    ],
)
def test_what_is_older_than_the_last_applied_is_ignored(
    world: AdminWorld, metadata: str, first: Any, second: Any, expected: AccountState
) -> None:
    world.event(DEACTIVATE, metadata, first)
    world.event(ACTIVATE, metadata, second)
    assert state(world) is expected


def test_a_callback_does_not_make_old_events_new(world: AdminWorld, metadata: str) -> None:
    world.event(DEACTIVATE, metadata, "2026-01-01T00:00:02Z")
    world.connect(account=ACCOUNT, token=NEW)
    world.event(DEACTIVATE, metadata, "2026-01-01T00:00:01Z")
    assert state(world) is AccountState.ACTIVE


def test_a_timestamp_in_the_future_counts_as_now(world: AdminWorld, metadata: str) -> None:
    """Else one forged or wrong date would shut out every later event."""
    world.event(DEACTIVATE, metadata, "2099-01-01T00:00:00Z")
    until = world.known(ACCOUNT).events_applied_until
    assert until == pytest.approx(world.clock.time, abs=0.001)
    world.clock.time += 1
    world.event(ACTIVATE, metadata, world.clock.time)
    assert state(world) is AccountState.ACTIVE


def test_several_in_one_body_are_applied_oldest_first(world: AdminWorld, metadata: str) -> None:
    world.events(
        world.event_body(ACTIVATE, metadata, "2026-01-01T00:00:03Z"),
        world.event_body(DEACTIVATE, metadata, "2026-01-01T00:00:02Z"),
        world.event_body(CREATE, metadata, "2026-01-01T00:00:01Z"),
    )
    assert state(world) is AccountState.ACTIVE


def test_one_that_fails_does_not_keep_the_others_from_being_applied(world: AdminWorld, metadata: str) -> None:
    other = world.connect(account="other").metadata
    world.zendesk.down.add("slow")
    stuck = world.callback("slow", instance_push_id="stuck").metadata
    answer = world.events(
        world.event_body(CREATE, stuck),
        world.event_body("something_new", None),
        {"type_id": DEACTIVATE, "data": None},
        world.event_body(DEACTIVATE, "{}"),
        world.event_body(DEACTIVATE, metadata),
        world.event_body(DESTROY, other),
    )
    assert answer.status == 503
    assert state(world) is AccountState.INACTIVE
    assert world.known("other").state is AccountState.DELETED


def test_metadata_without_the_recorded_nonce_does_nothing(
    world: AdminWorld, metadata: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = world.known(ACCOUNT)
    junk = world.callback(instance_push_id=ACCOUNT, zendesk_access_token="junk").metadata
    capsys.readouterr()
    for event in (CREATE, ACTIVATE, DEACTIVATE, DESTROY):
        assert world.event(event, junk).body == "{}"
    assert world.known(ACCOUNT) == before
    assert capsys.readouterr().out.count('"EventsForged":[1.0]') == 4


def rewritten(metadata: str, **values: Any) -> str:
    return json.dumps({**json.loads(metadata), **values})


@pytest.mark.parametrize(
    "change",
    [
        {"instance_push_id": "victim"},
        {"subdomain": "evil"},
        {"sealed": ""},
        {"sealed": "!!"},
        {"nonce": "another"},
        {"issued_at": 1},
        {"mac": "0" * 64},
        {"mac": "é" * 64},
        {"mac": None},
        {"more": 1},
        {"sealed": base64.b64encode(b"x" * 200).decode()},
        {"sealed": base64.b64encode(b"x").decode()},
        {"sealed": 7},
        {"v": 3},
        {"v": None},
        {"subdomain": "a.b"},
        {"instance_push_id": ["x"]},
    ],
)
def test_tampered_metadata_speaks_for_nobody(
    world: AdminWorld, metadata: str, change: dict[str, Any]
) -> None:
    victim = world.connect(account="victim")
    assert world.event(DESTROY, rewritten(metadata, **change)).status == 200
    assert world.known("victim").state is AccountState.ACTIVE
    assert state(world) is AccountState.ACTIVE
    assert victim.status == 200


@pytest.mark.parametrize("text", ["", "null", "[]", "1" * 4_999, "[" * 5_000, '{"v": 2}', "x" * 6_000, "NaN"])
def test_metadata_that_is_not_ours_is_ignored(world: AdminWorld, text: str) -> None:
    assert (world.event(DESTROY, text).status, world.nothing_stored()) == (200, True)
    assert world.callback(metadata=text).status in (200, 400)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 400),
        ("null", 400),
        ("[]", 400),
        ("{}", 400),
        ('{"events": {}}', 400),
        ('{"events": null}', 400),
        ("{" * 100_000, 400),
        ('{"events": []', 400),
        ('{"events": [' + "1" * 5_000 + "]}", 200),
        ('{"events": []}', 200),
        ('{"events": [null, 1, "x", [], {}]}', 200),
        ('{"events": [{"type_id": 1, "data": [], "timestamp": {}}], "more": NaN}', 200),
        ('{"events": [{"timestamp": 1e999}, {"timestamp": -1}, {"timestamp": true}]}', 200),
        ('{"events": []}' + " " * 1024 * 1024, 413),
    ],
)
def test_bodies(world: AdminWorld, body: str, status: int) -> None:
    answer = world.request("POST", "/event_callback", body, content_type="application/json")
    assert answer.status == status
    assert json.loads(answer.body) == {} if status == 200 else "error" in json.loads(answer.body)


def test_a_base64_body_is_read_and_must_be_utf8(world: AdminWorld, metadata: str) -> None:
    def post(data: bytes) -> int:
        text = base64.b64encode(data).decode()
        return world.request("POST", "/event_callback", text, base64_encoded=True).status

    assert post(json.dumps({"events": [world.event_body(DEACTIVATE, metadata)]}).encode()) == 200
    assert state(world) is AccountState.INACTIVE
    assert post(b'{"events": ["\xff"]}') == 400
    assert world.request("POST", "/event_callback", "%%%", base64_encoded=True).status == 400


def test_create_after_a_confirmed_callback_needs_no_second_verification(
    world: AdminWorld, metadata: str
) -> None:
    world.zendesk.asked.clear()
    world.event(CREATE, metadata)
    assert state(world) is AccountState.ACTIVE
    assert world.zendesk.asked == []


@pytest.mark.parametrize("event", [CREATE, ACTIVATE])
def test_an_event_connects_no_subdomain_that_is_not_allowed(world: AdminWorld, event: str) -> None:
    blob = world.callback(instance_push_id="late").metadata  # while it still was
    world.zendesk.accept("acme", "late", OLD)
    world.restart(allowed_subdomains=frozenset({Subdomain("other")}))
    world.zendesk.asked.clear()
    assert world.event(event, blob).status == 200
    assert (world.account("late"), world.zendesk.asked) == (None, [])
    world.restart(allowed_subdomains=frozenset({Subdomain("acme")}))
    world.event(event, blob)
    assert world.known("late").state is AccountState.ACTIVE


def test_one_that_is_no_longer_allowed_is_switched_off_and_not_on(world: AdminWorld, metadata: str) -> None:
    world.restart(allowed_subdomains=frozenset({Subdomain("other")}))
    world.event(DEACTIVATE, metadata)
    world.event(ACTIVATE, metadata)
    assert state(world) is AccountState.INACTIVE
    world.event(DESTROY, metadata)
    assert state(world) is AccountState.DELETED


def test_destroying_the_integration_is_counted_and_changes_nothing(
    world: AdminWorld, metadata: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = world.known(ACCOUNT)
    answer = world.event("destroy_integration", manifest_url="https://push.example.com/manifest.json")
    assert (answer.status, world.known(ACCOUNT)) == (200, before)
    assert '"IntegrationsDestroyed":[1.0]' in capsys.readouterr().out


def test_sub_second_times_keep_their_order(world: AdminWorld, metadata: str) -> None:
    world.event(DEACTIVATE, metadata, "2026-01-01T00:00:02.700Z")
    world.event(ACTIVATE, metadata, "2026-01-01T00:00:02.300Z")
    assert state(world) is AccountState.INACTIVE
    assert math.isclose(world.known(ACCOUNT).events_applied_until or 0, 1767225602.7)

"""A token that Zendesk does not confirm: not used, not stored, and connected later by whatever comes first."""

from typing import Any

import pytest

from worlds.admin_requests import Answer
from worlds.admin_world import AdminWorld
from worlds.scripted_zendesk import Asked
from zendesk_channel.accounts import AccountState
from zendesk_channel.contract import PushToken

ACCOUNT = "3cd1d2a5-aaf2-41fe-a9f1-519499605854"
OLD, NEW = "a" * 64, "b" * 64
DAY = 24 * 3600
REFUSED = [
    (401, b"{}", {}),
    (403, b"", {}),
    (404, b"<h1>", {}),
    (302, b"", {"Location": "http://127.0.0.1:1/"}),
]
NO_VERDICT = [
    (500, b"", {}),
    (503, b"", {"Retry-After": "9"}),
    (429, b"", {}),
    (200, b"<html>", {}),
    (200, b"{}", {}),
    (204, b"", {}),
    (418, b"", {}),
]


def unconfirmed(world: AdminWorld, **fields: str) -> Answer:
    answer = world.callback(instance_push_id=ACCOUNT, **fields)
    assert (answer.status, answer.state) == (200, "unconfirmed")
    return answer


@pytest.mark.parametrize("answer", [*REFUSED, *NO_VERDICT])
def test_nothing_is_stored_and_refused_looks_like_no_verdict(world: AdminWorld, answer: Any) -> None:
    world.zendesk.scripted.append(answer)
    page = unconfirmed(world)
    assert world.nothing_stored()
    assert page.action == world.form()["return_url"]
    assert len(world.zendesk.asked) == 1
    world.zendesk.scripted.append((401, b"", {}))
    other = unconfirmed(world)
    assert page.body.replace(page.metadata, "") != ""
    assert strip_metadata(page) == strip_metadata(other)


def strip_metadata(answer: Answer) -> str:
    return answer.body.replace(answer.fields["metadata"].replace('"', "&#34;"), "")


def test_the_token_goes_along_sealed(world: AdminWorld) -> None:
    page = unconfirmed(world)
    assert world.sealed_token(page.metadata) == PushToken(OLD)
    assert OLD not in page.body
    assert len(page.metadata) < 5_000


def test_the_longest_token_and_ids_still_fit_into_metadata(world: AdminWorld) -> None:
    answer = world.callback("a" * 63, instance_push_id="i" * 255, zendesk_access_token="t" * 2_048)
    assert answer.status == 200
    assert len(answer.metadata) <= 5_000


@pytest.mark.parametrize("event", ["create_integration_instance", "activate_integration_instance"])
def test_create_or_activate_brings_the_token_back_and_connects(world: AdminWorld, event: str) -> None:
    metadata = unconfirmed(world).metadata
    world.zendesk.accept("acme", ACCOUNT, OLD)

    assert (world.event(event, metadata).status, world.event(event, metadata).body) == (200, "{}")

    account = world.known(ACCOUNT)
    assert (account.state, world.token(account)) == (AccountState.ACTIVE, OLD)
    assert account.nonce == world.read_metadata(metadata).nonce


def test_once_connected_its_own_metadata_speaks_for_the_account(world: AdminWorld) -> None:
    metadata = unconfirmed(world).metadata
    world.zendesk.accept("acme", ACCOUNT, OLD)
    world.events(
        # In one body, the newer one first: applied by timestamp.
        world.event_body("deactivate_integration_instance", metadata, "2026-01-01T00:00:09Z"),
        world.event_body("create_integration_instance", metadata, "2026-01-01T00:00:01Z"),
    )
    assert world.known(ACCOUNT).state is AccountState.INACTIVE


@pytest.mark.parametrize("event", ["deactivate_integration_instance", "destroy_integration_instance"])
def test_other_events_do_not_verify_a_token(world: AdminWorld, event: str) -> None:
    metadata = unconfirmed(world).metadata
    world.zendesk.accept("acme", ACCOUNT, OLD)
    world.zendesk.asked.clear()
    assert world.event(event, metadata).status == 200
    assert world.nothing_stored()
    assert world.zendesk.asked == []


def test_a_token_that_zendesk_still_refuses_at_create_is_not_stored(world: AdminWorld) -> None:
    metadata = unconfirmed(world).metadata
    assert world.event("create_integration_instance", metadata).status == 200
    assert world.nothing_stored()


def test_the_sealed_token_expires_after_a_day(world: AdminWorld) -> None:
    metadata = unconfirmed(world).metadata
    world.zendesk.accept("acme", ACCOUNT, OLD)
    world.zendesk.asked.clear()
    world.clock.time += DAY + 1
    world.event("create_integration_instance", metadata)
    assert world.nothing_stored()
    assert world.zendesk.asked == []


def test_it_has_not_expired_just_before(world: AdminWorld) -> None:
    metadata = unconfirmed(world).metadata
    world.zendesk.accept("acme", ACCOUNT, OLD)
    world.clock.time += DAY - 10
    world.event("create_integration_instance", metadata)
    assert world.token(world.known(ACCOUNT)) == OLD


def test_no_verdict_is_asked_about_once_more(world: AdminWorld) -> None:
    metadata = unconfirmed(world).metadata
    world.zendesk.accept("acme", ACCOUNT, OLD)
    world.zendesk.scripted += [(500, b"", {})]
    assert world.event("create_integration_instance", metadata).status == 200
    assert world.known(ACCOUNT).state is AccountState.ACTIVE
    assert world.clock.slept == [0.5]


def test_no_verdict_twice_asks_for_a_repeat(world: AdminWorld, capsys: pytest.CaptureFixture[str]) -> None:
    metadata = unconfirmed(world).metadata
    world.zendesk.down.add("acme")
    world.zendesk.asked.clear()
    answer = world.event("create_integration_instance", metadata)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "60")
    assert len(world.zendesk.asked) == 2
    assert world.nothing_stored()
    assert '"EventsFailed":[1.0]' in capsys.readouterr().out.replace(" ", "")


def test_five_seconds_are_all_that_the_tokens_of_a_body_get_together(world: AdminWorld) -> None:
    blobs = [world.callback(name, instance_push_id=name).metadata for name in ("one", "two", "three")]
    world.zendesk.down |= {"one", "two", "three"}
    world.zendesk.asked.clear()

    def slowly(_: Asked) -> None:
        world.clock.time += 3

    world.zendesk.before_answer = slowly
    begun = world.clock.time
    answer = world.events(*(world.event_body("create_integration_instance", blob) for blob in blobs))
    assert answer.status == 503
    assert {asked.subdomain for asked in world.zendesk.asked} == {"one"}
    assert world.clock.time - begun < 5 + 3


# An edit of an account that is registered: no event follows it.


@pytest.fixture
def registered(world: AdminWorld) -> str:
    """The metadata of an account that is connected with OLD, whose NEW token Zendesk does not confirm yet."""
    return world.connect(account=ACCOUNT, token=OLD).metadata


def test_an_edit_that_proves_itself_keeps_its_token_pending(world: AdminWorld, registered: str) -> None:
    page = unconfirmed(world, zendesk_access_token=NEW, metadata=registered)

    account = world.known(ACCOUNT)
    assert (account.state, world.token(account)) == (AccountState.ACTIVE, OLD)
    assert account.pending_version == PushToken(NEW).version
    assert account.pending_since == pytest.approx(world.clock.time, abs=0.001)
    brought = world.read_metadata(page.metadata)
    assert (brought.nonce, brought.sealed) == (account.nonce, None)


def test_what_zendesk_stored_at_such_an_edit_goes_on_speaking_for_the_account(
    world: AdminWorld, registered: str
) -> None:
    page = unconfirmed(world, zendesk_access_token=NEW, metadata=registered)
    world.event("deactivate_integration_instance", page.metadata)
    assert world.known(ACCOUNT).state is AccountState.INACTIVE


def test_the_schedule_promotes_a_pending_token_once_zendesk_confirms_it(
    world: AdminWorld, registered: str
) -> None:
    unconfirmed(world, zendesk_access_token=NEW, metadata=registered)
    world.revalidate()
    assert world.token(world.known(ACCOUNT)) == OLD
    world.zendesk.accept("acme", ACCOUNT, NEW)
    world.revalidate()
    account = world.known(ACCOUNT)
    assert (world.token(account), account.pending_version) == (NEW, None)


def test_a_pending_token_is_dropped_after_a_day(world: AdminWorld, registered: str) -> None:
    unconfirmed(world, zendesk_access_token=NEW, metadata=registered)
    world.clock.time += DAY + 1
    world.zendesk.accept("acme", ACCOUNT, NEW)
    world.revalidate()
    account = world.known(ACCOUNT)
    assert (world.token(account), account.pending_version) == (OLD, None)


def test_the_registered_token_that_is_not_confirmed_today_is_not_pending(
    world: AdminWorld, registered: str
) -> None:
    world.zendesk.down.add("acme")
    unconfirmed(world, zendesk_access_token=OLD, metadata=registered)
    account = world.known(ACCOUNT)
    assert (account.pending_version, world.token(account), account.revision) == (None, OLD, 1)


def test_an_edit_without_the_nonce_changes_nothing_and_is_told_to_open_again(
    world: AdminWorld, registered: str
) -> None:
    before = world.known(ACCOUNT)
    page = unconfirmed(world, zendesk_access_token=NEW, name="Newsroom")
    assert world.known(ACCOUNT) == before
    assert "open the account once more" in page.body
    assert len(world.credentials.versions(before.instance_push_id)) == 1
    assert world.read_metadata(page.metadata).nonce != before.nonce


def test_a_confirmed_edit_supersedes_what_was_pending(world: AdminWorld, registered: str) -> None:
    unconfirmed(world, zendesk_access_token=NEW, metadata=registered)
    world.connect(account=ACCOUNT, token="c" * 64)
    account = world.known(ACCOUNT)
    assert (world.token(account), account.pending_version, account.pending_since) == ("c" * 64, None, None)


def test_a_create_that_arrives_after_the_account_was_opened_again_takes_nothing_from_it(
    world: AdminWorld,
) -> None:
    first = unconfirmed(world)
    world.zendesk.accept("acme", ACCOUNT, OLD)
    again = world.callback(instance_push_id=ACCOUNT, metadata=first.metadata)
    assert again.state == "connected"
    world.event("create_integration_instance", first.metadata, "2026-01-01T00:00:01Z")
    world.event("destroy_integration_instance", again.metadata, "2026-01-01T00:00:02Z")
    assert world.known(ACCOUNT).state is AccountState.DELETED


def test_a_create_that_is_older_than_what_was_applied_takes_no_token_back(world: AdminWorld) -> None:
    late = unconfirmed(world, zendesk_access_token=NEW)
    current = world.connect(account=ACCOUNT, token=OLD).metadata
    world.event("activate_integration_instance", current, "2026-01-01T00:00:09Z")
    world.zendesk.accept("acme", ACCOUNT, NEW)
    assert world.event("create_integration_instance", late.metadata, "2026-01-01T00:00:01Z").status == 200
    account = world.known(ACCOUNT)
    assert world.token(account) == OLD
    assert world.read_metadata(current).speaks_for(account)


def test_only_the_nonce_that_came_with_the_confirmed_token_is_recorded(world: AdminWorld) -> None:
    junk = unconfirmed(world, zendesk_access_token=NEW)  # anybody can have one made
    world.zendesk.accept("acme", ACCOUNT, OLD)
    world.callback(instance_push_id=ACCOUNT, metadata=junk.metadata)
    assert world.known(ACCOUNT).nonce not in (None, world.read_metadata(junk.metadata).nonce)


def test_a_nonce_that_lies_beside_the_same_token_in_another_accounts_metadata_is_not_recorded(
    world: AdminWorld,
) -> None:
    other = world.metadata("other", nonce="known-to-others", token=PushToken(OLD))
    world.zendesk.accept("acme", ACCOUNT, OLD)
    assert world.callback(instance_push_id=ACCOUNT, metadata=other).state == "connected"
    assert world.known(ACCOUNT).nonce != "known-to-others"


@pytest.mark.parametrize("event", ["create_integration_instance", "activate_integration_instance"])
def test_a_token_sealed_before_the_account_was_destroyed_does_not_bring_it_back(
    world: AdminWorld, event: str
) -> None:
    metadata = unconfirmed(world).metadata
    world.zendesk.accept("acme", ACCOUNT, OLD)
    world.event("create_integration_instance", metadata)
    world.clock.time += 0.4
    world.event("destroy_integration_instance", metadata)

    assert world.event(event, metadata).status == 200

    assert world.known(ACCOUNT).state is AccountState.DELETED


def test_one_sealed_afterwards_does_once_it_is_confirmed(world: AdminWorld) -> None:
    world.event("destroy_integration_instance", world.connect(account=ACCOUNT).metadata)
    world.zendesk.accepted.clear()
    world.clock.time += 0.4
    metadata = unconfirmed(world, zendesk_access_token=NEW).metadata
    world.zendesk.accept("acme", ACCOUNT, NEW)
    world.event("create_integration_instance", metadata)
    account = world.known(ACCOUNT)
    assert (account.state, world.token(account)) == (AccountState.ACTIVE, NEW)
    assert account.destroyed_at is None

"""The life of accounts and tokens, and the events that tell of it."""

from __future__ import annotations

import pytest

from unit.simulator.worlds import SimulatorWorld, codes, resource
from zendesk_push.simulator import SimulatedAccountState, UnknownAccountError
from zendesk_push.simulator.accounts import MAX_PENDING, MAX_TOKENS_PER_ACCOUNT
from zendesk_push.simulator.editors import SaveRefusedError


def test_adding_creates_the_account_only_on_save(world: SimulatorWorld) -> None:
    editor = world.zendesk.open_new("globex", "de")
    assert editor.account.state is SimulatedAccountState.PENDING
    assert world.event_types() == ["create_integration"]
    saved = world.zendesk.save(editor.id, None, name="Globex", metadata="m", pull_state="s")
    assert (saved.state, saved.name, saved.metadata, saved.pull_state) == ("active", "Globex", "m", "s")
    assert saved.locale == "de"
    assert world.event_types() == ["create_integration", "create_integration_instance"]
    assert world.zendesk.events.log[-1]["data"] == {"metadata": "m"}
    assert codes(world.push(resource("1"), account=saved)) == ["success"]


def test_a_page_is_saved_once(world: SimulatorWorld) -> None:
    editor = world.zendesk.open_new("acme")
    world.zendesk.save(editor.id, None, name="A", metadata="")
    with pytest.raises(SaveRefusedError):
        world.zendesk.save(editor.id, None, name="A", metadata="")


def test_without_a_cookie_the_page_opened_last_at_that_address_is_saved(world: SimulatorWorld) -> None:
    ours = world.zendesk.open_new("acme")
    theirs = world.zendesk.open_new("globex")
    assert world.zendesk.save(None, "acme", name="A", metadata="") is ours.account
    assert world.zendesk.save(None, None, name="B", metadata="") is theirs.account
    with pytest.raises(SaveRefusedError):
        world.zendesk.save(None, None, name="C", metadata="")


def test_a_cookie_of_another_subdomain_saves_nothing(world: SimulatorWorld) -> None:
    editor = world.zendesk.open_new("globex")
    with pytest.raises(SaveRefusedError):
        world.zendesk.save(editor.id, "acme", name="A", metadata="")
    assert editor.account.state is SimulatedAccountState.PENDING


@pytest.mark.parametrize(
    ("name", "metadata", "state"),
    [("", "", ""), ("  ", "", ""), ("x" * 256, "", ""), ("a", "x" * 5_001, ""), ("a", "", "x" * 5_001)],
)
def test_the_finalizer_refuses_what_zendesk_does_not_store(
    world: SimulatorWorld, name: str, metadata: str, state: str
) -> None:
    editor = world.zendesk.open_new("acme")
    with pytest.raises(SaveRefusedError):
        world.zendesk.save(editor.id, None, name=name, metadata=metadata, pull_state=state)
    assert editor.account.state is SimulatedAccountState.PENDING
    world.zendesk.save(editor.id, None, name="x" * 255, metadata="x" * 5_000, pull_state="x" * 5_000)


def test_an_edit_hands_out_another_token_and_the_old_one_stays_good(world: SimulatorWorld) -> None:
    old = world.account.token
    editor = world.zendesk.open_existing("account-1")
    assert editor.token.value != old
    assert (
        world.validate(old, "account-1").status
        == world.validate(editor.token.value, "account-1").status
        == 200
    )
    before = world.event_types()
    world.zendesk.save(editor.id, None, name="Renamed", metadata="other")
    assert (world.account.name, world.account.metadata) == ("Renamed", "other")
    assert world.event_types() == before, "no event follows an edit"
    world.zendesk.revoke_token("account-1", old)
    assert world.validate(old, "account-1").status == 401
    assert world.validate(editor.token.value, "account-1").status == 200


def test_an_edit_can_hand_out_the_same_token(world: SimulatorWorld) -> None:
    assert world.zendesk.open_existing("account-1", new_token=False).token.value == world.account.token
    assert SimulatorWorld(new_token_on_edit=False).zendesk.open_existing("account-1").token.saved


def test_deactivated_accounts_take_no_content_but_their_token_is_good(world: SimulatorWorld) -> None:
    world.zendesk.deactivate("account-1", by="error", error="too many failures")
    assert world.push(resource("1")).status == 403
    assert world.validate(world.account.token, "account-1").status == 200
    world.zendesk.activate("account-1")
    assert codes(world.push(resource("1"))) == ["success"]
    assert [event["data"] for event in world.zendesk.events.log][:2] == [
        {"metadata": "remembered", "deactivated_by": "error", "deactivating_error": "too many failures"},
        {"metadata": "remembered"},
    ]
    assert world.event_types()[:2] == ["deactivate_integration_instance", "activate_integration_instance"]


def test_removal_ends_all_tokens_and_keeps_the_tickets(world: SimulatorWorld) -> None:
    token = world.account.token
    world.push(resource("1"))
    world.zendesk.remove("account-1")
    assert world.validate(token, "account-1").status == 401
    assert world.event_types()[-1] == "destroy_integration_instance"
    assert len(list(world.zendesk.tickets)) == 1
    for attempt in (world.zendesk.activate, world.zendesk.deactivate, world.zendesk.remove):
        with pytest.raises(UnknownAccountError):
            attempt("account-1")


def test_an_account_removed_while_its_page_is_open_is_not_revived(world: SimulatorWorld) -> None:
    editor = world.zendesk.open_existing("account-1")
    world.zendesk.remove("account-1")
    with pytest.raises(SaveRefusedError):
        world.zendesk.save(editor.id, None, name="A", metadata="")


@pytest.mark.parametrize("told", [True, False])
def test_removing_the_app_takes_the_accounts_along(told: bool) -> None:
    world = SimulatorWorld(events_on_uninstall=told)
    world.zendesk.install("acme")
    world.zendesk.open_new("acme")
    world.zendesk.uninstall("acme")
    expected = [
        "create_integration",
        *(["destroy_integration_instance"] if told else []),
        "destroy_integration",
    ]
    assert world.event_types() == expected
    assert {account.state for account in world.zendesk.accounts} == {SimulatedAccountState.DELETED}
    world.zendesk.open_new("acme")
    assert world.event_types()[-1] == "create_integration"


def test_rotation_ends_the_tokens_that_are_out(world: SimulatorWorld) -> None:
    old = world.account.token
    new = world.zendesk.rotate_token("account-1")
    assert world.account.token == new != old
    assert world.validate(old, "account-1").status == 401


def test_tokens_are_not_in_reprs(world: SimulatorWorld) -> None:
    assert world.account.token is not None
    assert world.account.token not in repr(world.account)


def test_what_is_kept_is_bounded(world: SimulatorWorld) -> None:
    for _ in range(MAX_TOKENS_PER_ACCOUNT + 5):
        world.zendesk.open_existing("account-1")
    assert len(world.account.tokens) == MAX_TOKENS_PER_ACCOUNT
    first = world.zendesk.open_new("acme")
    for _ in range(MAX_PENDING):
        world.zendesk.open_new("acme")
    assert len(world.zendesk.accounts.of("acme")) == MAX_PENDING + 1
    assert world.validate(first.token.value, first.account.instance_push_id).status == 401

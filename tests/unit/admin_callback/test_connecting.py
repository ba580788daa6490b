"""A callback that Zendesk confirms: stored, and answered with the page that goes back to Zendesk."""

import re

import pytest

from worlds.admin_world import AdminWorld
from zendesk_channel.accounts import AccountState
from zendesk_channel.contract import Subdomain

ACCOUNT = "3cd1d2a5-aaf2-41fe-a9f1-519499605854"
OLD, NEW = "a" * 64, "b" * 64


def test_a_new_account_is_confirmed_stored_and_answered(world: AdminWorld) -> None:
    answer = world.connect(account=ACCOUNT)

    account = world.known(ACCOUNT)
    assert (account.state, account.subdomain, account.revision) == (AccountState.ACTIVE, "acme", 1)
    assert world.token(account) == "a" * 64
    assert account.connected_at == pytest.approx(world.clock.time, abs=0.001)
    assert answer.action == world.form()["return_url"]
    assert set(answer.fields) == {"metadata", "name"}
    assert answer.fields["name"] == ""
    written = world.read_metadata(answer.metadata)
    assert (written.nonce, written.sealed) == (account.nonce, None)
    assert [(asked.subdomain, asked.path, asked.body) for asked in world.zendesk.asked] == [
        ("acme", "/api/v2/any_channel/validate_token", {"instance_push_id": ACCOUNT})
    ] * 2  # the second time about a token that nobody has
    assert re.search(r"<code>req-0001</code>", answer.body)


def test_an_edit_replaces_token_and_name_and_keeps_the_nonce(world: AdminWorld) -> None:
    metadata = world.connect(account=ACCOUNT, token=OLD).metadata
    before = world.known(ACCOUNT)
    world.zendesk.accept("acme", ACCOUNT, NEW)
    world.clock.time += 60

    answer = world.callback(
        instance_push_id=ACCOUNT, zendesk_access_token=NEW, name="Newsroom <Berlin>", metadata=metadata
    )

    account = world.known(ACCOUNT)
    assert answer.state == "connected"
    assert answer.fields["name"] == "Newsroom <Berlin>"
    assert (world.token(account), account.name) == (NEW, "Newsroom <Berlin>")
    assert account.nonce == before.nonce == world.read_metadata(answer.metadata).nonce
    assert account.connected_at == before.connected_at
    assert world.credentials.current(account.instance_push_id) == account.token_version


def test_an_empty_name_keeps_the_recorded_one(world: AdminWorld) -> None:
    world.zendesk.accept("acme", ACCOUNT, OLD)
    world.callback(instance_push_id=ACCOUNT, name="Newsroom")
    world.callback(instance_push_id=ACCOUNT, name="")
    assert world.known(ACCOUNT).name == "Newsroom"


def test_an_edit_without_metadata_is_confirmed_by_zendesk_alone(world: AdminWorld) -> None:
    """A nonce authenticates what Zendesk does not confirm; what it confirms needs none."""
    world.connect(account=ACCOUNT, token=OLD)
    world.connect(account=ACCOUNT, token=NEW)
    assert world.token(world.known(ACCOUNT)) == NEW


def test_the_same_callback_twice_is_as_once(world: AdminWorld) -> None:
    first = world.connect(account=ACCOUNT)
    second = world.connect(account=ACCOUNT)
    assert world.read_metadata(first.metadata).nonce == world.read_metadata(second.metadata).nonce
    assert len(world.credentials.versions(world.known(ACCOUNT).instance_push_id)) == 1


def test_an_older_token_that_zendesk_confirms_again_is_current_again(world: AdminWorld) -> None:
    for token in (OLD, NEW, OLD):
        world.connect(account=ACCOUNT, token=token)
    account = world.known(ACCOUNT)
    assert world.token(account) == OLD
    assert world.credentials.current(account.instance_push_id) == account.token_version


def test_a_confirmed_callback_makes_an_inactive_account_active(world: AdminWorld) -> None:
    metadata = world.connect(account=ACCOUNT).metadata
    world.event("deactivate_integration_instance", metadata)
    assert world.known(ACCOUNT).state is AccountState.INACTIVE
    world.connect(account=ACCOUNT)
    assert world.known(ACCOUNT).state is AccountState.ACTIVE


def test_a_confirmed_callback_clears_the_mark_that_the_same_token_was_refused(world: AdminWorld) -> None:
    world.connect(account=ACCOUNT)
    assert world.accounts.mark_refused(world.known(ACCOUNT))
    world.connect(account=ACCOUNT)
    assert not world.known(ACCOUNT).refused


def test_adding_a_destroyed_account_again_revives_it_with_a_fresh_nonce(world: AdminWorld) -> None:
    metadata = world.connect(account=ACCOUNT).metadata
    old_nonce = world.known(ACCOUNT).nonce
    world.event("destroy_integration_instance", metadata)
    assert world.secret_deleted(ACCOUNT)

    answer = world.connect(account=ACCOUNT)

    account = world.known(ACCOUNT)
    assert (account.state, world.token(account)) == (AccountState.ACTIVE, "a" * 64)
    assert account.nonce not in (None, old_nonce)
    assert world.read_metadata(answer.metadata).nonce == account.nonce
    assert not world.secret_deleted(ACCOUNT)


@pytest.mark.parametrize("body", [b"", b"null", b" null\n"])
def test_an_empty_body_and_null_confirm(world: AdminWorld, body: bytes) -> None:
    world.zendesk.scripted.append((200, body, {}))
    assert world.callback().state == "connected"


def test_several_accounts_of_one_subdomain_stand_beside_each_other(world: AdminWorld) -> None:
    world.connect(account="first", token=OLD)
    world.connect(account="second", token=NEW)
    assert (world.token(world.known("first")), world.token(world.known("second"))) == (OLD, NEW)
    assert world.known("first").nonce != world.known("second").nonce


def test_only_allowed_subdomains_may_connect(world: AdminWorld) -> None:
    world.restart(allowed_subdomains=frozenset({Subdomain("other"), Subdomain("acme")}))
    world.connect(account=ACCOUNT)
    world.restart(allowed_subdomains=frozenset({Subdomain("other")}))
    world.zendesk.asked.clear()
    world.zendesk.accept("acme", "fresh", OLD)

    answer = world.callback(instance_push_id="fresh")

    assert (answer.status, answer.action) == (403, None)
    assert world.account("fresh") is None
    assert world.zendesk.asked == []


def test_the_policy_lets_only_that_zendesk_show_and_receive_the_page(world: AdminWorld) -> None:
    answer = world.connect("acme")
    policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    origin = world.zendesk.origin("acme")
    assert policy["form-action"] == policy["frame-ancestors"] == origin
    assert (policy["default-src"], policy["base-uri"]) == ("'none'", "'none'")
    assert re.fullmatch(r"'sha256-[A-Za-z0-9+/=]{44}'", policy["style-src"])
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<script" not in answer.body


def test_script_in_name_metadata_and_return_url_stays_text(world: AdminWorld) -> None:
    world.zendesk.accept("acme", ACCOUNT, OLD)
    evil = '"><script>alert(1)</script>'
    answer = world.callback(
        instance_push_id=ACCOUNT,
        name=evil,
        metadata=evil,
        return_url=world.zendesk.origin("acme") + '/"><script>',
    )
    assert answer.status == 200
    assert "<script" not in answer.body
    assert answer.fields["name"] == evil
    assert answer.action == world.zendesk.origin("acme") + '/"><script>'
    assert evil not in answer.metadata


@pytest.mark.parametrize(
    ("locale", "language"),
    [("de-AT", "de"), ("pt", "pt-BR"), ("ja", "ja"), ("xx", "en"), ("", "en"), ("<b>" * 500, "en")],
)
def test_the_page_is_in_the_administrators_language(world: AdminWorld, locale: str, language: str) -> None:
    world.zendesk.accept("acme", ACCOUNT, OLD)
    answer = world.callback(instance_push_id=ACCOUNT, locale=locale)
    assert f'<html lang="{language}">' in answer.body

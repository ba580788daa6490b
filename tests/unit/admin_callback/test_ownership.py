"""Whose account it is: an account stays where it was first confirmed, unless its Zendesk was renamed."""

import pytest

from worlds.admin_world import AdminWorld
from zendesk_channel.accounts import AccountState

ACCOUNT = "3cd1d2a5-aaf2-41fe-a9f1-519499605854"
OLD, NEW = "a" * 64, "b" * 64


@pytest.fixture
def registered(world: AdminWorld) -> str:
    """The metadata of ACCOUNT, connected by acme; evil has a token for it that its own Zendesk confirms."""
    metadata = world.connect("acme", account=ACCOUNT, token=OLD).metadata
    world.zendesk.accept("evil", ACCOUNT, NEW)
    return metadata


def test_another_subdomain_is_refused_though_its_zendesk_confirms(world: AdminWorld, registered: str) -> None:
    before = world.known(ACCOUNT)
    answer = world.callback("evil", instance_push_id=ACCOUNT, zendesk_access_token=NEW)
    assert (answer.status, answer.state, answer.action) == (403, "refused", None)
    assert "another Zendesk" in answer.body
    assert world.known(ACCOUNT) == before
    assert world.token(before) == OLD
    assert answer.headers["Content-Security-Policy"].count(world.zendesk.origin("evil")) == 1
    assert "form-action 'none'" in answer.headers["Content-Security-Policy"]


def test_the_nonce_alone_does_not_move_an_account_whose_token_is_still_good(
    world: AdminWorld, registered: str
) -> None:
    answer = world.callback("evil", instance_push_id=ACCOUNT, zendesk_access_token=NEW, metadata=registered)
    assert answer.status == 403
    assert world.known(ACCOUNT).subdomain == "acme"


@pytest.mark.parametrize("status", [401, 403, 404, 301])
def test_a_renamed_zendesk_takes_its_account_along(world: AdminWorld, registered: str, status: int) -> None:
    nonce = world.known(ACCOUNT).nonce
    world.zendesk.asked.clear()
    world.zendesk.accepted.discard(("acme", ACCOUNT, OLD))
    world.zendesk.scripted += [(200, b"null", {}), (status, b"", {})]

    answer = world.callback(
        "newname", instance_push_id=ACCOUNT, zendesk_access_token=NEW, metadata=registered
    )

    account = world.known(ACCOUNT)
    assert answer.state == "connected"
    assert (account.subdomain, world.token(account), account.nonce) == ("newname", NEW, nonce)
    # The old address was asked about the stored token, the new one about the new: neither about the other's.
    assert [(asked.subdomain, asked.token) for asked in world.zendesk.asked] == [
        ("newname", NEW),
        ("acme", OLD),
    ]


def test_no_verdict_at_the_old_address_moves_nothing(world: AdminWorld, registered: str) -> None:
    world.zendesk.down.add("acme")
    answer = world.callback("evil", instance_push_id=ACCOUNT, zendesk_access_token=NEW, metadata=registered)
    assert (answer.status, answer.action) == (503, None)
    assert world.known(ACCOUNT).subdomain == "acme"


def test_a_refused_token_alone_does_not_let_others_take_the_account(
    world: AdminWorld, registered: str
) -> None:
    world.zendesk.accepted.discard(("acme", ACCOUNT, OLD))
    world.zendesk.asked.clear()
    answer = world.callback("evil", instance_push_id=ACCOUNT, zendesk_access_token=NEW)
    assert answer.status == 403
    assert [asked.subdomain for asked in world.zendesk.asked] == [
        "evil"
    ]  # the old address is not asked on a stranger's behalf


def test_another_accounts_metadata_speaks_for_that_account_only(world: AdminWorld, registered: str) -> None:
    theirs = world.connect("evil", account="theirs", token="c" * 64).metadata
    world.zendesk.accepted.discard(("acme", ACCOUNT, OLD))
    answer = world.callback("evil", instance_push_id=ACCOUNT, zendesk_access_token=NEW, metadata=theirs)
    assert answer.status == 403


def test_a_seal_with_an_invented_nonce_speaks_for_nobody(world: AdminWorld, registered: str) -> None:
    """What anybody can have made for any account, by posting a junk token."""
    forged = world.callback("acme", instance_push_id=ACCOUNT, zendesk_access_token="junk").metadata
    world.zendesk.accepted.discard(("acme", ACCOUNT, OLD))
    answer = world.callback("evil", instance_push_id=ACCOUNT, zendesk_access_token=NEW, metadata=forged)
    assert answer.status == 403


def test_a_renamed_zendesk_whose_new_token_is_not_confirmed_yet_may_come_again(
    world: AdminWorld, registered: str
) -> None:
    world.zendesk.accepted = {("acme2", ACCOUNT, "c" * 64)}
    first = world.callback("acme2", instance_push_id=ACCOUNT, zendesk_access_token=NEW, metadata=registered)
    assert first.state == "unconfirmed"
    assert world.known(ACCOUNT).pending_version is None  # it could only be asked about at the old address
    again = world.callback(
        "acme2", instance_push_id=ACCOUNT, zendesk_access_token="c" * 64, metadata=first.metadata
    )
    assert (again.state, world.known(ACCOUNT).subdomain) == ("connected", "acme2")


def test_a_tombstone_is_revived_from_its_subdomain_only(world: AdminWorld, registered: str) -> None:
    world.event("destroy_integration_instance", registered)
    answer = world.callback("evil", instance_push_id=ACCOUNT, zendesk_access_token=NEW, metadata=registered)
    assert answer.status == 403
    account = world.known(ACCOUNT)
    assert (account.state, account.subdomain) == (AccountState.DELETED, "acme")
    world.connect("acme", account=ACCOUNT, token=OLD)
    assert world.known(ACCOUNT).state is AccountState.ACTIVE


def test_an_event_cannot_move_an_account_either(world: AdminWorld, registered: str) -> None:
    world.zendesk.accepted.discard(("evil", ACCOUNT, NEW))
    sealed = world.callback("evil", instance_push_id=ACCOUNT, zendesk_access_token=NEW).metadata
    world.zendesk.accept("evil", ACCOUNT, NEW)
    world.event("create_integration_instance", sealed)
    account = world.known(ACCOUNT)
    assert (account.subdomain, world.token(account)) == ("acme", OLD)

"""Strangers by the thousand: nothing stored, nothing created, few calls out."""

from worlds.admin_world import AdminWorld
from worlds.registration_flood import play
from zendesk_channel.accounts import AccountState

ACCOUNT = "3cd1d2a5-aaf2-41fe-a9f1-519499605854"


def test_strangers_by_the_hundred_are_not_noticed(world: AdminWorld) -> None:
    """A short one: tests/nightly has ten thousand."""
    play(world, callbacks=600, seed=7)


def test_an_old_callback_that_is_replayed_restores_no_old_token(world: AdminWorld) -> None:
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

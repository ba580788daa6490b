"""Asking Zendesk again: which token is good, which is waiting, and who may decide meanwhile."""

from dataclasses import replace

import pytest

from zendesk_channel.accounts import Account, AccountState
from zendesk_channel.client import Verdict
from zendesk_channel.contract import InstancePushId, PushToken, Subdomain
from zendesk_channel.errors import StoreUnavailableError
from zendesk_channel.token_verification import PENDING_LIFETIME, TokenRecheck
from zendesk_push.in_memory.accounts import InMemoryAccounts, InMemoryTable
from zendesk_push.in_memory.clock import ManualClock
from zendesk_push.in_memory.credentials import InMemoryCredentials
from zendesk_push.in_memory.zendesk import InMemoryZendeskClient
from zendesk_push.simulator import Fault, FaultKind, ZendeskState


class World:
    """One account, connected."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.zendesk = ZendeskState(clock=self.clock)
        self.accounts = InMemoryAccounts(InMemoryTable())
        self.credentials = InMemoryCredentials()
        client = InMemoryZendeskClient(self.zendesk, self.clock.advance)
        self.recheck = TokenRecheck(self.accounts, self.credentials, client, self.clock)
        created = self.zendesk.create_account("acme", name="Acme")
        self.key = InstancePushId(created.instance_push_id)
        self.token = PushToken(created.token or "")
        version = self.credentials.store(self.key, self.token)
        self.accounts.save(
            Account(self.key, Subdomain("acme"), AccountState.ACTIVE, 0, token_version=version)
        )

    @property
    def account(self) -> Account:
        found = self.accounts.get(self.key)
        assert found is not None
        return found

    def rotate(self) -> PushToken:
        """Zendesk replaces the token; nobody tells."""
        return PushToken(self.zendesk.rotate_token(self.key))

    def pend(self, token: PushToken) -> Account:
        version = self.credentials.store(self.key, token, pending=True)
        return self.accounts.save(replace(self.account, pending_version=version, pending_since=self.clock()))


@pytest.fixture
def world() -> World:
    return World()


def test_a_good_token_is_confirmed(world: World) -> None:
    answer = world.recheck.run(world.account)

    assert (answer.validation.verdict, answer.promoted, answer.account) == (
        Verdict.CONFIRMED,
        False,
        world.account,
    )


def test_a_replaced_token_is_refused_and_nothing_is_marked(world: World) -> None:
    world.rotate()
    before = world.account

    assert world.recheck.run(before).validation.credentials_refused
    assert world.account == before


@pytest.mark.parametrize(
    "kind", [FaultKind.SERVER_ERROR, FaultKind.HANG, FaultKind.DROP_CONNECTION, FaultKind.THROTTLED]
)
def test_a_bad_day_is_no_verdict(world: World, kind: FaultKind) -> None:
    world.zendesk.switch_on(Fault(kind, endpoint="validate_token"))

    answer = world.recheck.run(world.account)
    assert answer.validation.verdict is Verdict.NO_VERDICT
    assert not answer.validation.credentials_refused


@pytest.mark.parametrize("kind", [FaultKind.NOT_FOUND, FaultKind.REDIRECT])
def test_no_such_zendesk_says_nothing_about_the_token(world: World, kind: FaultKind) -> None:
    world.zendesk.switch_on(Fault(kind, endpoint="validate_token"))

    assert not world.recheck.run(world.account).validation.credentials_refused


def test_a_pending_token_that_is_confirmed_is_promoted(world: World) -> None:
    token = world.rotate()
    account = world.pend(token)

    answer = world.recheck.run(account)

    assert answer.promoted
    assert answer.account == world.account
    assert world.account.token_version == token.version
    assert (world.account.pending_version, world.account.pending_since) == (None, None)


def test_a_pending_token_that_is_not_confirmed_yet_goes_on_waiting(world: World) -> None:
    account = world.pend(PushToken("not-yet"))

    answer = world.recheck.run(account)

    assert (answer.promoted, answer.validation.verdict) == (False, Verdict.CONFIRMED)
    assert world.account == account


@pytest.mark.parametrize("kind", [FaultKind.SERVER_ERROR, FaultKind.THROTTLED, FaultKind.NOT_FOUND])
def test_a_pending_token_that_nobody_confirms_is_not_promoted(world: World, kind: FaultKind) -> None:
    account = world.pend(world.rotate())
    world.zendesk.switch_on(Fault(kind, endpoint="validate_token"))

    assert not world.recheck.run(account).promoted
    assert world.account == account


def test_a_pending_token_is_dropped_after_a_day(world: World) -> None:
    account = world.pend(world.rotate())
    world.clock.advance(PENDING_LIFETIME + 1)

    answer = world.recheck.run(account)

    assert not answer.promoted
    assert world.account.pending_version is None
    assert world.account.token_version == world.token.version


def test_somebody_who_registers_meanwhile_wins(world: World) -> None:
    token = world.rotate()
    outdated = world.pend(token)
    newest = PushToken("newest")
    world.accounts.save(
        replace(world.account, token_version=world.credentials.store(world.key, newest), pending_version=None)
    )

    answer = world.recheck.run(outdated)

    assert not answer.promoted
    assert answer.account == world.account
    assert world.account.token_version == newest.version


def test_a_missing_secret_is_no_verdict(world: World) -> None:
    world.credentials.schedule_deletion(world.key)

    assert world.recheck.run(world.account).validation.verdict is Verdict.NO_VERDICT


def test_a_deleted_account_has_no_token_to_ask_about(world: World) -> None:
    answer = world.recheck.run(replace(world.account, token_version=""))

    assert answer.validation.verdict is Verdict.NO_VERDICT
    assert world.zendesk.requests == []


def test_awss_failures_are_the_callers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> PushToken:
        raise StoreUnavailableError("GetSecretValue", "InternalServiceError")

    monkeypatch.setattr(world.credentials, "read", fail)

    with pytest.raises(StoreUnavailableError):
        world.recheck.run(world.account)

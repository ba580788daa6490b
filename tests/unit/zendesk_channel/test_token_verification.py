"""Asking Zendesk again: which token is good, which is waiting, and who may decide meanwhile."""

from dataclasses import replace

import pytest

from zendesk_channel.accounts import Account, AccountState
from zendesk_channel.client import Verdict
from zendesk_channel.clock import Clock
from zendesk_channel.contract import InstancePushId, PushToken, Subdomain
from zendesk_channel.errors import StoreUnavailableError
from zendesk_channel.token_verification import PENDING_LIFETIME, TokenVerifier, Verification
from zendesk_push.in_memory.accounts import InMemoryAccounts, InMemoryTable
from zendesk_push.in_memory.clock import ManualClock
from zendesk_push.in_memory.credentials import InMemoryCredentials
from zendesk_push.in_memory.zendesk import InMemoryZendeskClient
from zendesk_push.simulator import Fault, FaultKind, ZendeskState


class VerifierWorld:
    """One account, connected."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.zendesk = ZendeskState(clock=self.clock)
        self.accounts = InMemoryAccounts(InMemoryTable())
        self.credentials = InMemoryCredentials()
        client = InMemoryZendeskClient(self.zendesk, self.clock.advance)
        clock = Clock(self.clock, self.clock, self.clock.advance)
        self.verifier = TokenVerifier(self.accounts, self.credentials, client, clock)
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

    def verify(self, account: Account, *, mark_unreachable: bool = False) -> Verification:
        return self.verifier.verify(account, mark_unreachable=mark_unreachable)

    def rotate(self) -> PushToken:
        """Zendesk replaces the token; nobody tells."""
        return PushToken(self.zendesk.rotate_token(self.key))

    def pend(self, token: PushToken) -> Account:
        version = self.credentials.store(self.key, token, pending=True)
        return self.accounts.save(replace(self.account, pending_version=version, pending_since=self.clock()))


@pytest.fixture
def world() -> VerifierWorld:
    return VerifierWorld()


def test_a_good_token_is_confirmed(world: VerifierWorld) -> None:
    answer = world.verify(world.account)

    assert (answer.validation.verdict, answer.promoted, answer.account) == (
        Verdict.CONFIRMED,
        False,
        world.account,
    )


def test_a_replaced_token_is_refused_and_marked_once(world: VerifierWorld) -> None:
    world.rotate()

    assert world.verify(world.account).marked
    assert world.account.refused
    again = world.verify(world.account)
    assert (again.validation.credentials_refused, again.marked) == (True, False)


def test_a_good_token_takes_the_mark_off_again(world: VerifierWorld) -> None:
    world.accounts.mark_refused(world.account)

    assert world.verify(world.account).healed
    assert not world.account.refused
    assert not world.verify(world.account).healed


@pytest.mark.parametrize(
    "kind", [FaultKind.SERVER_ERROR, FaultKind.HANG, FaultKind.DROP_CONNECTION, FaultKind.THROTTLED]
)
def test_a_bad_day_is_no_verdict(world: VerifierWorld, kind: FaultKind) -> None:
    world.zendesk.switch_on(Fault(kind, endpoint="validate_token"))

    answer = world.verify(world.account)
    assert answer.validation.verdict is Verdict.NO_VERDICT
    assert not answer.validation.credentials_refused


@pytest.mark.parametrize("kind", [FaultKind.NOT_FOUND, FaultKind.REDIRECT])
def test_no_such_zendesk_says_nothing_about_the_token(world: VerifierWorld, kind: FaultKind) -> None:
    world.zendesk.switch_on(Fault(kind, endpoint="validate_token"))

    answer = world.verify(world.account)
    assert (answer.validation.credentials_refused, answer.marked, world.account.refused) == (False,) * 3
    # The schedule takes it for a refusal: the account cannot be pushed to either way.
    assert world.verify(world.account, mark_unreachable=True).marked


def test_a_pending_token_that_is_confirmed_is_promoted(world: VerifierWorld) -> None:
    token = world.rotate()
    account = world.pend(token)

    answer = world.verify(account)

    assert answer.promoted
    assert answer.account == world.account
    assert world.account.token_version == token.version
    assert (world.account.pending_version, world.account.pending_since) == (None, None)


def test_a_pending_token_that_is_not_confirmed_yet_goes_on_waiting(world: VerifierWorld) -> None:
    account = world.pend(PushToken("not-yet"))

    answer = world.verify(account)

    assert (answer.promoted, answer.validation.verdict) == (False, Verdict.CONFIRMED)
    assert world.account == account


@pytest.mark.parametrize("kind", [FaultKind.SERVER_ERROR, FaultKind.THROTTLED, FaultKind.NOT_FOUND])
def test_a_pending_token_that_nobody_confirms_is_not_promoted(world: VerifierWorld, kind: FaultKind) -> None:
    account = world.pend(world.rotate())
    world.zendesk.switch_on(Fault(kind, endpoint="validate_token"))

    assert not world.verify(account).promoted
    assert world.account == account


def test_a_pending_token_is_dropped_after_a_day(world: VerifierWorld) -> None:
    account = world.pend(world.rotate())
    world.clock.advance(PENDING_LIFETIME + 1)

    answer = world.verify(account)

    assert not answer.promoted
    assert world.account.pending_version is None
    assert world.account.token_version == world.token.version


def test_somebody_who_registers_meanwhile_wins(world: VerifierWorld) -> None:
    token = world.rotate()
    outdated = world.pend(token)
    newest = PushToken("newest")
    world.accounts.save(
        replace(world.account, token_version=world.credentials.store(world.key, newest), pending_version=None)
    )

    answer = world.verify(outdated)

    assert not answer.promoted
    assert answer.account == world.account
    assert world.account.token_version == newest.version


def test_a_missing_secret_is_no_verdict(world: VerifierWorld) -> None:
    answer = world.verify(replace(world.account, token_version="f" * 64))

    assert answer.validation.verdict is Verdict.NO_VERDICT


def test_a_living_accounts_secret_is_brought_back(world: VerifierWorld) -> None:
    """A crash in the middle of a removal and a registration may have left it marked for deletion."""
    world.credentials.schedule_deletion(world.key)

    assert world.verify(world.account).validation.verdict is Verdict.CONFIRMED
    assert world.credentials.read(world.key, world.account.token_version) == world.token


def test_a_deleted_account_has_no_token_to_ask_about(world: VerifierWorld) -> None:
    answer = world.verify(replace(world.account, token_version=""))

    assert answer.validation.verdict is Verdict.NO_VERDICT
    assert world.zendesk.requests == []


class BrokenCredentials(InMemoryCredentials):
    def read(self, *_: str) -> PushToken:
        raise StoreUnavailableError("GetSecretValue", "InternalServiceError")


def test_awss_failures_are_the_callers(world: VerifierWorld) -> None:
    client = InMemoryZendeskClient(world.zendesk, world.clock.advance)
    verifier = TokenVerifier(world.accounts, BrokenCredentials(), client, Clock(world.clock))

    with pytest.raises(StoreUnavailableError):
        verifier.verify(world.account, mark_unreachable=False)

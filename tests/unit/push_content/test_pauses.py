"""Pauses as one invocation knows them, and what it writes of them for the others."""

import threading
from dataclasses import replace

import pytest

from push_content.accounts.pauses import AccountStanding, InvocationPauses
from push_content.outcomes.outcome import ErrorCode
from worlds.push_memory import Faulty, FaultyPauses
from zendesk_channel.accounts import Account, AccountState
from zendesk_channel.contract import InstancePushId, Subdomain
from zendesk_channel.errors import StoreError, StoreUnavailableError
from zendesk_channel.push_state import Snapshot
from zendesk_push.in_memory.accounts import InMemoryTable
from zendesk_push.in_memory.clock import ManualClock

NOW = 1_800_000_000.0
ACME = Subdomain("acme")
ACCOUNT = Account(InstancePushId("a"), ACME, AccountState.ACTIVE, 1)


class Board:
    """A board, the table behind it, and what failed."""

    def __init__(self, paused_until: float = 0.0) -> None:
        self.table = InMemoryTable()
        self.table.put(ACCOUNT)
        self.faults = Faulty()
        self.failed = list[StoreError]()
        snapshot = Snapshot({ACCOUNT.instance_push_id: ACCOUNT}, {ACME: paused_until} if paused_until else {})
        self.clock = ManualClock(NOW)
        self.shared = FaultyPauses(self.table, self.faults)
        self.board = self.pauses(snapshot)

    def account(self) -> Account:
        found = self.board.known(ACCOUNT.instance_push_id).account
        assert found is not None
        return found

    def pauses(self, snapshot: Snapshot, *, first: float = 2, longest: float = 900) -> InvocationPauses:
        return InvocationPauses(
            self.shared,
            snapshot,
            first_pause=first,
            longest_pause=longest,
            clock=self.clock,
            store_failed=self.failed.append,
        )


def test_a_subdomains_pause_is_written_only_when_it_grows() -> None:
    made = Board(paused_until=NOW + 30)
    for seconds in (20, 30, 60, 60, 40, 61):
        made.board.pause_subdomain(ACME, NOW + seconds)

    assert made.faults.calls == ["pause_subdomain"] * 2
    assert (
        made.board.known(ACCOUNT.instance_push_id).subdomain_paused_until
        == made.table.paused_until[ACME]
        == NOW + 61
    )


def test_of_many_threads_that_pause_the_same_minute_one_writes() -> None:
    made = Board()
    ready = threading.Barrier(16)

    def pause() -> None:
        ready.wait()
        made.board.pause_subdomain(ACME, NOW + 60)

    threads = [threading.Thread(target=pause) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert made.faults.calls == ["pause_subdomain"]


def test_an_accounts_pause_doubles_up_to_the_longest() -> None:
    made = Board()
    lengths = []
    for _ in range(12):
        made.board.back_off(made.account(), ErrorCode.UNAVAILABLE)
        lengths.append(made.account().pause_seconds)
        assert made.account().paused_until == NOW + made.account().pause_seconds

    assert lengths == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]
    assert made.table.accounts[ACCOUNT.instance_push_id].paused_until == NOW + 900


@pytest.mark.parametrize(("first", "longest"), [(5, 1), (1, 1)])
def test_the_first_pause_counts_even_if_it_is_longer_than_the_longest(first: float, longest: float) -> None:
    made = Board()
    made.board = made.pauses(made.shared.snapshot([ACCOUNT.instance_push_id]), first=first, longest=longest)

    for _ in range(2):
        made.board.back_off(made.account(), ErrorCode.UNAVAILABLE)
        assert made.account().pause_seconds == first


def test_the_longer_of_an_accounts_and_its_subdomains_pause_counts() -> None:
    for own, until in ((10, 30), (50, 50)):
        standing = AccountStanding(replace(ACCOUNT, paused_until=NOW + own), NOW + 30)
        assert standing.paused_until == NOW + until


def test_a_pause_that_cannot_be_written_holds_here() -> None:
    made = Board()
    made.faults.broken = {"pause_subdomain", "pause_account", "clear_pause"}

    made.board.pause_subdomain(ACME, NOW + 60)
    made.board.back_off(ACCOUNT, ErrorCode.WRONG_ADDRESS)
    paused = made.account()
    made.board.clear(ACCOUNT, None)

    assert made.board.known(ACCOUNT.instance_push_id).subdomain_paused_until == NOW + 60
    assert (paused.paused_until, paused.pause_reason) == (NOW + 2, "wrong_address")
    assert [error.operation for error in made.failed] == ["pause_subdomain", "pause_account", "clear_pause"]


def test_what_is_older_than_five_seconds_is_read_again() -> None:
    made = Board()
    made.table.paused_until[ACME] = NOW + 60
    seen = []
    for seconds in (5, 0.1, 5, 0.1):
        made.clock.advance(seconds)
        seen.append(made.board.standing(ACCOUNT.instance_push_id).subdomain_paused_until)
        made.table.paused_until[ACME] = NOW + 60 + len(seen)

    assert seen == [0, NOW + 61, NOW + 61, NOW + 63]
    assert made.faults.calls == ["snapshot", "snapshot"]


def test_a_pause_of_its_own_is_not_forgotten_when_the_table_is_read_again() -> None:
    made = Board()
    made.faults.broken = {"pause_subdomain"}
    made.board.pause_subdomain(ACME, NOW + 60)
    made.table.paused_until[ACME] = NOW + 30
    made.clock.advance(6)

    assert made.board.standing(ACCOUNT.instance_push_id).subdomain_paused_until == NOW + 60


def test_an_account_that_is_gone_when_it_is_read_again_is_unknown() -> None:
    made = Board()
    del made.table.accounts[ACCOUNT.instance_push_id]
    made.clock.advance(6)

    assert made.board.standing(ACCOUNT.instance_push_id).account is None


def test_what_the_table_did_not_answer_is_asked_again_later_and_fails_until_then() -> None:
    made = Board()
    key = ACCOUNT.instance_push_id
    made.board = made.pauses(Snapshot({}, {}, unread=frozenset({key})))

    with pytest.raises(StoreUnavailableError):
        made.board.standing(key)
    made.clock.advance(6)
    assert made.board.standing(key).account == ACCOUNT

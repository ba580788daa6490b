"""Pauses as one invocation knows them, and what it writes of them for the others."""

import threading
from dataclasses import replace

import pytest

from push_content.accounts.pauses import InvocationPauses
from push_content.outcomes.error_codes import ErrorCode
from unit.push_content.world import Faulty, FaultyPauses
from zendesk_channel.accounts import Account, AccountState
from zendesk_channel.contract import InstancePushId, Subdomain
from zendesk_channel.errors import StoreError
from zendesk_channel.push_state import Standing
from zendesk_push.in_memory.accounts import InMemoryTable

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
        standing = Standing({ACCOUNT.instance_push_id: ACCOUNT}, {ACME: paused_until} if paused_until else {})
        self.board = InvocationPauses(
            FaultyPauses(self.table, self.faults),
            standing,
            first_pause=2,
            longest_pause=900,
            store_failed=self.failed.append,
        )


def test_a_subdomains_pause_is_written_only_when_it_grows() -> None:
    made = Board(paused_until=NOW + 30)
    for seconds in (20, 30, 60, 60, 40, 61):
        made.board.pause_subdomain(ACME, NOW + seconds)

    assert made.faults.calls == ["pause_subdomain"] * 2
    assert made.board.subdomain_paused_until(ACME) == made.table.paused_until[ACME] == NOW + 61


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
    account = ACCOUNT
    lengths = []
    for _ in range(12):
        account = made.board.back_off(account, ErrorCode.UNAVAILABLE, NOW)
        lengths.append(account.pause_seconds)
        assert account.paused_until == NOW + account.pause_seconds == made.board.paused_until(account)

    assert lengths == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]
    assert made.table.accounts[ACCOUNT.instance_push_id].paused_until == NOW + 900


@pytest.mark.parametrize(("first", "longest"), [(5, 1), (1, 1)])
def test_the_first_pause_counts_even_if_it_is_longer_than_the_longest(first: float, longest: float) -> None:
    made = Board()
    board = InvocationPauses(
        FaultyPauses(made.table, made.faults),
        Standing({}, {}),
        first_pause=first,
        longest_pause=longest,
        store_failed=made.failed.append,
    )

    once = board.back_off(ACCOUNT, ErrorCode.UNAVAILABLE, NOW)
    assert board.back_off(once, ErrorCode.UNAVAILABLE, NOW).pause_seconds == first


def test_the_longer_of_an_accounts_and_its_subdomains_pause_counts() -> None:
    made = Board(paused_until=NOW + 30)

    assert made.board.paused_until(replace(ACCOUNT, paused_until=NOW + 10)) == NOW + 30
    assert made.board.paused_until(replace(ACCOUNT, paused_until=NOW + 50)) == NOW + 50


def test_a_pause_that_cannot_be_written_holds_here() -> None:
    made = Board()
    made.faults.broken = {"pause_subdomain", "pause_account", "clear_pause"}

    made.board.pause_subdomain(ACME, NOW + 60)
    paused = made.board.back_off(ACCOUNT, ErrorCode.WRONG_ADDRESS, NOW)
    made.board.clear(ACCOUNT, None)

    assert made.board.subdomain_paused_until(ACME) == NOW + 60
    assert (paused.paused_until, paused.pause_reason) == (NOW + 2, "wrong_address")
    assert [error.operation for error in made.failed] == ["pause_subdomain", "pause_account", "clear_pause"]

"""The schedule's slices: who is marked, who is healed, and how it goes on."""

import json
from dataclasses import replace
from typing import Any

import pytest

from push_content.accounts.revalidation import Cursor
from worlds.admin_requests import AdminContext
from worlds.admin_world import AdminWorld
from zendesk_channel.accounts import Account, AccountState
from zendesk_channel.contract import InstancePushId, PushToken, Subdomain

TOKEN = "a" * 64
CREATE = "create_integration_instance"
DAY = 24 * 3600


@pytest.fixture
def world() -> AdminWorld:
    return AdminWorld()


def connect(world: AdminWorld, name: str, subdomain: str = "acme") -> str:
    """Connect an account and save it."""
    metadata = world.connect(subdomain, account=name, token=TOKEN).metadata
    assert world.event(CREATE, metadata).status == 200
    return metadata


def metrics(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for line in capsys.readouterr().out.splitlines():
        values = json.loads(line)
        if "_aws" in values:
            found |= {name: value[0] for name, value in values.items() if isinstance(value, list)}
    return found


@pytest.mark.parametrize("status", [401, 403, 404, 302])
def test_a_refused_token_is_marked_and_rings_once_and_is_healed(
    world: AdminWorld, capsys: pytest.CaptureFixture[str], status: int
) -> None:
    connect(world, "one")
    connect(world, "two", "other")
    world.zendesk.before_answer = lambda asked: (
        world.zendesk.scripted.append((status, b"", {})) if asked.subdomain == "acme" else None
    )
    capsys.readouterr()
    for became in (1, 0):  # it is news the first time only
        world.revalidate()
        assert (world.known("one").refused, world.known("two").refused) == (True, False)
        assert metrics(capsys) == {
            "CredentialsRefused": became,
            "AccountsRefused": 1,
            "AccountsHealed": 0,
            "AccountsAbandoned": 0,
        }

    world.zendesk.before_answer = None
    assert world.revalidate() == {"healed": 1, "confirmed": 1}
    assert not world.known("one").refused
    assert metrics(capsys)["AccountsRefused"] == 0


@pytest.mark.parametrize("status", [500, 503, 429, 200])
def test_zendesk_being_down_is_not_a_refusal_and_heals_nothing(world: AdminWorld, status: int) -> None:
    connect(world, "one")
    connect(world, "two")
    world.accounts.mark_refused(world.known("two"))
    world.zendesk.scripted += [(status, b"<html>", {})] * 2
    assert world.revalidate() == {"no_verdict": 2}
    assert (world.known("one").refused, world.known("two").refused) == (False, True)


def test_an_inactive_account_is_marked_but_is_nobodys_concern(
    world: AdminWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    metadata = connect(world, "one")
    world.event("deactivate_integration_instance", metadata)
    world.zendesk.accepted.clear()
    capsys.readouterr()
    world.revalidate()
    assert world.known("one").refused
    counted = metrics(capsys)
    assert (counted["CredentialsRefused"], counted["AccountsRefused"]) == (0, 0)


def test_tombstones_are_not_asked_about(world: AdminWorld) -> None:
    world.event("destroy_integration_instance", connect(world, "one"))
    world.zendesk.asked.clear()
    assert world.revalidate() == {"skipped": 1}
    assert world.zendesk.asked == []


# Abandoned: never saved, and refused by now


def test_who_never_saved_is_removed_after_a_day_and_no_alarm_rings(
    world: AdminWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    metadata = world.connect(account="one", token=TOKEN).metadata
    world.zendesk.accepted.clear()  # the administrator closed the page
    world.clock.time += DAY - 60
    assert world.revalidate() == {"refused": 1}
    world.clock.time += 120
    assert world.revalidate() == {"abandoned": 1}

    account = world.known("one")
    assert (account.state, account.nonce, account.token_version) == (AccountState.DELETED, None, "")
    assert account.subdomain == "acme"
    assert world.secret_deleted("one")
    assert metrics(capsys)["CredentialsRefused"] == 0
    assert world.revalidate() == {"skipped": 1}
    # Its metadata speaks for nobody any more, as a destroyed account's.
    world.event(CREATE, metadata)
    assert world.known("one").state is AccountState.DELETED


def test_who_was_abandoned_can_be_added_again(world: AdminWorld) -> None:
    world.connect(account="one", token=TOKEN)
    old_nonce = world.known("one").nonce
    world.zendesk.accepted.clear()
    world.clock.time += DAY + 1
    world.revalidate()
    metadata = connect(world, "one")
    account = world.known("one")
    assert (account.state, world.token(account)) == (AccountState.ACTIVE, TOKEN)
    assert account.nonce not in (None, old_nonce)
    assert world.read_metadata(metadata).speaks_for(account)
    assert account.saved
    assert world.revalidate() == {"confirmed": 1}


@pytest.mark.parametrize("answer", [(500, b"", {}), (200, b"null", {})])
def test_nobody_is_abandoned_without_a_refusal(world: AdminWorld, answer: Any) -> None:
    world.connect(account="one", token=TOKEN)
    world.clock.time += 30 * DAY
    world.zendesk.scripted.append(answer)
    world.revalidate()
    assert world.known("one").state is AccountState.ACTIVE


@pytest.mark.parametrize("how", ["create", "activate", "delivery"])
def test_who_has_saved_is_not_abandoned_but_refused(
    world: AdminWorld, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    metadata = world.connect(account="one", token=TOKEN).metadata
    if how == "delivery":
        world.table.put(replace(world.known("one"), last_delivery_at=world.clock.time + 5))
    else:
        world.event(f"{how}_integration_instance", metadata)
    world.zendesk.accepted.clear()
    world.clock.time += 30 * DAY
    capsys.readouterr()
    assert world.revalidate() == {"refused": 1}
    assert world.known("one").state is AccountState.ACTIVE
    assert metrics(capsys)["CredentialsRefused"] == 1


def test_a_delivery_of_an_earlier_life_saves_nobody(world: AdminWorld) -> None:
    metadata = connect(world, "one")
    world.table.put(replace(world.known("one"), last_delivery_at=world.clock.time))
    world.clock.time += DAY
    world.event("destroy_integration_instance", metadata)
    world.connect(account="one", token=TOKEN)
    assert not world.known("one").saved
    world.zendesk.accepted.clear()
    world.clock.time += DAY + 1
    assert world.revalidate() == {"abandoned": 1}


def test_what_a_failure_left_of_a_removal_is_finished(world: AdminWorld) -> None:
    metadata = connect(world, "one")
    world.event("destroy_integration_instance", metadata)
    gone = world.known("one")
    world.credentials.restore(gone.instance_push_id)
    world.table.put(replace(gone, token_version=PushToken(TOKEN).version))
    assert world.revalidate() == {"destroyed": 1}
    assert world.secret_deleted("one")
    assert world.known("one").token_version == ""


# Accounts that an operator names


def test_named_accounts_are_checked_and_the_round_goes_on_where_it_was(world: AdminWorld) -> None:
    for name in ("one", "two"):
        connect(world, name)
    world.accounts.mark_refused(world.known("two"))
    world.cursors.write(Cursor("somewhere", 3))
    assert world.revalidate(accounts=["one", "two", "three", "no id"]) == {
        "one": "confirmed",
        "two": "healed",
        "three": "unknown",
        "no id": "unknown",
    }
    assert world.cursors.read() == Cursor("somewhere", 3)


def token_of(name: str) -> PushToken:
    return PushToken(f"token-of-{name}")


def store(world: AdminWorld, number: int) -> list[str]:
    """Accounts straight into the stores: registering hundreds is another test's business."""
    names = [f"account-{n}" for n in range(number)]
    for name in names:
        account_id = InstancePushId(name)
        world.credentials.store(account_id, token_of(name))
        world.accounts.save(
            Account(
                account_id,
                Subdomain("acme"),
                AccountState.ACTIVE,
                revision=0,
                token_version=token_of(name).version,
            )
        )
        world.zendesk.accept("acme", name, token_of(name).reveal())
    return names


def asked_of(world: AdminWorld) -> list[str]:
    asked = [asked.body["instance_push_id"] for asked in world.zendesk.asked]
    world.zendesk.asked.clear()
    return asked


def test_a_run_that_runs_out_of_time_is_continued_by_the_next(world: AdminWorld) -> None:
    names = store(world, 10)
    seen: list[list[str]] = []
    for _ in range(3):
        world.revalidate(TimeForPages(1))
        seen.append(asked_of(world))
    assert [len(part) for part in seen] == [4, 4, 2]
    assert sorted(name for part in seen for name in part) == sorted(names)
    # Whoever was asked about longest ago is next.
    world.revalidate(TimeForPages(1))
    assert sorted(asked_of(world)) == sorted(seen[0])


def test_one_run_asks_about_everybody_once_if_there_is_time(world: AdminWorld) -> None:
    names = store(world, 9)
    world.revalidate()
    assert sorted(asked_of(world)) == sorted(names)


def test_without_time_nothing_is_begun(world: AdminWorld) -> None:
    store(world, 1)
    world.revalidate(AdminContext(remaining_ms=2_000))
    assert asked_of(world) == []


def test_one_account_that_aws_fails_for_stops_no_other(world: AdminWorld) -> None:
    names = store(world, 3)
    world.credentials.failing.add(InstancePushId(names[0]))
    assert world.revalidate() == {"confirmed": 2, "failed": 1}
    assert sorted(asked_of(world)) == sorted(names[1:])


def test_the_refused_of_a_round_are_added_up_over_its_runs(
    world: AdminWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in store(world, 10):
        world.table.put(replace(world.known(name), saved_at=1.0))
    world.zendesk.accepted.clear()
    gauges = []
    for _ in range(6):
        world.revalidate(TimeForPages(1))
        gauges.append(metrics(capsys).get("AccountsRefused"))
    assert gauges == [None, None, 10, None, None, 10]


class TimeForPages:
    """A Lambda context whose time is up after so many pages."""

    aws_request_id = "tick"

    def __init__(self, pages: int) -> None:
        self._pages = pages

    def get_remaining_time_in_millis(self) -> int:
        self._pages -= 1
        return 20_000 if self._pages >= 0 else 1_000

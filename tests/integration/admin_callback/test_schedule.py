"""The schedule's slices: who is marked, who is healed, and how it goes on."""

import json
from typing import Any

import pytest

from integration.admin_callback.world import World
from worlds.admin_requests import LambdaContext
from zendesk_channel.accounts import Account, AccountState
from zendesk_channel.contract import InstancePushId, PushToken, Subdomain

TOKEN = "a" * 64


def metrics(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for line in capsys.readouterr().out.splitlines():
        values = json.loads(line)
        if "_aws" in values:
            found |= {name: value[0] for name, value in values.items() if isinstance(value, list)}
    return found


@pytest.mark.parametrize("status", [401, 403, 404, 302])
def test_a_refused_token_is_marked_and_healed(
    world: World, capsys: pytest.CaptureFixture[str], status: int
) -> None:
    world.connect(account="one", token=TOKEN)
    world.connect(account="two", token=TOKEN, subdomain="other")
    world.zendesk.before_answer = lambda asked: (
        world.zendesk.scripted.append((status, b"", {})) if asked.subdomain == "acme" else None
    )
    capsys.readouterr()
    world.revalidate()
    assert (world.known("one").refused, world.known("two").refused) == (True, False)
    assert metrics(capsys) == {"AccountsRefused": 1, "AccountsHealed": 0}

    world.zendesk.before_answer = None
    world.revalidate()
    assert not world.known("one").refused
    assert metrics(capsys) == {"AccountsRefused": 0, "AccountsHealed": 1}


@pytest.mark.parametrize("status", [500, 503, 429, 200])
def test_zendesk_being_down_is_not_a_refusal_and_heals_nothing(world: World, status: int) -> None:
    world.connect(account="one", token=TOKEN)
    world.connect(account="two", token=TOKEN)
    world.accounts.mark_refused(world.known("two"))
    world.zendesk.scripted += [(status, b"<html>", {})] * 2
    world.revalidate()
    assert (world.known("one").refused, world.known("two").refused) == (False, True)


def test_an_inactive_account_is_marked_but_raises_no_alarm(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    metadata = world.connect(account="one", token=TOKEN).metadata
    world.event("deactivate_integration_instance", metadata)
    world.zendesk.accepted.clear()
    capsys.readouterr()
    world.revalidate()
    assert world.known("one").refused
    assert metrics(capsys)["AccountsRefused"] == 0


def test_tombstones_are_not_asked_about(world: World) -> None:
    metadata = world.connect(account="one", token=TOKEN).metadata
    world.event("destroy_integration_instance", metadata)
    world.zendesk.asked.clear()
    world.revalidate()
    assert world.zendesk.asked == []


def found(capsys: pytest.CaptureFixture[str]) -> dict[str, int]:
    """What a run says that it has found."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (totals,) = [line["found"] for line in lines if line.get("message") == "revalidation"]
    return dict(totals)


def token_of(name: str) -> PushToken:
    return PushToken(f"token-of-{name}")


def store(world: World, number: int) -> list[str]:
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


def asked_of(world: World) -> list[str]:
    asked = [asked.body["instance_push_id"] for asked in world.zendesk.asked]
    world.zendesk.asked.clear()
    return asked


def test_a_run_that_runs_out_of_time_is_continued_by_the_next(world: World) -> None:
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


def test_one_run_asks_about_everybody_once_if_there_is_time(world: World) -> None:
    names = store(world, 9)
    world.revalidate()
    assert sorted(asked_of(world)) == sorted(names)


def test_without_time_nothing_is_begun(world: World) -> None:
    store(world, 1)
    world.revalidate(LambdaContext(remaining_ms=2_000))
    assert asked_of(world) == []


def test_other_items_of_the_table_are_no_accounts(world: World) -> None:
    names = store(world, 2)
    world.dynamodb.put_item(
        TableName="accounts", Item={"pk": {"S": "subdomain#acme"}, "paused_until": {"N": "1"}}
    )
    world.revalidate()
    world.revalidate()  # by now the cursor is in there as well
    assert sorted(asked_of(world)) == sorted(names * 2)


def test_one_account_that_aws_fails_for_stops_no_other(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    names = store(world, 3)
    world.dynamodb.update_item(
        TableName="accounts",
        Key={"pk": {"S": f"account#{names[0]}"}},
        UpdateExpression="SET token_version = :v",
        ExpressionAttributeValues={":v": {"S": "short"}},  # AWS refuses to read a version of such a name
    )
    capsys.readouterr()
    world.revalidate()
    assert sorted(asked_of(world)) == sorted(names[1:])
    assert found(capsys) == {"confirmed": 2, "failed": 1}


class TimeForPages:
    """A Lambda context whose time is up after so many pages."""

    aws_request_id = "tick"

    def __init__(self, pages: int) -> None:
        self._pages = pages

    def get_remaining_time_in_millis(self) -> int:
        self._pages -= 1
        return 20_000 if self._pages >= 0 else 1_000

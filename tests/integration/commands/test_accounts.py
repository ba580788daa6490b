"""The accounts as an operator sees them."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from integration.commands.conftest import Deployed, Ran, account
from zendesk_channel.accounts import AccountsTable, AccountState
from zendesk_channel.contract import Subdomain
from zendesk_channel.push_state import SharedPauses
from zendesk_push.local_registry import STACK_NAME


@pytest.fixture
def pauses(stack: Deployed) -> SharedPauses:
    return SharedPauses(stack.client("dynamodb"), stack.table)


def listed(command: Callable[..., Ran], *options: str) -> dict[str, Any]:
    return {entry["instance_push_id"]: entry for entry in command("accounts", "--json", *options).json}


def test_none_yet(command: Callable[..., Ran]) -> None:
    ran = command("accounts")
    assert (ran.code, ran.out, ran.err) == (0, "", "no accounts are registered yet\n")
    assert command("accounts", "--json").json == []


def test_each_state(command: Callable[..., Ran], table: AccountsTable) -> None:
    table.save(account("a"))
    table.save(account("b", state=AccountState.INACTIVE))
    table.save(account("c", state=AccountState.DELETED, token_version=""))
    table.mark_refused(table.save(account("d")))
    renewed = table.save(account("e"))
    table.mark_refused(renewed)
    table.save(replace(renewed, token_version="v2"))
    states = {key: entry["state"] for key, entry in listed(command).items()}
    assert states == {"a": "active", "b": "inactive", "c": "deleted", "d": "refused", "e": "active"}
    assert listed(command, "--state", "refused").keys() == {"d"}
    assert listed(command, "--state", "inactive", "--state", "deleted").keys() == {"b", "c"}


def test_pauses_are_the_accounts_or_the_whole_subdomains(
    command: Callable[..., Ran], table: AccountsTable, pauses: SharedPauses
) -> None:
    later, much_later = time.time() + 600, time.time() + 6000
    own, both, past = (
        table.save(account(key, subdomain)) for key, subdomain in (("a", "x"), ("b", "y"), ("c", "z"))
    )
    pauses.pause_account(own, later, pause_seconds=4, reason="wrong_address")
    pauses.pause_account(both, later, pause_seconds=4, reason="unavailable")
    pauses.pause_subdomain(Subdomain("y"), much_later)
    pauses.pause_account(past, time.time() - 1, pause_seconds=4, reason="unavailable")
    found = {key: entry["pause_reason"] for key, entry in listed(command).items()}
    assert found == {"a": "wrong_address", "b": "throttled", "c": None}
    assert listed(command)["c"]["paused_until"] is None
    assert listed(command)["b"]["paused_until"] > listed(command)["a"]["paused_until"]
    assert listed(command, "--subdomain", "x").keys() == {"a"}


def test_the_table_has_a_line_for_each_whatever_their_names_hold(
    command: Callable[..., Ran], table: AccountsTable, pauses: SharedPauses
) -> None:
    named = table.save(account("a", name="[bold]\x1b[31mred"))
    pauses.note(named, delivered_at=time.time() - 3700)
    for number in range(150):  # more than one page
        table.save(account(f"n{number}", "other", name=None))
    ran = command("accounts")
    lines = ran.out.splitlines()
    assert len(lines) == 152
    assert lines[0].split() == [
        "INSTANCE_PUSH_ID",
        "SUBDOMAIN",
        "NAME",
        "STATE",
        "PAUSED",
        "FOR",
        "LAST",
        "DELIVERY",
        "LAST",
        "FAILURE",
    ]
    assert "[bold]\ufffd[31mred" in lines[1]
    assert "1h 1m ago" in lines[1]
    assert "\x1b" not in ran.out
    assert "never" in lines[2]


def test_a_table_that_is_not_there_is_one_line(command: Callable[..., Ran]) -> None:
    ran = command("accounts", "--accounts-table", "none")
    assert ran.code == 1
    assert (
        ran.err
        == "zendesk-push: the accounts table none can't be read: Scan failed with ResourceNotFoundException\n"
    )


def test_a_spoilt_record_hides_no_other(
    command: Callable[..., Ran], table: AccountsTable, stack: Deployed
) -> None:
    table.save(account("a"))
    stack.client("dynamodb").put_item(TableName=stack.table, Item={"pk": {"S": "account#x"}})
    assert listed(command).keys() == {"a"}


def test_pause_and_resume(command: Callable[..., Ran], table: AccountsTable) -> None:
    table.save(account("a", "acme", name="Shop"))
    assert command("accounts", "pause", "acme").out.startswith("acme (Shop): paused: its messages wait")
    assert listed(command)["a"]["state"] == "paused"
    assert "was paused already" in command("accounts", "pause", "a").out
    assert "resumed" in command("accounts", "resume", "acme").out
    assert listed(command)["a"]["state"] == "active"
    assert command("accounts", "resume", "acme", "--json").json["result"] == "was not paused by an operator"


def test_show_tells_what_is_known(command: Callable[..., Ran], table: AccountsTable) -> None:
    table.save(account("abc-1", "acme", name="Shop"))
    table.save(account("abd-2", "globex", state=AccountState.INACTIVE))
    shown = command("accounts", "show", "abc").out
    assert "state: active, and not saved by its administrator yet\n" in shown
    assert "last failure: never\n" in shown
    assert command("accounts", "show", "globex", "--json").json["state"] == "inactive"
    for wanted, says in (("ab", "2 accounts are called 'ab': "), ("x", "no account is called 'x'")):
        ran = command("accounts", "show", wanted)
        assert (ran.code, says in ran.err) == (1, True)
    assert command("accounts", "show", "").code == 2


def test_forget_removes_it_as_its_administrator_would(
    command: Callable[..., Ran], table: AccountsTable, stack: Deployed
) -> None:
    secrets = stack.client("secretsmanager")
    secrets.create_secret(Name=f"{STACK_NAME}/a", SecretString="token")
    table.save(account("a", "acme", nonce="n"))
    assert command("accounts", "forget", "acme").code == 2  # nobody is there to confirm it
    assert command("accounts", "forget", "acme", "--yes").code == 0
    assert listed(command)["a"]["state"] == "deleted"
    assert "DeletedDate" in secrets.describe_secret(SecretId=f"{STACK_NAME}/a")
    assert "was removed already" in command("accounts", "forget", "acme", "--yes").out

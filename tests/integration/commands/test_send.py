"""What ``send`` puts on a queue is what stood in the file."""

import hashlib
import io
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from integration.commands.conftest import Deployed, Ran, account, visible
from zendesk_channel.accounts import AccountsTable, AccountState
from zendesk_channel.contract import InstancePushId

GOOD = (
    '{"instance_push_id": "acc-1", "external_resources": [ {"external_id":"e","message":"\\u00fc",'
    '"created_at":"2026-01-31T12:00:00Z","author":{"external_id":"a"},"n":1e400,"n":7.0} ]}'
)


def message(account: str = "acc-1", **resource: Any) -> str:
    good = {
        "external_id": "e",
        "message": "m",
        "created_at": "2026-01-31T12:00:00Z",
        "author": {"external_id": "a"},
    }
    return json.dumps({"instance_push_id": account, "external_resources": [good | resource]})


def test_lines_arrive_as_they_stand_with_their_account_as_the_group(
    stack: Deployed, command: Callable[..., Ran], tmp_path: Path
) -> None:
    path = tmp_path / "messages.jsonl"
    path.write_text("\n".join([GOOD, *(message(f"acc-{n}") for n in range(24))]) + "\n")
    ran = command("send", str(path))
    assert (ran.code, ran.err) == (0, "")
    *ids, summary = ran.out.splitlines()
    assert summary == "25 of 25 messages sent"
    arrived = stack.messages(stack.queue_url)
    assert {line.split()[0] for line in ids} == {entry["MessageId"] for entry in arrived}
    assert {line.split()[1] for line in ids} == {"e"}
    assert sorted(entry["Body"] for entry in arrived) == sorted(path.read_text().splitlines())
    for entry in arrived:
        assert entry["Attributes"]["MessageGroupId"] == json.loads(entry["Body"])["instance_push_id"]


def test_a_long_account_is_hashed_for_the_group(
    stack: Deployed, command: Callable[..., Ran], tmp_path: Path
) -> None:
    path = tmp_path / "messages.json"
    path.write_text(f"[{message('a' * 128)}, {message('b' * 129)}]")
    assert command("send", str(path)).code == 0
    groups = {entry["Attributes"]["MessageGroupId"] for entry in stack.messages(stack.queue_url)}
    assert groups == {"a" * 128, hashlib.sha256(b"b" * 129).hexdigest()}


def test_stdin(stack: Deployed, command: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(GOOD.encode())))
    assert command("send", "-").out.endswith("\n1 of 1 message sent\n")
    assert [entry["Body"] for entry in stack.messages(stack.queue_url)] == [GOOD]


def test_what_is_too_large_is_named_and_the_rest_is_sent(
    stack: Deployed, command: Callable[..., Ran], tmp_path: Path
) -> None:
    path = tmp_path / "messages.jsonl"
    path.write_text("\n".join([message(), message(message="x" * 1_000_000), message()]))
    ran = command("send", str(path))
    assert ran.code == 1
    assert ran.out.endswith("\n2 of 3 messages sent\n")
    assert f"{path}:2: not sent: its 1,000," in ran.err
    assert len(stack.messages(stack.queue_url)) == 2


def test_large_messages_are_spread_over_batches(
    stack: Deployed, command: Callable[..., Ran], tmp_path: Path
) -> None:
    path = tmp_path / "messages.jsonl"
    path.write_text("\n".join(message(f"acc-{n}", message="x" * 400_000) for n in range(5)))
    assert command("send", str(path)).code == 0
    assert len(stack.messages(stack.queue_url)) == 5


def test_check_sends_nothing_if_anything_would_be_refused(
    stack: Deployed, command: Callable[..., Ran], tmp_path: Path, table: AccountsTable
) -> None:
    path = tmp_path / "messages.jsonl"
    path.write_text("\n".join([message(), "", message(message=""), message("not an id"), '{"a": 1}']))
    table.save(account("acc-1"))
    ran = command("send", "--check", str(path))
    assert ran.code == 1
    assert ran.err.splitlines()[:2] == [
        f"{path}:3: external_resources[0].message must not be empty",
        f"{path}:4: instance_push_id must be 1 to 255 letters, digits, '-' or '_'",
    ]
    assert f"{path}:5: " in ran.err.splitlines()[2]
    assert ran.err.splitlines()[3:] == ["3 of 4 messages would not arrive; nothing was sent"]
    assert stack.messages(stack.queue_url) == []


def test_check_sends_what_it_only_warns_of(
    stack: Deployed, command: Callable[..., Ran], tmp_path: Path, table: AccountsTable
) -> None:
    path = tmp_path / "messages.jsonl"
    path.write_text(message(external_id="é").replace('"instance', '"trace": 1e400, "instance'))
    table.save(account("acc-1"))
    table.pause_by_operator(InstancePushId("acc-1"), 1)
    ran = command("send", "--check", str(path))
    assert ran.code == 0
    assert ran.err.splitlines() == [
        f"{path}:1: warning: account acc-1 is paused by an operator: the message waits",
        f"{path}:1: warning: trace is not Zendesk's: it stays here and does not go along",
        f"{path}:1: warning: external_resources[0].external_id should be ASCII, according to Zendesk's documentation",
    ]


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (None, "is not connected: the message would wait, and end as unknown_account"),
        (AccountState.INACTIVE, "is inactive: the message would wait, and end as inactive_account"),
    ],
)
def test_check_asks_whether_the_account_is_connected(
    stack: Deployed,
    command: Callable[..., Ran],
    tmp_path: Path,
    table: AccountsTable,
    state: AccountState | None,
    says: str,
) -> None:
    path = tmp_path / "messages.jsonl"
    path.write_text(f"{message()}\n{message()}")
    if state is not None:
        table.save(account("acc-1", state=state))
    ran = command("send", "--check", str(path))
    assert ran.code == 1
    assert ran.err.count(f"account acc-1 {says}") == 1
    assert "2 of 2 messages would not arrive" in ran.err
    assert stack.messages(stack.queue_url) == []


def test_one_message_is_written_for_an_account_by_its_subdomain(
    stack: Deployed, command: Callable[..., Ran], table: AccountsTable
) -> None:
    table.save(account("acc-1", "acme"))
    text = 'It\'s "here" \U0001f600 :smile:'
    ran = command("send", "--to", "acme", "--message", text, "--check")
    assert (ran.code, ran.err) == (0, "")
    [arrived] = stack.messages(stack.queue_url)
    body = json.loads(arrived["Body"])
    assert body["instance_push_id"] == arrived["Attributes"]["MessageGroupId"] == "acc-1"
    assert body["external_resources"][0]["message"] == text
    assert body["external_resources"][0]["external_id"] in ran.out


def test_a_files_messages_go_to_another_account_and_are_else_as_they_were(
    stack: Deployed, command: Callable[..., Ran], tmp_path: Path, table: AccountsTable
) -> None:
    table.save(account("acc-2", "acme"))
    path = tmp_path / "messages.jsonl"
    path.write_text(GOOD + '\n{"external_resources":[1]}\n{ }')
    assert command("send", str(path), "--to", "acc-2").code == 0
    assert sorted(entry["Body"] for entry in stack.messages(stack.queue_url)) == sorted(
        [
            GOOD.replace('"acc-1"', '"acc-2"'),
            '{"instance_push_id": "acc-2", "external_resources":[1]}',
            '{"instance_push_id": "acc-2"}',
        ]
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "Give FILE, or --message TEXT"),
        (["x.json", "--message", "text", "--to", "a"], "Give FILE, or --message TEXT"),
        (["--message", "text"], "--message needs --to ACCOUNT"),
        (["--message", "text", "--to", ""], "the account is empty"),
        (["--message", " ", "--to", "a"], "--message is empty"),
        (["x.json", "--exported", "--to", "a"], "not with --to"),
        (["x.json", "--wait", "soon"], "is not a span of time"),
    ],
)
def test_wrong_use_is_one_line(command: Callable[..., Ran], arguments: list[str], says: str) -> None:
    ran = command("send", *arguments)
    assert ran.code == 2
    assert says in ran.err


def test_an_account_that_nobody_has_connected_is_named(command: Callable[..., Ran]) -> None:
    ran = command("send", "--message", "text", "--to", "acme")
    assert (ran.code, "no account is called 'acme'" in ran.err) == (1, True)


def test_without_check_what_is_no_message_is_sent_with_a_warning(
    stack: Deployed, command: Callable[..., Ran], tmp_path: Path
) -> None:
    path = tmp_path / "messages.jsonl"
    path.write_text("NaN\n" + GOOD)
    ran = command("send", "--lines", str(path))
    assert ran.code == 0
    assert "1 message will end as a dead letter, invalid_message" in ran.err
    arrived = {
        entry["Body"]: entry["Attributes"].get("MessageGroupId") for entry in stack.messages(stack.queue_url)
    }
    assert arrived == {"NaN": None, GOOD: "acc-1"}


def test_a_dry_run_sends_nothing(stack: Deployed, command: Callable[..., Ran], tmp_path: Path) -> None:
    path = tmp_path / "messages.json"
    path.write_text(GOOD)
    assert command("send", "--dry-run", str(path)).out == "1 message would be sent\n"
    assert stack.messages(stack.queue_url) == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "holds no messages"),
        (b"[]", "holds no messages"),
        (b"{", "has no end. Nothing was sent"),
        (b"\xff", "UTF-8"),
    ],
)
def test_a_file_that_makes_no_sense_is_one_line_and_code_2(
    command: Callable[..., Ran], tmp_path: Path, content: bytes, says: str
) -> None:
    path = tmp_path / "messages.json"
    path.write_bytes(content)
    ran = command("send", str(path))
    assert ran.code == 2
    assert says in ran.err
    assert ran.err.count("\n") == 1


def test_a_file_that_is_not_there(command: Callable[..., Ran], tmp_path: Path) -> None:
    ran = command("send", str(tmp_path / "none"))
    assert (ran.code, ran.err) == (
        1,
        f"zendesk-push: {tmp_path / 'none'} can't be read: No such file or directory\n",
    )


def test_a_queue_that_is_not_there_accounts_for_every_message(
    stack: Deployed, command: Callable[..., Ran], tmp_path: Path
) -> None:
    path = tmp_path / "messages.jsonl"
    path.write_text("\n".join(message() for _ in range(11)))
    ran = command("send", str(path), "--queue-url", f"{stack.queue_url}-none")
    assert ran.code == 1
    assert ran.out == "0 of 11 messages sent\n"
    assert len(ran.err.splitlines()) == 11
    assert f"{path}:11: not sent: not tried after: " in ran.err


def test_who_interrupts_it_is_told_how_far_it_came(stack: Deployed, ready_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "messages.jsonl"
    path.write_text("\n".join(message() for _ in range(20_000)))
    # Ctrl-C as on a terminal: whoever runs the tests may have told processes to ignore it.
    program = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from zendesk_push.cli import main; sys.exit(main())"
    )
    arguments = [sys.executable, "-c", program, "send", str(path), "--ready-file", str(ready_file)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as sending:
        looked = threading.Event()
        while visible(stack, stack.queue_url) < 10 and sending.poll() is None:
            looked.wait(0.05)
        sending.send_signal(signal.SIGINT)
        out, err = sending.communicate()

    assert sending.returncode == 130
    *ids, summary = out.splitlines()
    assert summary == f"{len(ids):,} of 20,000 messages sent"
    assert f"stopped: {20_000 - len(ids):,} were not tried" in err
    assert len(ids) == visible(stack, stack.queue_url) < 20_000

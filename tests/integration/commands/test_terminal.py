"""The commands on a terminal, and interrupted there: a pseudo-terminal, and signals to a process."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from integration.commands.conftest import Deployed, account, visible
from zendesk_channel.accounts import AccountsTable

PROGRAM = "from zendesk_push.cli import main; import sys; sys.exit(main())"
# Ctrl-C as on a terminal: whoever runs the tests may have told processes to ignore it.
INTERRUPTIBLE = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler); {PROGRAM}"


@dataclass
class TerminalSession:
    """A command on a terminal of 80 columns; what it has shown grows while it runs."""

    ready_file: Path
    environment: dict[str, str]
    shown: str = ""
    grown: threading.Condition = field(default_factory=threading.Condition)
    process: "subprocess.Popen[bytes] | None" = None
    master: int = -1

    def start(self, *arguments: str) -> None:
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", INTERRUPTIBLE, *arguments, "--ready-file", str(self.ready_file)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={**os.environ, **self.environment, "COLUMNS": "80", "LINES": "24", "TERM": "xterm"},
        )
        os.close(slave)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self.master, 65_536)
            except OSError:  # Linux's way of saying that the other end is closed
                data = b""
            with self.grown:
                self.shown += data.decode(errors="replace")
                self.grown.notify_all()
            if not data:
                return

    def wait_for(self, text: str) -> None:
        with self.grown:
            assert self.grown.wait_for(lambda: text in self.shown, timeout=60), self.shown

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def end(self) -> int:
        assert self.process is not None
        code = self.process.wait(60)
        os.close(self.master)
        return code


@pytest.fixture
def terminal(ready_file: Path) -> Iterator[TerminalSession]:
    terminal = TerminalSession(ready_file, {})
    yield terminal
    if terminal.process is not None and terminal.process.poll() is None:
        terminal.process.kill()
        terminal.process.wait()


def bury(stack: Deployed, count: int) -> None:
    for start in range(0, count, 10):
        stack.client("sqs").send_message_batch(
            QueueUrl=stack.dead_letter_queue_url,
            Entries=[
                {
                    "Id": str(number),
                    "MessageBody": json.dumps({"instance_push_id": "acc", "n": start + number}),
                }
                for number in range(min(10, count - start))
            ],
        )


def test_text_is_shown_as_it_is_and_no_id_is_wrapped(
    stack: Deployed, terminal: TerminalSession, table: AccountsTable
) -> None:
    keys = ["3cd1d2a5-aaf2-41fe-a9f1-519499605854", "a" * 100]
    for key in keys:
        table.save(account(key, "acme", name=":smile: [red]:100: " + "n" * 200))
    terminal.start("accounts", "list")
    assert terminal.end() == 0
    assert ":smile:" in terminal.shown
    for key in keys:
        assert any(line.startswith(key) for line in terminal.shown.splitlines())
    assert "\x1b[1mINSTANCE_PUSH_ID" in terminal.shown  # bold, and nothing else is styled
    assert len(re.findall("\x1b", terminal.shown)) == 2


def test_no_is_no(stack: Deployed, terminal: TerminalSession) -> None:
    bury(stack, 1)
    terminal.start("dlq", "redrive", "--all")
    terminal.wait_for("Redrive 1 dead letter? [y/N] ")
    terminal.type("n\n")
    assert terminal.end() == 1
    assert "nothing was redriven" in terminal.shown
    assert (visible(stack, stack.dead_letter_queue_url), visible(stack, stack.queue_url)) == (1, 0)


def test_ctrl_c_at_the_question_gives_everything_back(stack: Deployed, terminal: TerminalSession) -> None:
    bury(stack, 25)
    terminal.start("dlq", "purge", "--all")
    terminal.wait_for("[y/N]")
    assert visible(stack, stack.dead_letter_queue_url) == 0
    assert terminal.process is not None
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.end() == 130
    assert visible(stack, stack.dead_letter_queue_url) == 25


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_who_stops_a_redrive_is_told_what_was_done_and_nothing_stays_hidden(
    stack: Deployed, ready_file: Path, number: signal.Signals
) -> None:
    bury(stack, 300)
    arguments = ["dlq", "redrive", "--all", "--yes", "--ready-file", str(ready_file)]
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as redriving:
        looked = threading.Event()
        while not visible(stack, stack.queue_url) and redriving.poll() is None:
            looked.wait(0.02)
        redriving.send_signal(number)
        out, err = redriving.communicate(timeout=60)
    assert redriving.returncode == 130
    found = re.search(r"stopped: (\d+) of (\d+) dead letters redriven, (\d+) left as they were", out)
    assert found, out + err
    # A receive whose answer came too late hides its ten letters from everybody for a while: fewer may be selected.
    done, selected, left = map(int, found.groups())
    assert done + left == selected <= 300
    assert left > 0
    assert visible(stack, stack.queue_url) == done
    assert visible(stack, stack.dead_letter_queue_url) == left


def test_edit_opens_the_editor_on_the_body(
    stack: Deployed, terminal: TerminalSession, tmp_path: Path
) -> None:
    bury(stack, 1)
    editor = tmp_path / "an editor"
    editor.write_text('#!/bin/sh\nsed -i \'s/"n": 0/"external_resources": [1]/\' "$1"\n')
    editor.chmod(0o700)
    terminal.environment = {"EDITOR": f"'{editor}'", "VISUAL": ""}
    [letter] = stack.client("sqs").receive_message(QueueUrl=stack.dead_letter_queue_url, VisibilityTimeout=0)[
        "Messages"
    ]
    terminal.start("dlq", "edit", letter["MessageId"])
    terminal.wait_for("Send it, and remove the dead letter? [y/N] ")
    terminal.type("y\n")
    assert terminal.end() == 0
    [arrived] = stack.messages(stack.queue_url)
    assert json.loads(arrived["Body"]) == {"instance_push_id": "acc", "external_resources": [1]}
    assert visible(stack, stack.dead_letter_queue_url) == 0

"""The readers in docs/replies.md, as they stand there, on the local stack."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from integration.local.test_replies import LocalDesk
from machine_parts import missing
from zendesk_push.local.stack import LocalStack

ROOT: Final = Path(__file__).resolve().parents[3]
GUIDE: Final = (ROOT / "docs/replies.md").read_text("utf-8")
NODE_PACKAGES: Final = ROOT / ".tools/node/node_modules"


def example(language: str) -> str:
    """The one block in this language."""
    [block] = re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    return str(block)


def python(folder: Path) -> list[str]:
    (folder / "reader.py").write_text(example("python"), "utf-8")
    return [sys.executable, "reader.py"]


def node(folder: Path) -> list[str]:
    program = shutil.which("node")
    if program is None or not NODE_PACKAGES.is_dir():
        missing("node", "needs node on PATH and its packages (`make .tools/node/.installed`)")
    (folder / "reader.mjs").write_text(example("javascript"), "utf-8")
    (folder / "node_modules").symlink_to(NODE_PACKAGES)
    return [program, "reader.mjs"]


@pytest.fixture(scope="module")
def desk() -> Iterator[LocalDesk]:
    with LocalStack(parameters={"Replies": "enabled"}) as stack:
        yield LocalDesk(stack)


@contextmanager
def running(desk: LocalDesk, command: list[str], folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """The reader, until the test is done with it."""
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": desk.stack.aws_endpoint_url,
        "AWS_REGION": desk.stack.region,
        "AWS_DEFAULT_REGION": desk.stack.region,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "REPLIES_QUEUE_URL": str(desk.stack.replies_queue_url),
    }
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as reader:
        try:
            yield reader
        finally:
            reader.kill()


def _counts(desk: LocalDesk) -> tuple[int, int]:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    sqs = desk.stack.client("sqs")
    answer = sqs.get_queue_attributes(QueueUrl=desk.stack.replies_queue_url, AttributeNames=names)
    visible, hidden = (int(answer["Attributes"][name]) for name in names)
    return visible, hidden


@pytest.mark.parametrize("written", [python, node])
def test_a_reader_hands_over_each_reply_once(
    desk: LocalDesk, tmp_path: Path, written: Callable[[Path], list[str]]
) -> None:
    command = written(tmp_path)
    with running(desk, command, tmp_path) as reader:
        assert reader.stdout is not None
        texts = ["Hello Mira,\nit is there. 🙂", "Anything else?"]
        first = desk.answer(texts[0])
        assert json.loads(reader.stdout.readline()) == {"to": "customer-88", "text": texts[0]}
        # The same once more, as after a crash: it is taken off the queue, and not handed over.
        copy: dict[str, Any] = {
            "external_id": first.external_id,
            "recipient_id": "customer-88",
            "message": "?",
        }
        desk.stack.client("sqs").send_message(
            QueueUrl=desk.stack.replies_queue_url, MessageBody=json.dumps(copy)
        )
        desk.answer(texts[1])
        assert json.loads(reader.stdout.readline()) == {"to": "customer-88", "text": texts[1]}
    # What was handed over last may not be deleted yet; all before it is.
    assert sum(_counts(desk)) <= 1
    desk.queued()


@pytest.mark.parametrize("language", ["python", "javascript"])
def test_a_reader_is_twenty_lines(language: str) -> None:
    assert len([line for line in example(language).splitlines() if line.strip()]) <= 20


def test_the_note_in_the_guide_reaches_the_ticket(desk: LocalDesk) -> None:
    reply = desk.answer("Are you there?")
    [text] = re.findall(r"^```json\n(\{[^`]*?internal_note.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    note = json.loads(text.replace("3cd1d2a5-aaf2-41fe-a9f1-519499605854", desk.account.instance_push_id))
    shown = note["external_resources"][0]["parent_id"]
    body = json.dumps(note).replace(shown, str(reply.external_id))
    before = len(desk.zendesk.core.events.log)
    desk.stack.client("sqs").send_message(QueueUrl=desk.stack.queue_url, MessageBody=body)
    assert _reported(desk, before)
    assert desk.ticket.comments[-1].external_id == f"{reply.external_id}-failed"
    assert desk.ticket.comments[-1].resource["internal_note"] is True


def _reported(desk: LocalDesk, before: int) -> bool:
    """Wait until Zendesk has one more event to report than before."""
    arrived = threading.Event()
    core = desk.zendesk.core
    told = core.events.listener

    def listen(event: dict[str, Any]) -> None:
        if told is not None:
            told(event)
        arrived.set()

    with core.lock:
        if len(core.events.log) > before:
            return True
        core.events.listener = listen
    try:
        return arrived.wait(30)
    finally:
        core.events.listener = told

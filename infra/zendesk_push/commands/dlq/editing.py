"""``dlq edit``: one letter's body corrected, sent with its attributes, and the letter removed once it is sent."""

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from push_content.messages.message import InvalidMessageError, parse
from push_content.messages.sqs_record import SqsRecord
from zendesk_push.commands.dlq.acting import content_sender, report
from zendesk_push.commands.dlq.selecting import choose
from zendesk_push.dead_letters.dead_letter import Selection
from zendesk_push.dead_letters.redrive import Pace, redrive
from zendesk_push.deployment import Deployment
from zendesk_push.errors import CommandError, UsageError
from zendesk_push.terminal import confirm, printable, remark


def edit(args: argparse.Namespace, deployment: Deployment) -> int:
    """Open, check, send, remove. An unchanged body changes nothing."""
    if not args.id:
        raise UsageError("the ID is empty")
    sender = content_sender(deployment)
    wanted = Selection(ids=frozenset({args.id}))
    with choose(args, deployment, wanted) as chosen:
        first = chosen.file.original(chosen.letters[0])
        explanation = chosen.letters[0].explanation
    # Nothing is held out of sight while somebody writes.
    if explanation:
        remark(printable(f"{chosen.letters[0].reason}: {explanation}"))
    body = _corrected(first.body, args.body_file)
    if body == first.body:
        return _say(args, "unchanged: nothing was sent", 1)
    problem = _problem(body)
    if problem:
        remark(f"this is still no message: {problem}")
    if not confirm("Send it, and remove the dead letter?", assume_yes=args.yes and not problem):
        return _say(args, "nothing was sent", 1)
    with choose(args, deployment, wanted) as chosen:
        tally = redrive(
            chosen.reading,
            sender,
            chosen.letters[:1],
            lambda letter: replace(chosen.file.original(letter), body=body),
            Pace(),
        )
    report(tally, "sent")
    if tally.done:
        return _say(args, "sent, and the dead letter removed", 0)
    remark(f"the corrected body is in {_kept(body)}")
    return _say(args, "the dead letter is still there", 1)


def _corrected(body: str, body_file: str | None) -> str:
    if body_file == "-":
        return sys.stdin.read().removesuffix("\n")
    if body_file is not None:
        return _read(Path(body_file)).removesuffix("\n")
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not command or not sys.stdin.isatty():
        raise UsageError("set EDITOR and edit at a terminal, or give --body-file PATH")
    with tempfile.TemporaryDirectory(prefix="zendesk-push-") as folder:  # for its owner only
        path = Path(folder) / "message.json"
        path.write_text(body, encoding="utf-8", newline="")
        try:
            done = subprocess.run([*shlex.split(command), str(path)], check=False)
        except OSError as error:
            raise CommandError(f"{command} can't be started: {error.strerror}") from None
        if done.returncode:
            raise CommandError(f"{command} ended with {done.returncode}: nothing was sent")
        edited = _read(path)
    # Editors end the last line; the body need not have had that.
    return edited if body.endswith("\n") else edited.removesuffix("\n")


def _kept(body: str) -> Path:
    descriptor, name = tempfile.mkstemp(dir=".", prefix="message-", suffix=".json")
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        file.write(body)
    return Path(name)


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except OSError as error:
        raise CommandError(f"{path} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8") from None


def _problem(body: str) -> str | None:
    try:
        parse(SqsRecord(message_id="", receipt_handle="", body=body))
    except InvalidMessageError as error:
        return str(error)
    return None


def _say(args: argparse.Namespace, text: str, code: int) -> int:
    print(json.dumps({"sent": not code, "result": text}) if args.json else text)
    return code

"""``dlq edit``: one letter's body corrected, sent with its attributes, and the letter removed once it is sent."""

import argparse
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
from zendesk_push.dead_letters.redrive import Pace, Tally, redrive
from zendesk_push.deployment import Deployment
from zendesk_push.errors import CommandError, UsageError
from zendesk_push.terminal import confirm, print_json, printable, remark


def edit(args: argparse.Namespace, deployment: Deployment) -> int:
    """Open, check, send, remove. An unchanged body changes nothing."""
    if not args.id:
        raise UsageError("the ID is empty")
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
    try:
        tally = _send(args, deployment, wanted, body, ask=bool(problem) or not args.yes)
    except BaseException:
        _keep(args, body)
        raise
    if tally is None:
        _keep(args, body)
        return _say(args, "nothing was sent", 1)
    report(tally, "sent")
    if tally.done:
        return _say(args, "sent, and the dead letter removed", 0)
    _keep(args, body)
    return _say(args, "the dead letter is still there", 1)


def _send(
    args: argparse.Namespace, deployment: Deployment, wanted: Selection, body: str, *, ask: bool
) -> Tally | None:
    """Send the body in place of the letter's own; None: somebody said no."""
    if not confirm("Send it, and remove the dead letter?", assume_yes=not ask):
        return None
    sender = content_sender(deployment)
    with choose(args, deployment, wanted) as chosen:
        return redrive(
            chosen.reading,
            sender,
            chosen.letters[:1],
            lambda letter: replace(chosen.file.original(letter), body=body),
            Pace(),
        )


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


def _keep(args: argparse.Namespace, body: str) -> None:
    """What somebody has just written is not lost; what came from a file is there already."""
    if args.body_file not in (None, "-"):
        return
    descriptor, name = tempfile.mkstemp(dir=".", prefix="message-", suffix=".json")
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        file.write(body)
    remark(f"the corrected body is in {name}")


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
    if args.json:
        print_json({"sent": not code, "result": text})
    else:
        print(text)
    return code

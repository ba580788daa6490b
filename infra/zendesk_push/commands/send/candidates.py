"""What is to be sent: messages of a file or an export, or one that is written here; each with what is wrong with it."""

import argparse
import json
import re
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from push_content.messages.message import InvalidMessageError, Message, parse
from push_content.messages.sqs_record import SqsRecord
from zendesk_push.commands.send.message_file import FileMessage, cut_lines, cut_messages, decode
from zendesk_push.dead_letters.letter_file import outgoing_of
from zendesk_push.errors import CommandError, UsageError
from zendesk_push.queue_sender import Outgoing

_DECODER: Final = json.JSONDecoder(parse_int=float)  # int() refuses more than 4,300 digits
_BLANK: Final = re.compile(r"[ \t\r\n]*")
_AUTHOR: Final = {"external_id": "zendesk-push-send", "name": "zendesk-push send"}


@dataclass(frozen=True)
class Candidate:
    """A message to send: routed if it is one by the message contract, else with what is wrong."""

    source: FileMessage
    message: Message | None = None
    problem: str | None = None
    exported: Outgoing | None = None  # as it first came, where FILE is an export


def read_candidates(args: argparse.Namespace, account: str | None) -> list[Candidate]:
    """The messages that the options name, for ``account`` where it is given.

    Raises:
        UsageError: the file is not what it should be, or empty.
        CommandError: it can't be read.
    """
    if args.message is not None:
        return [_candidate(FileMessage(_written(account or "", args.message), 1))]
    name = file_name(args)
    sources = _cut(args, name)
    if args.exported:
        return [_exported(one, name) for one in sources]
    if not sources:
        raise UsageError(f"{name} holds no messages")
    if account is not None:
        sources = [replace(one, text=with_account(one.text, account)) for one in sources]
    return [_candidate(one) for one in sources]


def file_name(args: argparse.Namespace) -> str:
    """How remarks name where the messages come from."""
    if args.message is not None:
        return "--message"
    return "stdin" if args.file == "-" else str(args.file)


def with_account(text: str, account: str) -> str:
    """A message's text with this account; all else in it stays as it is. Text that is not an object is left alone."""
    position = _skip(text, 0)
    if text[position : position + 1] != "{":
        return text
    first = position + 1
    try:
        for key, begin, end in _members(text, first):
            if key == "instance_push_id":
                return f"{text[:begin]}{json.dumps(account)}{text[end:]}"
    except ValueError:
        return text
    comma = "" if text[_skip(text, first)] == "}" else ", "
    return f'{text[:first]}"instance_push_id": {json.dumps(account)}{comma}{text[first:].lstrip()}'


def _members(text: str, position: int) -> Iterator[tuple[str, int, int]]:
    """Key, and where its value begins and ends, of each member of the object that was opened before ``position``."""
    position = _skip(text, position)
    while text[position : position + 1] == '"':
        key, position = _DECODER.raw_decode(text, position)
        position = _skip(text, position)
        if text[position : position + 1] != ":":
            return
        begin = _skip(text, position + 1)
        _, end = _DECODER.raw_decode(text, begin)
        yield key, begin, end
        position = _skip(text, end)
        position = _skip(text, position + 1) if text[position : position + 1] == "," else len(text)


def _skip(text: str, position: int) -> int:
    found = _BLANK.match(text, position)
    return found.end() if found else position


def _written(account: str, message: str) -> str:
    resource = {
        "external_id": f"send-{uuid.uuid4()}",
        "message": message,
        "created_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "author": _AUTHOR,
    }
    return json.dumps({"instance_push_id": account, "external_resources": [resource]})


def _cut(args: argparse.Namespace, name: str) -> list[FileMessage]:
    text = decode(_read(args.file), name)
    if args.lines or args.exported:
        return list(cut_lines(text))
    try:
        return list(cut_messages(text, name))
    except UsageError as error:
        raise UsageError(
            f"{error}. Nothing was sent; with --lines every line is a message, JSON or not"
        ) from None


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise CommandError(f"{file} can't be read: {error.strerror}") from error


def _candidate(source: FileMessage) -> Candidate:
    try:
        return Candidate(source, parse(SqsRecord(message_id="", receipt_handle="", body=source.text)))
    except InvalidMessageError as error:
        return Candidate(source, problem=str(error))


def _exported(line: FileMessage, name: str) -> Candidate:
    try:
        outgoing = outgoing_of(line.text.encode())
    except UsageError as error:
        raise UsageError(f"{name}:{line.line}: {error}") from None
    return replace(_candidate(replace(line, text=outgoing.body)), exported=outgoing)

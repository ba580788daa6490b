"""Cutting a file into messages without touching them.

A number such as 1e400, a repeated key, the order of keys and every escape reach the queue as they stand in
the file: a message is a slice of its text, never a parsed and rewritten value.
"""

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Final

from zendesk_push.errors import UsageError

# Possessive, so that an unfinished string of a million characters fails at once and not after 2^n tries.
_TOKEN: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["\[\]{}]', re.DOTALL)
_BLANK: Final = re.compile(r"[ \t\r\n]*")
_CLOSES: Final = {"}": "{", "]": "["}


@dataclass(frozen=True)
class FileMessage:
    """A message's own text, and the line (from 1) on which it begins."""

    text: str
    line: int


class _Cutter:
    """One pass over a text; counts lines on the way."""

    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._name = name
        self._counted_to = 0
        self._line = 1

    def messages(self) -> Iterator[FileMessage]:
        position = self._skip_blank(0)
        if self._text.startswith("[", position):
            position = yield from self._array(position)
            position = self._skip_blank(position)
            if position < len(self._text):
                raise self._error(position, "something follows the array of messages")
            return
        while position < len(self._text):
            end = self._object_end(position)
            yield FileMessage(self._text[position:end], self._line_at(position))
            position = self._skip_blank(end)

    def _array(self, position: int) -> Generator[FileMessage, None, int]:
        position = self._skip_blank(position + 1)
        if self._text.startswith("]", position):
            return position + 1
        while True:
            end = self._object_end(position)
            yield FileMessage(self._text[position:end], self._line_at(position))
            position = self._skip_blank(end)
            if self._text.startswith("]", position):
                return position + 1
            if not self._text.startswith(",", position):
                raise self._error(position, "expected ',' or ']' after a message")
            position = self._skip_blank(position + 1)

    def _object_end(self, start: int) -> int:
        """Where the object that begins here ends. Its inside is not judged beyond its brackets."""
        if not self._text.startswith("{", start):
            raise self._error(start, "expected a message, which begins with '{'")
        open_brackets: list[str] = []
        for token in _TOKEN.finditer(self._text, start):
            kind = token[0]
            if kind in "[{":
                open_brackets.append(kind)
            elif kind in _CLOSES:
                if open_brackets.pop() != _CLOSES[kind]:
                    raise self._error(token.start(), f"{kind!r} closes nothing")
                if not open_brackets:
                    return token.end()
            elif kind == '"':
                raise self._error(token.start(), "this string has no end")
        raise self._error(start, "the message that begins here has no end")

    def _skip_blank(self, position: int) -> int:
        found = _BLANK.match(self._text, position)
        return found.end() if found else position

    def _line_at(self, position: int) -> int:
        self._line += self._text.count("\n", self._counted_to, position)
        self._counted_to = position
        return self._line

    def _error(self, position: int, problem: str) -> UsageError:
        line = self._text.count("\n", 0, position) + 1
        column = position - self._text.rfind("\n", 0, position)
        return UsageError(f"{self._name}:{line}:{column}: {problem}")


def cut_messages(text: str, name: str) -> Iterator[FileMessage]:
    """The messages of a JSON array, or of JSON objects one after the other (JSON lines, or spread over lines).

    Args:
        text: the whole file.
        name: how errors name it.

    Raises:
        UsageError: it is neither; the text says where.
    """
    return _Cutter(text, name).messages()


def cut_lines(text: str) -> Iterator[FileMessage]:
    """Every line that is not blank, whatever it holds, without its line end."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip(" \t\r"):
            yield FileMessage(line.removesuffix("\r"), number)


def decode(data: bytes, name: str) -> str:
    """The file's text: UTF-8, with or without a byte order mark.

    Raises:
        UsageError: it is not UTF-8; the text says where.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{name}:{line}: this is not UTF-8 (byte 0x{data[error.start]:02X})") from None

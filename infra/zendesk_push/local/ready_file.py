"""The file that tells scripts where the running stack is."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self

from zendesk_push.errors import CommandError, UsageError
from zendesk_push.local_registry import running_stacks

KEYS: Final = (
    "api_url",
    "zendesk_url",
    "aws_endpoint_url",
    "region",
    "queue_url",
    "dead_letter_queue_url",
    "accounts_table",
)


class ReadyFile:
    """Exists exactly as long as the stack can be used: one that a dead stack left is removed first, its own last.

    Raises:
        UsageError: there is no such folder, or what is at the path is not a ready file, or is a running stack's.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written = ""

    def __enter__(self) -> Self:
        # All said now, not when everything is up.
        if not self._path.parent.is_dir():
            raise UsageError(f"the ready file can't be written: there is no folder {self._path.parent}")
        try:
            old = self._path.read_text("utf-8")
        except FileNotFoundError:
            return self
        except (OSError, UnicodeDecodeError):
            raise UsageError(f"{self._path} is there, and is not a ready file: it stays as it is") from None
        if old.strip():
            self._check_old(old)
        self._remove()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self._written and self._path.read_text("utf-8") == self._written:
                self._remove()
        except (OSError, UnicodeDecodeError):
            return  # somebody has put something else there, or has removed it

    def write(self, values: Mapping[str, Any]) -> None:
        """Write it in one step: whoever sees the file sees all of it.

        Raises:
            CommandError: the folder is not there or can't be written to.
        """
        content = json.dumps(values, indent=2) + "\n"
        try:
            descriptor, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(content)
            Path(name).chmod(0o644)
            self._written = content
            Path(name).replace(self._path)
        except OSError as error:
            raise CommandError(f"the ready file can't be written: {self._path}: {error.strerror}") from None

    def _check_old(self, text: str) -> None:
        try:
            old = json.loads(text)
        except ValueError:
            old = None
        if not isinstance(old, dict) or not old.keys() >= set(KEYS):
            raise UsageError(f"{self._path} is there, and is not a ready file: it stays as it is")
        for running in running_stacks():
            if running.get("aws_endpoint_url") == old["aws_endpoint_url"]:
                raise UsageError(
                    f"{self._path} is the ready file of a stack that runs (pid {running['pid']})"
                )

    def _remove(self) -> None:
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise CommandError(f"the ready file can't be removed: {self._path}: {error.strerror}") from None

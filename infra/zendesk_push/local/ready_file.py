"""The file that tells scripts where the running stack is."""

import json
import os
import tempfile
from pathlib import Path
from typing import Final, Self

from zendesk_push.errors import CommandError, UsageError
from zendesk_push.local.stack import LocalStack

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
    """Exists exactly as long as the stack can be used: an old one is removed first, and the new one at the end."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Self:
        if not self._path.parent.is_dir():  # said now, not when everything is up
            raise UsageError(f"the ready file can't be written: there is no folder {self._path.parent}")
        self._remove()
        return self

    def __exit__(self, *_: object) -> None:
        self._remove()

    def write(self, stack: LocalStack) -> None:
        """Write it in one step: whoever sees the file sees all of it.

        Raises:
            CommandError: the folder is not there or can't be written to.
        """
        content = json.dumps({key: getattr(stack, key) for key in KEYS}, indent=2) + "\n"
        try:
            descriptor, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(content)
            Path(name).chmod(0o644)
            Path(name).replace(self._path)
        except OSError as error:
            raise CommandError(f"the ready file can't be written: {self._path}: {error.strerror}") from None

    def _remove(self) -> None:
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise CommandError(f"the ready file can't be removed: {self._path}: {error.strerror}") from None

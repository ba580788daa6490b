"""Where other commands find the stacks that run on this machine: a file for each, held open while it runs.

In ``$XDG_RUNTIME_DIR/zendesk-push-UID`` (else below the folder for temporary files), readable by nobody else:
``local-PID.json`` with what is in a ready file, the process's ``pid``, its ``log_file`` and ``lambda_endpoint_url``.
The file of a process that was killed is told by its lock, which ends with the process, and is removed by whoever looks
next.
"""

import fcntl
import json
import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Final, Self

from zendesk_push.errors import CommandError

STACK_NAME: Final = "zendesk-push-local"  # of every local stack: its secrets' names begin with it


def registry_folder() -> Path:
    """The folder, whether it is there or not."""
    base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    return Path(base) / f"zendesk-push-{os.getuid()}"


def running_stacks() -> list[dict[str, Any]]:
    """What the running stacks have written, the youngest last; what dead ones left behind is removed.

    A folder that others can write to counts for nothing: messages go where such a file says.
    """
    found = []
    try:
        if not _is_ours_alone(registry_folder()):
            return []
        paths = sorted(registry_folder().glob("local-*.json"), key=lambda path: path.stat().st_mtime_ns)
    except OSError:
        return []
    for path in paths:
        try:
            with path.open(encoding="utf-8") as file:
                if not _is_held(file):
                    path.unlink(missing_ok=True)
                    path.with_suffix(".log").unlink(missing_ok=True)
                    continue
                found.append(json.load(file))
        except (OSError, ValueError):
            continue  # gone in the meantime, or not written yet
    return [value for value in found if isinstance(value, dict)]


class RegistryEntry:
    """This process's entry, as a context manager; ``log_path`` is beside it, for a log that nobody asked for.

    Raises:
        CommandError: the folder is somebody else's, or can't be made.
    """

    def __init__(self) -> None:
        folder = registry_folder()
        self._path = folder / f"local-{os.getpid()}.json"
        self.log_path = self._path.with_suffix(".log")
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        folder = self._path.parent
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            if not _is_ours_alone(folder):
                raise CommandError(
                    f"{folder} is not a folder of yours alone: remove it, or set XDG_RUNTIME_DIR"
                )
            running_stacks()  # for what it removes
            self._file = _opened_and_held(self._path)
        except OSError as error:
            raise CommandError(f"{self._path} can't be written: {error.strerror}") from None
        return self

    def write(self, values: Mapping[str, Any], log_file: Path) -> None:
        """Let others find the stack."""
        assert self._file is not None, "entered"  # noqa: S101
        entry = {**values, "pid": os.getpid(), "log_file": str(log_file.absolute())}
        self._file.write(json.dumps(entry, indent=2) + "\n")
        self._file.flush()

    def __exit__(self, *_: object) -> None:
        self._path.unlink(missing_ok=True)
        self.log_path.unlink(missing_ok=True)
        if self._file is not None:
            self._file.close()


def _is_ours_alone(folder: Path) -> bool:
    status = folder.lstat()
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o077


def _opened_and_held(path: Path) -> IO[str]:
    while True:
        file = path.open("w", encoding="utf-8")
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            if path.stat().st_ino == os.fstat(file.fileno()).st_ino:
                return file
        except FileNotFoundError:
            pass
        file.close()  # whoever looked just then took it for a dead one's, and removed it


def _is_held(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    return False

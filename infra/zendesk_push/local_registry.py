"""The local stacks that run on this machine, as other commands find them without being told.

Each writes ``local-<pid>.json`` into a folder of this user's own: the ready file's JSON, with ``pid`` and ``log_file``.
"""

import json
import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def registry_folder() -> Path:
    """Where they are; it need not exist yet."""
    base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    return Path(base) / f"zendesk-push-{os.getuid()}"


def running_stacks(folder: Path | None = None) -> list[Mapping[str, Any]]:
    """What each running local stack wrote, by process id. Files of processes that are gone, and a folder that somebody
    else could write to, count for nothing: messages would go where that file says.
    """
    folder = folder or registry_folder()
    if not _is_ours_alone(folder):
        return []
    found = []
    for path in folder.glob("local-*.json"):
        try:
            entry = json.loads(path.read_text(encoding="utf-8"))
            if _runs(entry["pid"]):
                found.append(entry)
        except (OSError, ValueError, KeyError, TypeError):
            continue  # half written, or just removed
    return sorted(found, key=lambda entry: int(entry["pid"]))


def _is_ours_alone(folder: Path) -> bool:
    try:
        status = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o077


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True

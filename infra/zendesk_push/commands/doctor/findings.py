"""What a check says."""

import enum
from dataclasses import dataclass


class Level(enum.StrEnum):
    """How bad it is. SKIP: it could not be checked here, for the reason given."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's: the subject, what was seen, and (unless it is fine) what to do about it."""

    level: Level
    subject: str
    seen: str
    advice: str = ""


def ok(subject: str, seen: str) -> Finding:
    """All is well."""
    return Finding(Level.OK, subject, seen)


def warn(subject: str, seen: str, advice: str) -> Finding:
    """It works, but somebody should look."""
    return Finding(Level.WARN, subject, seen, advice)


def fail(subject: str, seen: str, advice: str) -> Finding:
    """Something does not work, or is not safe."""
    return Finding(Level.FAIL, subject, seen, advice)


def skip(subject: str, why: str) -> Finding:
    """This could not be checked."""
    return Finding(Level.SKIP, subject, why)

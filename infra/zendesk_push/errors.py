"""Errors that a person at a terminal is shown as one line, and the exit codes."""

from typing import Final

EXIT_INTERRUPTED: Final = 130  # what a shell reports of a process that Ctrl-C ended
EXIT_BROKEN_PIPE: Final = 141  # likewise, where the reader of its output went away


class CommandError(Exception):
    """A command can't do what it was asked to; the text says why and what to do about it.

    ``exit_code`` is the process's: 1 means that it went wrong, 2 that it was called wrongly.
    """

    def __init__(self, message: str, *, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class UsageError(CommandError):
    """The command line, or a file that it names, asks for something impossible: exit code 2."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exit_code=2)


class MissingPackageError(CommandError):
    """A package is not installed. The command comes with what every command needs, but for ``local``."""

    def __init__(self, package: str | None) -> None:
        super().__init__(
            f"the Python package {package!r} is not installed: `pipx install --force '.[local]'` in the checkout "
            "installs the command with all that `local` needs"
        )

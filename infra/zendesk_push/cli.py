"""``zendesk-push``: the command line for running, operating and checking the stack.

A command is a package in ``zendesk_push.commands`` whose module ``command`` has ``add_arguments(parser)`` and
``run(args) -> int``. Only the package of the command that was asked for is imported, so help is quick and a broken
command can't take the others with it.
"""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Final

from zendesk_push.errors import CommandError

# The command's name on the command line, and what the overview says of it.
COMMANDS: Final = {
    "local": "run the whole stack on this machine, with a simulated Zendesk",
    "send": "drop messages on the queue",
    "accounts": "list the registered accounts",
    "dlq": "list, show, redrive or purge dead letters",
    "installer-app": "write the ZIP that an administrator uploads to Zendesk",
    "doctor": "check a deployment from the outside",
}

EXIT_INTERRUPTED: Final = 130  # what a shell reports of a process that Ctrl-C ended
EXIT_BROKEN_PIPE: Final = 141  # likewise, where the reader of its output went away


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code. Errors are one line on stderr."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    _open_what_is_closed()
    _print_everything_somehow()
    try:
        return _run(arguments)
    except CommandError as error:
        return _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The interpreter would complain again when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except Exception as error:
        if not _is_outside_failure(error):
            raise
        return _fail(f"{error}", 1)


def _open_what_is_closed() -> None:
    """Stand in for streams that the shell has closed (``>&-``): Python has None there."""
    nothing = Path(os.devnull)
    if sys.stdin is None:
        sys.stdin = nothing.open(encoding="utf-8")
    if sys.stdout is None:
        sys.stdout = nothing.open("w", encoding="utf-8")
    if sys.stderr is None:
        sys.stderr = nothing.open("w", encoding="utf-8")


def _print_everything_somehow() -> None:
    """Escape characters that the terminal's encoding lacks: what customers write is in any script."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _run(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="zendesk-push", description="Pushes content into Zendesk Support through the Channel framework."
    )
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    chosen = next((argument for argument in arguments if not argument.startswith("-")), None)
    module: ModuleType | None = None
    for name, summary in COMMANDS.items():
        subparser = subparsers.add_parser(name, help=summary, description=summary)
        if name == chosen:
            module = _load(name)
            if module.__doc__:
                subparser.description = module.__doc__
                subparser.formatter_class = argparse.RawDescriptionHelpFormatter
            module.add_arguments(subparser)
    args = parser.parse_args(arguments)
    assert module is not None, "argparse lets only known commands pass"  # noqa: S101
    return int(module.run(args))


def _load(name: str) -> ModuleType:
    module_name = f"zendesk_push.commands.{name.replace('-', '_')}.command"
    try:
        return import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and module_name.startswith(error.name):
            raise CommandError(f"the command {name!r} is not part of this installation") from error
        raise CommandError(
            f"{name} needs the Python package {error.name!r}: install the development dependencies "
            "(make does, or: pip install -r infra/requirements/dev.txt)"
        ) from error


def _is_outside_failure(error: Exception) -> bool:
    """Whether the network, the disk or AWS failed; everything else is a bug and keeps its trace."""
    if isinstance(error, OSError):
        return True
    # Not imported for this: that would cost more than the help.
    botocore, urllib3 = sys.modules.get("botocore.exceptions"), sys.modules.get("urllib3.exceptions")
    if botocore is not None and isinstance(error, (botocore.ClientError, botocore.BotoCoreError)):
        return True
    return urllib3 is not None and isinstance(error, urllib3.HTTPError)


def _fail(message: str, exit_code: int) -> int:
    line = " ".join(message.split())
    print(f"zendesk-push: {line}", file=sys.stderr)
    return exit_code


if __name__ == "__main__":
    sys.exit(main())

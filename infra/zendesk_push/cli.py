"""``zendesk-push``: the command line for running, operating and checking the stack.

A command is a package in ``zendesk_push.commands`` whose module ``command`` has ``add_arguments(parser)``,
``run(args) -> int`` and EXAMPLES. Only the package of the command that was asked for is imported, so help is quick and
a broken command can't take the others with it.
"""

import io
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from zendesk_push.command_parser import Parser, build_parser, candidates, with_default_action
from zendesk_push.errors import EXIT_BROKEN_PIPE, EXIT_INTERRUPTED, CommandError

# The command's name on the command line, and what the overview says of it.
COMMANDS: Final[Mapping[str, str]] = {
    "local": "run the whole stack on this machine, with a simulated Zendesk",
    "send": "drop messages on the queue",
    "status": "what waits and why, how much gets through, and what needs a person",
    "trace": "where one message or external_id is: waiting, delivered or dead, and why",
    "accounts": "list, show, pause, resume, revalidate or forget accounts",
    "dlq": "list, show, export, edit, redrive or purge dead letters",
    "replies": "print agents' answers as they come",
    "installer-app": "write the ZIP that an administrator uploads to Zendesk",
    "doctor": "check a deployment from the outside",
    "completion": "print what a shell needs to complete these commands",
}
COMPLETION_VARIABLE: Final = "_ZENDESK_PUSH_COMPLETE"  # set by the shell functions that `completion` prints


def main(argv: Sequence[str] | None = None, commands: Mapping[str, str] = COMMANDS) -> int:
    """Run the command line; returns the exit code. Errors are one line on stderr."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    _open_what_is_closed()
    _print_everything_somehow()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):  # as Ctrl-C: what is hidden from others is given back
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, signal.default_int_handler)
    try:
        if COMPLETION_VARIABLE in os.environ:
            print(*candidates(commands, arguments), sep="\n")
            return 0
        return _run(build_parser(commands, arguments), with_default_action(arguments))
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


def _run(parser: Parser, arguments: list[str]) -> int:
    args = parser.parse_args(arguments)
    code = int(args.run(args))
    sys.stdout.flush()  # a reader that went away is noticed here, not at exit
    return code


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

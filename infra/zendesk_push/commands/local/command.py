"""Runs the whole stack on this machine: the real functions, on AWS's services simulated from template.yaml, and a
simulated Zendesk. It connects two accounts, drops sample messages, shows what becomes of each, and serves until
Ctrl-C.
"""

import argparse
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, TextIO

from zendesk_push.commands.local.stop_signals import StoppedError, StopSignals
from zendesk_push.errors import EXIT_INTERRUPTED, CommandError, MissingPackageError, UsageError
from zendesk_push.local.moto_process import MotoProcess
from zendesk_push.local.ready_file import ReadyFile
from zendesk_push.local_registry import RegistryEntry
from zendesk_push.template.parameters import judge_parameters, parse_overrides
from zendesk_push.template.reader import TEMPLATE, load_source

if TYPE_CHECKING:
    from zendesk_push.local.display import Display
    from zendesk_push.local.sample_flow import SampleFlow
    from zendesk_push.local.stack import LocalStack

_SAMPLES_SECONDS: Final = 60
_EVENTS_SECONDS: Final = 10
_POLL_SECONDS: Final = 0.5
_LAST_WORDS: Final = 40  # lines of the functions' logs that a failed --once shows
_HIGHEST_PORT: Final = 65_535


EXAMPLES: Final = """\
examples:
  zendesk-push local
  zendesk-push local --once
  zendesk-push local --no-samples --parameter-overrides RetryBaseDelaySeconds=1 RetryWindowSeconds=60"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options; scripts rely on their names."""
    parser.add_argument(
        "--once",
        action="store_true",
        help="run the samples, print what happened and end: exit code 0 only if all went as it should",
    )
    parser.add_argument("--no-samples", action="store_true", help="connect no accounts, drop no messages")
    parser.add_argument(
        "--bind", metavar="ADDRESS", default="127.0.0.1", help="address to listen on (default: %(default)s)"
    )
    parser.add_argument(
        "--zendesk-url",
        metavar="URL",
        help="push there instead of to the simulator; without {subdomain} in it every subdomain is there",
    )
    parser.add_argument(
        "--port", metavar="N", type=_port, default=0, help="port of the HTTP API (default: a free one)"
    )
    parser.add_argument(
        "--parameter-overrides",
        metavar="Key=Value",
        nargs="+",
        action="extend",
        default=[],
        help="values for the template's parameters",
    )
    parser.add_argument(
        "--ready-file", metavar="PATH", type=Path, help="write all addresses there, as JSON, once all is up"
    )
    parser.add_argument("--log-file", metavar="PATH", type=Path, help="write the functions' logs there")
    parser.add_argument(
        "--template", metavar="PATH", type=Path, help="another template, such as .aws-sam/build/template.yaml"
    )


def run(args: argparse.Namespace) -> int:
    """Run until the samples are through (``--once``) or until SIGINT, SIGTERM or SIGHUP; returns the exit code."""
    if args.once and (args.no_samples or args.zendesk_url):
        raise UsageError("--once runs the samples on the simulator: not with --no-samples or --zendesk-url")
    for package in ("aws_lambda_powertools", "jinja2", "moto", "samtranslator", "werkzeug"):
        if find_spec(package) is None:
            raise MissingPackageError(package)
    started = time.monotonic()
    with StopSignals() as signals, ExitStack() as opened:
        # Before anything else can be wrong: whoever waits for the file must not find a dead stack's.
        ready_file = opened.enter_context(ReadyFile(args.ready_file)) if args.ready_file else None
        template, parameters = args.template or TEMPLATE, parse_overrides(args.parameter_overrides)
        judge_parameters(load_source(template), parameters)
        _check_address(args.bind)
        registration = opened.enter_context(RegistryEntry())
        log_path = args.log_file or registration.log_path
        log_file = opened.enter_context(_open_log(log_path))
        try:
            with signals.interrupting():
                session = _start(args, template, parameters, log_file, opened)
        except StoppedError:
            return EXIT_INTERRUPTED
        addresses = session.stack.addresses()
        registration.write({**addresses, "lambda_endpoint_url": session.stack.lambda_endpoint_url}, log_path)
        if ready_file is not None:
            ready_file.write(addresses)
        for line in _addresses(session.stack):
            session.display.note(line)
        return _serve(session, signals.stopping, started, once=args.once)


class _Session(NamedTuple):
    stack: "LocalStack"
    display: "Display"
    flow: "SampleFlow | None"


def _start(
    args: argparse.Namespace, template: Path, parameters: dict[str, str], log_file: TextIO, opened: ExitStack
) -> _Session:
    """Start everything, to be stopped by ``opened``."""
    # First of all, as it takes longest: it starts while everything else is still being imported.
    moto = MotoProcess(args.bind)
    opened.callback(moto.stop)
    from zendesk_push.local.display import open_display
    from zendesk_push.local.logs import LogCollector
    from zendesk_push.local.message_board import MessageBoard
    from zendesk_push.local.sample_flow import SampleFlow, StackLookup
    from zendesk_push.local.stack import LocalStack
    from zendesk_push.local.tracker import MessageTracker

    lookup = StackLookup()
    tracker = MessageTracker(lookup, lambda message: display.changed(message))
    display = open_display(tracker.messages)
    opened.callback(display.close)
    opened.enter_context(_failures_shown(display))
    display.note("Starting: AWS from the template, the functions, Zendesk")
    stack = LocalStack(
        template=template,
        parameters=parameters,
        zendesk_url=args.zendesk_url.rstrip("/") if args.zendesk_url else None,
        bind=args.bind,
        port=args.port,
        logs=LogCollector(log_file),
        moto=moto,
        on_batch=tracker.batch,
        on_outcome=tracker.outcome,
    )
    opened.enter_context(stack)
    lookup.attach(stack)
    if stack.simulator is not None:
        stack.simulator.show_messages(MessageBoard(stack, tracker))
    flow = None
    if stack.simulator is not None and not args.no_samples:
        flow = SampleFlow(stack, tracker)
        flow.connect()
    return _Session(stack, display, flow)


def _wait_for_samples(flow: "SampleFlow", stopping: threading.Event) -> None:
    deadline = time.monotonic() + _SAMPLES_SECONDS
    while not flow.wait(_POLL_SECONDS) and time.monotonic() < deadline and not stopping.is_set():
        pass


def _serve(session: _Session, stopping: threading.Event, started: float, *, once: bool) -> int:
    """Drop the samples, if there are any, and say what they came to; then run on, but for ``once``."""
    if session.flow is not None:
        session.flow.drop()
        _wait_for_samples(session.flow, stopping)
        if not stopping.is_set():
            good = _judge(session, started, once=once)
            if once:
                return 0 if good else 1
        elif once:
            return EXIT_INTERRUPTED
    stopping.wait()
    session.display.note("stopping")
    return 0


def _judge(session: _Session, started: float, *, once: bool) -> bool:
    """Compare what the samples came to with what they should, and say so."""
    stack, display, flow = session
    assert flow is not None, "there were samples"  # noqa: S101
    if (said := flow.answer()) is not None:
        display.note(said)
    if stack.simulator is not None:
        stack.simulator.events.settle(_EVENTS_SECONDS)
    differences = flow.differences()
    if once:
        display.close()  # the verdict comes last, below the table
    display.note("")
    for difference in differences:
        display.note(f"NOT AS EXPECTED: {difference}")
    if differences:
        display.note("The functions' last words (all of them with --log-file PATH):")
        for line in stack.logs.lines()[-_LAST_WORDS:]:
            display.note(f"  {line}")
        return False
    display.note(f"{flow.summary()}, all as it should be. {time.monotonic() - started:.1f} s in all")
    return True


def _addresses(stack: "LocalStack") -> Iterator[str]:
    """Where to look and what to try."""
    yield f"Zendesk Push on this machine, created from {stack.template.name}"
    if stack.simulator is not None:
        yield f"  Admin Center   {stack.zendesk_url}/admin/acme   (add, edit, remove accounts)"
        yield f"  messages       {stack.zendesk_url}/messages"
        yield f"  tickets        {stack.zendesk_url}/tickets"
        yield f"  API traffic    {stack.zendesk_url}/traffic"
    else:
        yield f"  Zendesk        {stack.zendesk_url}"
    yield f"  manifest       {stack.api_url}/manifest.json"
    yield f"  AWS endpoint   {stack.aws_endpoint_url}   (region {stack.region}, any credentials)"
    yield f"  queue          {stack.queue_url}"
    yield f"  dead letters   {stack.dead_letter_queue_url}"
    if stack.replies_queue_url is not None:
        yield f"  replies        {stack.replies_queue_url}"
    program = _program()
    yield f"  look at them   {program} dlq list"
    yield f"  drop your own  {program} send FILE"


def _program() -> str:
    """This program as one types it here: it is on nobody's PATH unless its environment is activated."""
    if Path(sys.argv[0]).name != "zendesk-push":
        return "zendesk-push"
    here = os.path.relpath(sys.argv[0])
    return min(here, sys.argv[0], key=len)


@contextmanager
def _failures_shown(display: "Display") -> Iterator[None]:
    """Let the display show what the local stack's parts complain of, in place of stderr."""
    logger = logging.getLogger("zendesk_push.local")
    handler = _DisplayHandler(display)
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = True


class _DisplayHandler(logging.Handler):
    def __init__(self, display: "Display") -> None:
        super().__init__(logging.WARNING)
        self._display = display

    def emit(self, record: logging.LogRecord) -> None:
        self._display.note(record.getMessage())


def _open_log(path: Path) -> TextIO:
    try:
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise CommandError(f"the log file can't be written: {path}: {error.strerror}") from None


def _check_address(address: str) -> None:
    """Whether anything can listen there: asked once, for all the servers."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family) as one:
            one.bind((address, 0))
    except OSError as error:
        raise UsageError(f"--bind {address}: {error.strerror or error}") from None


def _port(text: str) -> int:
    try:
        port = int(text)
    except ValueError:
        port = -1
    if not 0 <= port <= _HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: 0 to {_HIGHEST_PORT}")
    return port

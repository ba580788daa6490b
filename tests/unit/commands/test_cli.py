"""The command line's frame: quick help, one-line errors, exit codes."""

import argparse
import io
import re
import shlex
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import pytest

from zendesk_push import cli
from zendesk_push.command_parser import build_parser
from zendesk_push.errors import EXIT_BROKEN_PIPE, CommandError, UsageError
from zendesk_push.terminal import remark

COMMANDS = {**cli.COMMANDS, "example-command": "for the tests", "left-out": "not installed"}


def main(*arguments: str) -> int:
    return cli.main(arguments, COMMANDS)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A command of the tests' own, found where all commands are."""
    module = ModuleType("zendesk_push.commands.example_command.command")
    monkeypatch.setitem(sys.modules, module.__name__, module)

    def add_arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--number", type=int, default=0)

    module.add_arguments = add_arguments  # type: ignore[attr-defined]
    module.run = lambda args: args.number  # type: ignore[attr-defined]
    return module


def test_a_command_gets_its_arguments_and_gives_the_exit_code(command: ModuleType) -> None:
    assert main("example-command", "--number", "7") == 7


def test_the_overview_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--help"])

    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert all(name in out for name in cli.COMMANDS)


def test_help_imports_no_command_and_no_aws() -> None:
    code = (
        "import sys; from zendesk_push import cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in sys.modules if m.startswith(('boto', 'moto', 'rich', 'zendesk_push.commands.'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("error", "exit_code", "line"),
    [
        (CommandError("the queue\nis gone"), 1, "zendesk-push: the queue is gone"),
        (UsageError("say which"), 2, "zendesk-push: say which"),
        (
            ConnectionRefusedError(111, "Connection refused"),
            1,
            "zendesk-push: [Errno 111] Connection refused",
        ),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(
    command: ModuleType,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    exit_code: int,
    line: str,
) -> None:
    def fail(_: argparse.Namespace) -> int:
        raise error

    command.run = fail  # type: ignore[attr-defined]

    assert main("example-command") == exit_code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.rstrip("\n") == line


def test_a_bug_keeps_its_trace(command: ModuleType) -> None:
    def fail(_: argparse.Namespace) -> int:
        raise ZeroDivisionError

    command.run = fail  # type: ignore[attr-defined]

    with pytest.raises(ZeroDivisionError):
        main("example-command")


@pytest.mark.parametrize("stream", ["stdin", "stdout", "stderr"])
def test_a_stream_that_the_shell_has_closed_is_no_bug(
    command: ModuleType, monkeypatch: pytest.MonkeyPatch, stream: str
) -> None:
    def use_all(_: argparse.Namespace) -> int:
        sys.stdout.write("result")
        remark("remark")
        return len(sys.stdin.buffer.read())

    command.run = use_all  # type: ignore[attr-defined]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    monkeypatch.setattr(sys, stream, None)

    assert main("example-command") == 0
    getattr(sys, stream).close()


def test_a_terminal_without_a_character_gets_it_escaped(
    command: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, "ascii", write_through=True))
    command.run = lambda _: sys.stdout.write("Zieliński")  # type: ignore[attr-defined]

    assert main("example-command") == len("Zieliński")
    assert shown.getvalue() == b"Zieli\\u0144ski"


def test_a_reader_that_goes_away_ends_it_as_the_shell_has_it() -> None:
    code = (
        "import argparse, sys\n"
        "from types import ModuleType\n"
        "from zendesk_push import cli\n"
        "module = ModuleType('zendesk_push.commands.endless.command')\n"
        "module.add_arguments = lambda parser: None\n"
        "module.run = lambda args: [print('y' * 9000) for _ in range(9000)] and 0\n"
        "sys.modules[module.__name__] = module\n"
        "sys.exit(cli.main(['endless'], {'endless': ''}))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        complaints = process.stderr.read()

    assert complaints == b""
    assert process.returncode == EXIT_BROKEN_PIPE


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["locla"])

    assert ended.value.code == 2
    assert "there is no 'locla'; did you mean local?" in capsys.readouterr().err


def test_a_command_that_is_not_there_does_not_break_the_others(
    command: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main("left-out") == 1
    assert "'left-out' is not part of this installation" in capsys.readouterr().err
    assert main("example-command") == 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--once", "--no-samples"], "--once runs the samples"),
        (["--once", "--zendesk-url", "http://127.0.0.1:1"], "--once runs the samples"),
    ],
)
def test_local_refuses_what_makes_no_sense(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["local", *arguments]) == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_local_refuses_what_is_no_port(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["local", f"--port={port}"])

    assert ended.value.code == 2
    assert "is not a port" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["dlq", "purgee"], "there is no 'purgee'; did you mean purge?"),
        (["dlq", "list", "--raeson", "x"], "--raeson x; did you mean --reason?"),
        (["completion", "zhs"], "there is no 'zhs'; did you mean zsh?"),
        (["completion", "powershell"], "there is no 'powershell': bash, zsh, fish"),
        (["dlq", "list", "--acc", "x"], "unrecognized arguments: --acc x"),  # never guessed: it may delete
    ],
)
def test_a_wrong_word_is_answered_with_the_one_that_was_meant(
    arguments: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    assert hint in capsys.readouterr().err


def test_the_version_is_the_projects(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"zendesk-push {version('zendesk-push')}\n"


def examples_of(name: str) -> list[list[str]]:
    lines = build_parser(cli.COMMANDS, [name]).below()[name].epilog or ""
    typed = re.findall(r"(?:^|[(|] ?)\s*zendesk-push ([^|)>\n]*)", lines, re.MULTILINE)
    return [shlex.split(line, comments=True) for line in typed]


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_help_has_examples_that_can_be_typed(name: str) -> None:
    parser = build_parser(cli.COMMANDS, [name])
    examples = examples_of(name)
    assert examples
    for words in examples:
        assert parser.parse_args(words).command == name
    for action, below in parser.below()[name].below().items():
        assert f"zendesk-push {name} {action}" in (below.epilog or ""), action


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["dl"], ["dlq"]),
        (["dlq", "p"], ["purge"]),
        (["dlq", "purge", "--su"], ["--subdomain"]),
        (["completion", ""], []),
        (["accounts", "list", "--state", "ac"], ["active"]),
        (["dlq", "show", "--ready-file", ""], []),
    ],
)
def test_a_shell_is_told_how_a_word_could_go_on(
    words: list[str], found: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(cli.COMPLETION_VARIABLE, "1")
    assert cli.main(words) == 0
    assert capsys.readouterr().out.split() == found


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_bash_completes_by_what_completion_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["completion", "bash"]) == 0
    script = capsys.readouterr().out
    program = Path(sys.executable).with_name("zendesk-push")
    asked = f'{script}\nCOMP_WORDS=({program} dlq re); COMP_CWORD=2; _zendesk_push; echo "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout == "redrive\n"

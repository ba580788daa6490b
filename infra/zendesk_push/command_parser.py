"""The command line's parser: argparse with examples in every help, did-you-mean, and words for a shell to complete.

argparse, because the help is there in a tenth of a second, and what it lacks is less than a library would cost
(docs/decisions/0520).
"""

import argparse
import difflib
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any, Final, NoReturn, cast

from zendesk_push.errors import CommandError, MissingPackageError

_PROGRAM: Final = "zendesk-push"


class Parser(argparse.ArgumentParser):
    """One level of the command line."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        """End with the usage, the problem and what was probably meant, and exit code 2."""
        wrong = message.partition("unrecognized arguments: ")[2].split()
        if wrong:
            message += did_you_mean(wrong[0].partition("=")[0], self.all_options())
        super().error(message)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        choices = list(action.choices or ())
        if choices and value not in choices:
            hint = did_you_mean(str(value), map(str, choices))
            raise argparse.ArgumentError(
                action, f"there is no {value!r}{hint or ': ' + ', '.join(map(str, choices))}"
            )

    def below(self) -> Mapping[str, "Parser"]:
        """The parsers of its own commands, by name."""
        found = next((action for action in self._actions if isinstance(action, _Commands)), None)
        return cast("Mapping[str, Parser]", found.choices) if found else {}

    def add_subparsers(self, **options: Any) -> Any:
        """Add commands of its own; each one's ``help`` is its description as well."""
        return super().add_subparsers(action=_Commands, **options)

    def option_actions(self) -> Mapping[str, argparse.Action]:
        """The options of this level, by how they are written."""
        return self._option_string_actions

    def all_options(self) -> Iterator[str]:
        """The options of this level and those below, for whoever wrote one wrongly."""
        yield from self.option_actions()
        for parser in self.below().values():
            yield from parser.all_options()

    def show_examples(self, examples: str) -> None:
        """Put examples below the help, and those that are about one of its own commands below that one's."""
        self.epilog = examples
        for name, parser in self.below().items():
            lines = [line for line in examples.splitlines() if f"{self.prog} {name}" in line]
            parser.epilog = "\n".join(["examples:", *lines]) if lines else None


class _Commands(argparse._SubParsersAction):  # type: ignore[type-arg]  # noqa: SLF001
    def add_parser(self, name: str, **options: Any) -> Any:
        options.setdefault("description", options.get("help"))
        return super().add_parser(name, **options)


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib.metadata import version

        print(f"{_PROGRAM} {version('zendesk-push')}")
        parser.exit()


def build_parser(commands: Mapping[str, str], arguments: Sequence[str]) -> Parser:
    """The parser for these arguments: whole for the command that they name, and only a name for every other.

    Raises:
        CommandError: the command's package is not there, or something that it needs.
    """
    parser = Parser(
        prog=_PROGRAM,
        description="Pushes content into Zendesk Support through the Channel framework.",
        epilog=f"`{_PROGRAM} COMMAND --help` has examples. To begin with: {_PROGRAM} local",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    chosen = next((argument for argument in arguments if not argument.startswith("-")), None)
    for name, summary in commands.items():
        subparser = subparsers.add_parser(name, help=summary)
        if name == chosen:
            module = load(name)
            subparser.description = module.__doc__ or summary
            module.add_arguments(subparser)
            subparser.show_examples(getattr(module, "EXAMPLES", ""))
            subparser.set_defaults(run=module.run)
    return parser


def with_default_action(arguments: Sequence[str]) -> list[str]:
    """The arguments with the action that a command has where none is given: ``accounts`` is ``accounts list``."""
    for index, name in enumerate(arguments):
        if not name.startswith("-"):
            after = list(arguments[index + 1 :])
            default = getattr(sys.modules.get(_module_name(name)), "DEFAULT_ACTION", None)
            named = after and (not after[0].startswith("-") or after[0] in ("-h", "--help"))
            return list(arguments) if named or default is None else [*arguments[: index + 1], default, *after]
    return list(arguments)


def load(name: str) -> ModuleType:
    """The module of a command.

    Raises:
        CommandError: it is not there, or a package that it needs.
    """
    module_name = _module_name(name)
    try:
        return import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and module_name.startswith(error.name):
            raise CommandError(f"the command {name!r} is not part of this installation") from error
        raise MissingPackageError(error.name) from error


def _module_name(command: str) -> str:
    return f"zendesk_push.commands.{command.replace('-', '_')}.command"


def candidates(commands: Mapping[str, str], words: Sequence[str]) -> list[str]:
    """What the last of the words, which has just been begun, could become. Empty where it is a file or free text."""
    *before, begun = words or [""]
    parser = build_parser(commands, before)
    for word in before:
        parser = parser.below().get(word, parser)
    options = parser.option_actions()
    asked = options.get(before[-1]) if before else None
    if asked is not None and asked.nargs != 0:
        found: Iterable[str] = map(str, asked.choices or ())
    elif begun.startswith("-"):
        found = options
    else:
        found = parser.below()
    return sorted(one for one in found if one.startswith(begun))


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """What to add to a complaint about a word: the known one that is most like it, or nothing."""
    close = difflib.get_close_matches(wrong, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""

"""Print what a shell needs to complete commands and options. It asks this program, so it is never out of date."""

import argparse
from typing import Final

EXAMPLES: Final = """\
examples:
  source <(zendesk-push completion bash)
  source <(zendesk-push completion zsh)
  zendesk-push completion fish | source"""

_BASH: Final = """\
_zendesk_push() {
  local IFS=$'\\n'
  COMPREPLY=($(_ZENDESK_PUSH_COMPLETE=1 "${COMP_WORDS[0]}" "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _zendesk_push zendesk-push"""

_SCRIPTS: Final = {
    "bash": _BASH,
    "zsh": "autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n" + _BASH,
    "fish": "complete -c zendesk-push -a "
    "'(_ZENDESK_PUSH_COMPLETE=1 zendesk-push (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's argument."""
    parser.add_argument("shell", choices=tuple(_SCRIPTS), help="bash, zsh or fish")


def run(args: argparse.Namespace) -> int:
    """Print the shell's part."""
    print(_SCRIPTS[args.shell])
    return 0

"""`make sam-local`: every event in tests/events/ through `sam local invoke`, against the running local stack."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from zendesk_push.errors import CommandError
from zendesk_push.packaging.artifact import BUILD
from zendesk_push.sam_local.environment import in_container, read_ready_file, write
from zendesk_push.sam_local.invoke import SamLocal, require_engine
from zendesk_push.sam_local.scenario import STEPS, Scenario, StepOutcome
from zendesk_push.template.parameters import parse_overrides


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the events; 0 if every answer was as it should be."""
    parser = argparse.ArgumentParser(
        prog="sam-local", description="Invoke both functions in Lambda's own runtime."
    )
    parser.add_argument("--sam", default="sam", help="the SAM command line (default: %(default)s)")
    parser.add_argument(
        "--ready-file",
        type=Path,
        default=Path(".aws-sam/local.json"),
        help="of the local stack (default: %(default)s)",
    )
    parser.add_argument("--build-dir", type=Path, default=BUILD, help="default: %(default)s")
    parser.add_argument(
        "--parameter-overrides",
        metavar="Key=Value",
        nargs="+",
        action="extend",
        default=[],
        help="those that the stack was started with",
    )
    parser.add_argument(
        "--files-only",
        action="store_true",
        help="write the env file and print the options for SAM, invoke nothing",
    )
    options = parser.parse_args(arguments)
    try:
        stack = read_ready_file(options.ready_file)
        template, environment = write(options.build_dir, stack, parse_overrides(options.parameter_overrides))
        if options.files_only:
            print(f"--template {template} --env-vars {environment}")
            return 0
        require_engine()
        scenario = Scenario(
            stack.zendesk_url,
            in_container(stack.zendesk_url),
            replies=stack.replies_queue_url is not None,
        )
        scenario.prepare()
        sam = SamLocal(options.sam, template, environment)
        outcomes = []
        for outcome in scenario.play(lambda function, event: sam.invoke(function, event).value):
            outcomes.append(outcome)
            _show(outcome)
    except CommandError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    problems = sum(outcome.problem is not None for outcome in outcomes)
    print(f"{len(outcomes)} of {len(STEPS)} events, {problems} answers were not as they should be")
    return 1 if problems else 0


def _show(outcome: StepOutcome) -> None:
    mark = "ok  " if outcome.problem is None else "FAIL"
    print(f"{mark} {outcome.step.function:22} {outcome.step.event:40} {outcome.summary}", flush=True)
    if outcome.problem:
        print(f"     {outcome.problem}", flush=True)


if __name__ == "__main__":
    sys.exit(main())

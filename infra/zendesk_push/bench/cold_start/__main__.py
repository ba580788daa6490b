"""``python -m zendesk_push.bench.cold_start``: measure, print, and fail if push is over its bound."""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from zendesk_push.errors import CommandError
from zendesk_push.packaging.artifact import BUILD, RUNTIME_DIRECTORY, compile_sources
from zendesk_push.packaging.build import runtime_python
from zendesk_push.sam_local.invoke import BASE_IMAGE, require_engine
from zendesk_push.template.environment import function_environment

# The push function may take so many times what the bare handler takes to its first answer.
BOUND: Final = 1.25
BARE: Final = "bare handler, same clients"
PUSH: Final = "push function"
_HERE: Final = Path(__file__).parent
_COMMON: Final = {
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_LAMBDA_FUNCTION_NAME": "f",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_ACCESS_KEY_ID": "AKIALOCALEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "local-example",
}
_PUSH_ENVIRONMENT: Final = {**_COMMON, **function_environment("PushContentFunction")}
_ADMIN_ENVIRONMENT: Final = {
    **_COMMON,
    **function_environment("AdminCallbackFunction", {"PUSH_CLIENT_ID": "client"}),
}
_HEALTHCHECK: Final = {
    "version": "2.0",
    "routeKey": "GET /healthcheck",
    "rawPath": "/healthcheck",
    "rawQueryString": "",
    "headers": {"host": "example.com"},
    "requestContext": {
        "domainName": "example.com",
        "http": {"method": "GET", "path": "/healthcheck"},
        "stage": "$default",
    },
    "isBase64Encoded": False,
}


@dataclass(frozen=True)
class Timing:
    """Milliseconds, median of the rounds: until the handler is imported, and until the first answer."""

    imported: float
    answered: float


def variants() -> dict[str, dict[str, Any]]:
    """What is compared; the first is what the others are measured by."""
    batch: dict[str, Any] = {"Records": []}
    push = {
        "handler": "push_content.handler.lambda_handler",
        "environment": _PUSH_ENVIRONMENT,
        "event": batch,
    }
    admin = {
        "handler": "admin_callback.handler.lambda_handler",
        "environment": _ADMIN_ENVIRONMENT,
        "event": _HEALTHCHECK,
    }
    bare = {"handler": "bare_handler.lambda_handler", "environment": _PUSH_ENVIRONMENT, "event": batch}
    # Points Python to byte code that is not there: the sources are compiled, as without `make build`.
    uncompiled = {**_PUSH_ENVIRONMENT, "PYTHONPYCACHEPREFIX": "/nowhere", "PYTHONDONTWRITEBYTECODE": "1"}
    return {
        name: {**variant, "task_root": RUNTIME_DIRECTORY}
        for name, variant in {
            BARE: bare,
            PUSH: push,
            "admin function": admin,
            "push function, not byte-compiled": {**push, "environment": uncompiled},
        }.items()
    }


def measure(artifact: Path, rounds: int) -> dict[str, Timing]:
    """Run the driver in a container of Lambda's runtime.

    Raises:
        CommandError: nothing is built, no engine, or a function does not start.
    """
    if not (artifact / "push_content").is_dir():
        raise CommandError(f"{artifact} is not a built function; run `make build` first")
    require_engine()
    with tempfile.TemporaryDirectory() as directory:
        task = Path(directory) / "task"
        shutil.copytree(artifact, task)
        shutil.copy(_HERE / "bare_handler.py", task)
        compile_sources(task, runtime_python())
        Path(directory).chmod(0o755)
        done = subprocess.run(
            [
                *("docker", "run", "--rm", "--interactive", "--network", "none", "--entrypoint", "python3"),
                *(
                    "--volume",
                    f"{task}:{RUNTIME_DIRECTORY}:ro",
                    "--volume",
                    f"{_HERE / 'driver.py'}:/driver.py:ro",
                ),
                *("--env", "PYTHONPATH=/var/runtime", BASE_IMAGE, "/driver.py"),
            ],
            input=json.dumps({"rounds": rounds, "variants": variants()}),
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise CommandError(f"the container failed:\n{done.stderr}")
    return {
        name: Timing(
            imported=statistics.median(each["imported"] for each in times),
            answered=statistics.median(each["answered"] for each in times),
        )
        for name, times in json.loads(done.stdout).items()
    }


def table(timings: Mapping[str, Timing]) -> str:
    """The figures and their ratios to the bare handler's."""
    base = timings[BARE].answered
    lines = [f"{'cold start, ms (median)':36} {'imported':>9} {'answered':>9} {'ratio':>6}"]
    lines += [
        f"{name:36} {timing.imported:9.0f} {timing.answered:9.0f} {timing.answered / base:5.2f}x"
        for name, timing in timings.items()
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; 1 if the push function is over its bound."""
    parser = argparse.ArgumentParser(prog="cold_start", description="Cold starts in Lambda's own runtime.")
    parser.add_argument("--rounds", type=int, default=15, help="of each variant (default: %(default)s)")
    parser.add_argument(
        "--artifact", type=Path, default=BUILD / "PushContentFunction", help="default: %(default)s"
    )
    options = parser.parse_args(arguments)
    try:
        timings = measure(options.artifact, options.rounds)
    except CommandError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(table(timings))
    ratio = timings[PUSH].answered / timings[BARE].answered
    print(f"push function: {ratio:.2f} times the bare handler, bound {BOUND}")
    return 1 if ratio > BOUND else 0


if __name__ == "__main__":
    sys.exit(main())

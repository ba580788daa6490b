"""`sam local invoke`, once for each event, in a fresh container of Lambda's runtime."""

import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from zendesk_push.errors import CommandError
from zendesk_push.sam_local.environment import HOST

_SECONDS: Final = 120
# The name under which SAM looks for Lambda's base image; `docker image inspect` finds it without a registry.
BASE_IMAGE: Final = "public.ecr.aws/lambda/python:3.13-x86_64"


@dataclass(frozen=True)
class FunctionAnswer:
    """What the function returned, and what it logged (SAM's own lines among it)."""

    value: Any
    log: str


class SamLocal:
    """Invokes functions of a built template.

    Args:
        sam: the SAM command line.
        template, environment: the files that ``environment.write`` made.
    """

    def __init__(self, sam: str | Path, template: Path, environment: Path) -> None:
        self._sam = str(sam)
        self._template = template
        self._environment = environment

    def invoke(self, function: str, event: Any) -> FunctionAnswer:
        """Run one function with one event.

        Raises:
            CommandError: SAM failed, or the function did, or it ran into its time-out.
        """
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
            json.dump(event, file)
            file.flush()
            try:
                done = subprocess.run(
                    [*self._command("invoke", function), "--event", file.name],
                    env=process_environment(),
                    capture_output=True,
                    text=True,
                    timeout=_SECONDS,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                raise CommandError(f"sam local invoke {function} did not end within {_SECONDS} s") from None
        if done.returncode:
            raise CommandError(f"sam local invoke {function} failed:\n{done.stderr}")
        # The function's own lines go to stderr; SAM writes the answer to stdout, without a line end.
        lines = done.stdout.strip().splitlines()
        if not lines:
            raise CommandError(f"{function} answered nothing:\n{done.stderr}")
        value = json.loads(lines[-1])
        if isinstance(value, dict) and "errorType" in value:
            raise CommandError(
                f"{function} failed: {value['errorType']}: {value.get('errorMessage')}\n{done.stderr}"
            )
        return FunctionAnswer(value, done.stderr + "\n".join(lines[:-1]))

    def start_api(self, port: int) -> "subprocess.Popen[str]":
        """`sam local start-api` at 127.0.0.1; SAM says on stderr when it is up."""
        return subprocess.Popen(
            [*self._command("start-api"), "--port", str(port), "--warm-containers", "LAZY"],
            env=process_environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _command(self, command: str, *arguments: str) -> list[str]:
        return [
            *(self._sam, "local", command, *arguments),
            *("--template", str(self._template), "--env-vars", str(self._environment)),
            *("--add-host", f"{HOST}:host-gateway", "--region", "us-east-1", *pull_option()),
        ]


def process_environment() -> dict[str, str]:
    """SAM's environment: no credentials (it would ask AWS about them), no instance metadata, no telemetry."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    return {
        **kept,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "SAM_CLI_TELEMETRY": "0",
    }


def pull_option() -> tuple[str, ...]:
    """Without a registry's digest, the image was made on this machine: SAM must not ask the registry for it."""
    inspected = _docker("image", "inspect", "--format", "{{json .RepoDigests}}", BASE_IMAGE)
    made_here = inspected.returncode == 0 and json.loads(inspected.stdout) in ([], None)
    return ("--skip-pull-image",) if made_here else ()


def require_engine() -> None:
    """Look whether `sam local` can run here.

    Raises:
        CommandError: no, and why.
    """
    if _docker("info").returncode:
        raise CommandError("no Docker engine answers")


def _docker(*arguments: str) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    except OSError:
        return subprocess.CompletedProcess(arguments, 127, "", "")

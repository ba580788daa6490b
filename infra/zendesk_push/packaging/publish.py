"""`make deploy`: `sam deploy` for one stage, with the hash that decides whether a new version is published.

With an alias, SAM publishes a version when code or template change, but not when only a parameter's value does:
the alias would go on serving the old environment. So PublishHash covers all three: artifacts, template, parameters.
"""

import argparse
import hashlib
import json
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from zendesk_push.errors import CommandError, UsageError
from zendesk_push.packaging.artifact import BUILD, artifacts

CONFIGURATION: Final = Path("samconfig.toml")
PARAMETER: Final = "PublishHash"


def stage_parameters(configuration: Mapping[str, Any], stage: str) -> dict[str, str]:
    """The parameters that samconfig.toml has for a stage, in any of the forms that SAM takes.

    Raises:
        UsageError: there is no such stage, or an override has no value.
    """
    if stage not in configuration:
        stages = ", ".join(name for name, value in configuration.items() if isinstance(value, dict))
        raise UsageError(f"{CONFIGURATION} has no stage {stage!r}, only {stages}")
    settings = configuration[stage]
    everywhere = settings.get("global", {}).get("parameters", {})
    deploying = settings.get("deploy", {}).get("parameters", {})
    return parse_overrides({**everywhere, **deploying}.get("parameter_overrides", {}))


def parse_overrides(overrides: str | Sequence[Any] | Mapping[str, Any]) -> dict[str, str]:
    """A table, or ``Key=Value`` words in a list or (as `sam deploy --guided` writes it) one string.

    Raises:
        UsageError: it is something else.
    """
    if isinstance(overrides, Mapping):
        return {
            key: ",".join(map(str, value)) if isinstance(value, list) else str(value)
            for key, value in overrides.items()
        }
    parameters: dict[str, str] = {}
    if isinstance(overrides, str):
        for word in shlex.split(overrides):
            key, equals, value = word.partition("=")
            if not key or not equals:
                raise UsageError(f"a parameter is Key=Value, not {word!r}")
            parameters[key] = value
    else:
        for part in overrides:
            parameters |= parse_overrides(part)
    return parameters


def publish_hash(build: Path, parameters: Mapping[str, str]) -> str:
    """SHA-256, in hexadecimal, over what decides how the functions behave.

    Raises:
        CommandError: nothing is built.
    """
    digest = hashlib.sha256(json.dumps(dict(parameters), sort_keys=True).encode())
    files = [build / "template.yaml"]
    for artifact in artifacts(build):
        files += sorted(path for path in artifact.rglob("*") if path.is_file())
    for path in files:
        digest.update(f"\0{path.relative_to(build).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def main(arguments: Sequence[str] | None = None) -> int:
    """Deploy; returns SAM's own exit code."""
    parser = argparse.ArgumentParser(prog="publish", description="Deploy a stage of samconfig.toml.")
    parser.add_argument("--sam", default="sam", help="the SAM command line (default: %(default)s)")
    parser.add_argument("--stage", default="default", help="of samconfig.toml (default: %(default)s)")
    parser.add_argument("--build", type=Path, default=BUILD, help="what is deployed (default: %(default)s)")
    parser.add_argument(
        "--parameter", action="append", default=[], metavar="Key=Value", help="beside the stage's own"
    )
    parser.add_argument("further", nargs="*", help="arguments for sam deploy, after --")
    options = parser.parse_args(arguments)
    try:
        configuration = tomllib.loads(CONFIGURATION.read_text("utf-8"))
        parameters = stage_parameters(configuration, options.stage)
        for given in options.parameter:
            parameters |= parse_overrides(shlex.quote(given))
        parameters.pop(PARAMETER, None)
        parameters[PARAMETER] = publish_hash(options.build, parameters)
    except CommandError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except (OSError, tomllib.TOMLDecodeError) as error:
        print(f"{CONFIGURATION} can't be read: {error}", file=sys.stderr)
        return 2
    # Overrides on a command line replace those of samconfig.toml, so all are given. In a file (JSON is YAML), as
    # values with blanks and quotes would have to be quoted for SAM's own parser.
    overrides = options.build.parent / "parameters.yaml"
    # OriginSecret may be among them.
    overrides.touch(mode=0o600)
    overrides.chmod(0o600)
    overrides.write_text(json.dumps(parameters, indent=1) + "\n", "utf-8")
    command = [options.sam, "deploy", "--config-env", options.stage, *options.further]
    return subprocess.run([*command, "--parameter-overrides", f"file://{overrides}"], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

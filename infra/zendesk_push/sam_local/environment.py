"""What `sam local` has to be told about a running local stack: an env file with every variable of both functions."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from zendesk_push.errors import CommandError
from zendesk_push.local.aws import LocalAws
from zendesk_push.local.moto_process import ACCOUNT_ID
from zendesk_push.local.ready_file import KEYS
from zendesk_push.local_registry import STACK_NAME
from zendesk_push.template.intrinsics import Resolver
from zendesk_push.template.translation import load_template

# What the machine is called in a container. On Linux `sam local` has to be given --add-host for it.
HOST: Final = "host.docker.internal"
ENVIRONMENT_NAME: Final = "sam-local.env.json"
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class RunningStack:
    """The addresses in a ready file, as they are on this machine."""

    zendesk_url: str
    aws_endpoint_url: str
    region: str
    queue_url: str
    dead_letter_queue_url: str
    accounts_table: str
    replies_queue_url: str | None = None


def read_ready_file(path: Path) -> RunningStack:
    """Find the stack that ``zendesk-push local --ready-file PATH`` started.

    Raises:
        CommandError: it is not running, or this is another file.
    """
    try:
        values = json.loads(path.read_text("utf-8"))
        assert values.keys() >= set(KEYS)  # noqa: S101 - one error for all that a wrong file can be
    except FileNotFoundError:
        raise CommandError(
            f"no stack is running: {path} is not there (`zendesk-push local --ready-file`)"
        ) from None
    except (OSError, ValueError, AttributeError, AssertionError):
        raise CommandError(f"{path} is not a ready file of `zendesk-push local`") from None
    return RunningStack(**{name: values.get(name) for name in RunningStack.__dataclass_fields__})


def in_container(value: str) -> str:
    """A URL of this machine as a container has to call it; anything else as it is."""
    parts = urlsplit(value)
    if parts.hostname not in _LOOPBACK:
        return value
    host = HOST if parts.port is None else f"{HOST}:{parts.port}"
    return urlunsplit((parts.scheme, host, parts.path, parts.query, parts.fragment))


def environment(
    template: Path,
    stack: RunningStack,
    parameters: Mapping[str, str] | None = None,
    *,
    address: Callable[[str], str] = in_container,
) -> dict[str, dict[str, str]]:
    """Every function's variables by logical id, with the running stack's resources for references.

    ``parameters`` are those that the stack was started with; ``address`` turns URLs of this machine into what they
    are where the function runs.

    Raises:
        CommandError: the template can't be read, or is not the one that the stack was made of.
    """
    found = {"ZendeskBaseUrl": stack.zendesk_url}
    if stack.replies_queue_url:
        found["Replies"] = "enabled"
    loaded = load_template(template, {**(parameters or {}), **found})
    # The key is found by the alias that the template gives it.
    key = (
        LocalAws(stack.aws_endpoint_url)
        .client("kms")
        .describe_key(KeyId=f"alias/{STACK_NAME}")["KeyMetadata"]
    )
    references = {
        "ContentQueue": stack.queue_url,
        "DeadLetterQueue": stack.dead_letter_queue_url,
        "AccountsTable": stack.accounts_table,
        "DataKey": key["KeyId"],
        "MetadataKey": f"{STACK_NAME}-metadata-key",  # the name that the template gives it
    }
    if stack.replies_queue_url:
        references["RepliesQueue"] = stack.replies_queue_url
    attributes = {("DataKey", "Arn"): key["Arn"]}

    def look_up(known: Mapping[Any, str], wanted: Any) -> str:
        try:
            return known[wanted]
        except KeyError:
            raise CommandError(f"{wanted} in a function's environment is not known here") from None

    resolver = Resolver(
        {
            **loaded.parameters,
            "AWS::StackName": STACK_NAME,
            "AWS::Region": stack.region,
            "AWS::AccountId": ACCOUNT_ID,
        },
        conditions=loaded.conditions,
        mappings=loaded.mappings,
        ref=lambda logical_id: look_up(references, logical_id),
        attribute=lambda logical_id, name: look_up(attributes, (logical_id, name)),
    )
    variables = {}
    for name, resource in loaded.resources.items():
        if resource["Type"] == "AWS::Lambda::Function":
            given = resolver.resolve(resource["Properties"]["Environment"]["Variables"], name)
            own = {key: address(str(value)) for key, value in given.items()}
            variables[name] = {**own, "AWS_ENDPOINT_URL": address(stack.aws_endpoint_url)}
    return variables


def write(build: Path, stack: RunningStack, parameters: Mapping[str, str] | None = None) -> tuple[Path, Path]:
    """Write the env file beside the built template.

    Returns:
        The paths of both, for ``--template`` and ``--env-vars``.

    Raises:
        CommandError: nothing is built.
    """
    built = build / "template.yaml"
    if not built.is_file():
        raise CommandError(f"{built} is not there; run `make build` first")
    variables = build / ENVIRONMENT_NAME
    variables.write_text(json.dumps(environment(built, stack, parameters), indent=2) + "\n", "utf-8")
    return built, variables

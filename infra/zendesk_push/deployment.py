"""Where a deployment's queues, table, API and alarms are.

A command is told which deployment is meant by the name of its CloudFormation stack, the ready file of a running
``zendesk-push local``, or the addresses themselves, which can be combined: an address that is given wins over one
that is found. Told nothing, it takes the stack that the environment variable ZENDESK_PUSH_STACK names, or else the
local stack that runs on this machine; and says so.
"""

import argparse
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.utils import is_valid_endpoint_url

from zendesk_channel.addresses import is_loopback
from zendesk_push.errors import CommandError, UsageError
from zendesk_push.local_registry import STACK_NAME, running_stacks
from zendesk_push.terminal import remark

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

# Seconds. A person waits for the answer, so somewhat longer than the functions do.
_CLIENT_CONFIG: Final = Config(
    connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 4}
)
STACK_VARIABLE: Final = "ZENDESK_PUSH_STACK"
_QUEUE_URL_REGION: Final = re.compile(r"https://sqs\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/")


@dataclass(frozen=True)
class StackResource:
    """One resource of the stack, by CloudFormation's names."""

    logical_id: str
    resource_type: str
    physical_id: str


@dataclass(frozen=True)
class Deployment:
    """What is known of a deployment. A part that nobody named is None, and asking for it is an error that says how.

    Attributes:
        session: credentials and region to reach it with.
        endpoint_url: of an AWS that is not AWS, such as moto's server.
        local: it is a ``zendesk-push local``, which has no alarms and no event source mapping.
        log_file, lambda_endpoint_url: where a local stack writes its functions' log lines, and where they are invoked.
        resources: the stack's resources by logical id; empty when the stack's name was not given.
    """

    session: boto3.Session
    endpoint_url: str | None = None
    local: bool = False
    stack_name: str | None = None
    queue_url: str | None = None
    dead_letter_queue_url: str | None = None
    replies_queue_url: str | None = None
    accounts_table: str | None = None
    api_url: str | None = None
    zendesk_url: str | None = None
    log_file: Path | None = None
    lambda_endpoint_url: str | None = None
    resources: Mapping[str, StackResource] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """A boto3 client of the deployment's region."""
        config = _CLIENT_CONFIG.merge(Config(proxies={})) if self.local else _CLIENT_CONFIG
        return self.session.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.lambda_endpoint_url
            if service == "lambda" and self.local
            else self.endpoint_url,
            config=config,
        )

    def content_queue(self) -> str:
        """The content queue's URL; UsageError if it is not known."""
        return _known(self.queue_url, "content queue", "--queue-url")

    def dead_letter_queue(self) -> str:
        """The dead-letter queue's URL; UsageError if it is not known."""
        return _known(self.dead_letter_queue_url, "dead-letter queue", "--dead-letter-queue-url")

    def replies_queue(self) -> str:
        """The URL of the queue of agents' answers; UsageError if it is not known, or there is none."""
        if self.replies_queue_url is None and (self.local or self.resources):
            raise UsageError("there is no replies queue: start or deploy the stack with Replies=enabled")
        return _known(self.replies_queue_url, "replies queue", "--replies-queue-url")

    def table(self) -> str:
        """The accounts table's name; UsageError if it is not known."""
        return _known(self.accounts_table, "accounts table", "--accounts-table")

    def secret_prefix(self) -> str:
        """What the names of the accounts' secrets begin with; UsageError if it is not known."""
        if self.stack_name is None:
            raise UsageError("where are the accounts' secrets? Give --stack-name")
        return self.stack_name


def add_deployment_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which deployment is meant."""
    group = parser.add_argument_group(
        "which deployment",
        f"By default the stack that {STACK_VARIABLE} names, else the `zendesk-push local` that runs here.",
    )
    group.add_argument(
        "--stack-name", metavar="NAME", help="the CloudFormation stack; its resources are looked up"
    )
    group.add_argument(
        "--ready-file", metavar="PATH", type=Path, help="what `zendesk-push local` wrote when ready"
    )
    group.add_argument("--queue-url", metavar="URL", help="the content queue")
    group.add_argument("--dead-letter-queue-url", metavar="URL", help="the dead-letter queue")
    group.add_argument("--replies-queue-url", metavar="URL", help="the queue of agents' answers")
    group.add_argument("--accounts-table", metavar="NAME", help="the DynamoDB table of the accounts")
    group.add_argument("--api-url", metavar="URL", help="the HTTP API, without a path")
    group.add_argument("--region", help="AWS region; otherwise as the AWS CLI has it")
    group.add_argument("--profile", help="profile of the AWS CLI's configuration")
    group.add_argument("--endpoint-url", metavar="URL", help="an AWS endpoint other than AWS's own")


def find_deployment(args: argparse.Namespace) -> Deployment:
    """The deployment that the options of ``add_deployment_arguments`` name.

    Raises:
        UsageError: they name none, or contradict each other.
        CommandError: the stack or the ready file is not there or not readable.
    """
    if args.stack_name and args.ready_file:
        raise UsageError("give either --stack-name or --ready-file, not both")
    given = {
        name: getattr(args, name)
        for name in (
            "endpoint_url",
            "queue_url",
            "dead_letter_queue_url",
            "replies_queue_url",
            "accounts_table",
            "api_url",
        )
        if getattr(args, name)
    }
    if args.endpoint_url and not _is_endpoint(args.endpoint_url):
        raise UsageError(f"--endpoint-url {args.endpoint_url!r} is not a URL such as http://127.0.0.1:5000")
    if args.ready_file:
        found = _from_ready_file(args.ready_file)
    elif args.stack_name or given.keys() - {"endpoint_url"}:
        found = _on_aws(args, args.stack_name)
    else:
        found = _by_default(args)
    found = replace(found, **given)
    return replace(found, api_url=found.api_url.rstrip("/") if found.api_url else None)


def _by_default(args: argparse.Namespace) -> Deployment:
    stack_name = os.environ.get(STACK_VARIABLE)
    if stack_name:
        remark(f"stack {stack_name} ({STACK_VARIABLE})")
        return _on_aws(args, stack_name)
    running = [] if args.endpoint_url or args.region or args.profile else running_stacks()
    if not running:
        raise UsageError(
            f"which deployment? Give --stack-name NAME or set {STACK_VARIABLE}; no `zendesk-push local` runs here"
        )
    if len(running) > 1:
        named = ", ".join(f"{entry.get('api_url')} (process {entry['pid']})" for entry in running)
        raise UsageError(
            f"several local stacks run here: {named}. Start each with a --ready-file PATH of its own, "
            "and give the command the one that is meant"
        )
    try:
        found = _local(running[0])
    except (KeyError, TypeError):
        raise CommandError(
            f"what the local stack {running[0]['pid']} says of itself is not complete"
        ) from None
    remark(f"local stack at {found.api_url} (process {running[0]['pid']})")
    return found


def _on_aws(args: argparse.Namespace, stack_name: str | None) -> Deployment:
    found = Deployment(
        session=_session(args), endpoint_url=args.endpoint_url, local=_is_local(args.endpoint_url)
    )
    return _with_stack(found, stack_name) if stack_name else found


def _session(args: argparse.Namespace) -> boto3.Session:
    region = args.region or _region_of(args.queue_url or args.dead_letter_queue_url or args.replies_queue_url)
    session = boto3.Session(profile_name=args.profile, region_name=region)
    if not session.region_name:
        raise UsageError("no AWS region: give --region, or set AWS_REGION")
    return session


def _region_of(queue_url: str | None) -> str | None:
    found = _QUEUE_URL_REGION.match(queue_url or "")
    return found[1] if found else None


def _is_endpoint(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and parts.port != 0 and bool(is_valid_endpoint_url(url))
    except ValueError:
        return False


def _is_local(endpoint_url: str | None) -> bool:
    return endpoint_url is not None and is_loopback(urlsplit(endpoint_url).hostname or "")


def _from_ready_file(path: Path) -> Deployment:
    try:
        ready = json.loads(path.read_text(encoding="utf-8"))
        running = [
            one for one in running_stacks() if one.get("aws_endpoint_url") == ready["aws_endpoint_url"]
        ]
        return _local({**ready, **(running[0] if running else {})})
    except FileNotFoundError:
        raise CommandError(f"{path} is not there: is `zendesk-push local --ready-file {path}` up?") from None
    except OSError as error:
        raise CommandError(f"{path} can't be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise CommandError(f"{path} is not a ready file of `zendesk-push local`") from None


def _local(ready: Mapping[str, Any]) -> Deployment:
    return Deployment(
        # moto takes any credentials, and real ones have no business there.
        session=boto3.Session(
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106
            region_name=ready["region"],
        ),
        endpoint_url=ready["aws_endpoint_url"],
        local=True,
        stack_name=STACK_NAME,
        queue_url=ready["queue_url"],
        dead_letter_queue_url=ready["dead_letter_queue_url"],
        replies_queue_url=ready.get("replies_queue_url"),
        accounts_table=ready["accounts_table"],
        api_url=ready["api_url"],
        zendesk_url=ready.get("zendesk_url"),
        log_file=Path(ready["log_file"]) if ready.get("log_file") else None,
        lambda_endpoint_url=ready.get("lambda_endpoint_url"),
    )


def _with_stack(deployment: Deployment, stack_name: str) -> Deployment:
    cloudformation: CloudFormationClient = deployment.client("cloudformation")
    try:
        stack = cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack_name)
        resources = {
            entry["LogicalResourceId"]: StackResource(
                entry["LogicalResourceId"], entry["ResourceType"], entry.get("PhysicalResourceId", "")
            )
            for page in pages
            for entry in page["StackResourceSummaries"]
        }
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == "ValidationError":
            region = deployment.session.region_name
            raise CommandError(
                f"there is no stack {stack_name!r} in {region}, for these credentials"
            ) from None
        raise
    outputs = {entry["OutputKey"]: entry["OutputValue"] for entry in stack.get("Outputs", [])}
    return replace(
        deployment,
        stack_name=stack_name,
        resources=resources,
        queue_url=_physical(resources, "ContentQueue"),
        dead_letter_queue_url=_physical(resources, "DeadLetterQueue"),
        replies_queue_url=_physical(resources, "RepliesQueue"),
        accounts_table=_physical(resources, "AccountsTable"),
        # The output knows of a custom domain.
        api_url=outputs.get("ManifestUrl", "").removesuffix("/manifest.json") or None,
    )


def _physical(resources: Mapping[str, StackResource], logical_id: str) -> str | None:
    resource = resources.get(logical_id)
    return resource.physical_id or None if resource else None


def _known(value: str | None, what: str, option: str) -> str:
    if value is None:
        raise UsageError(f"where is the {what}? Give --stack-name, --ready-file or {option}")
    return value

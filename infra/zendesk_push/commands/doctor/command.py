"""Check a deployment from the outside, and say for each thing that is wrong what to do about it.

Looked at: manifest and health check as Zendesk gets them; the queues' policies, encryption, redrive, retention and
backlog; the key, the functions, what feeds one of them, their concurrency and the schedule; the alarms and who hears
them; accounts that are refused, paused, failing or slow; what waits for an account or a parent that is missing; dead
letters and how long they still have (which hides them from others meanwhile). Nothing is changed.

Exit code: 0 all is well (warnings allowed), 1 something has failed, 2 called wrongly.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from zendesk_push.commands.doctor.account_checks import check_accounts
from zendesk_push.commands.doctor.concurrency_check import check_concurrency
from zendesk_push.commands.doctor.findings import Finding, Level, fail, warn
from zendesk_push.commands.doctor.http_checks import check_http
from zendesk_push.commands.doctor.key_checks import check_key, check_metadata_key
from zendesk_push.commands.doctor.queue_checks import check_queues
from zendesk_push.commands.doctor.reply_checks import check_replies
from zendesk_push.commands.doctor.runtime_checks import (
    check_alarms,
    check_event_source,
    check_functions,
    check_schedule,
)
from zendesk_push.commands.doctor.waiting_checks import check_dead_letters, check_waiting
from zendesk_push.deployment import Deployment, add_deployment_arguments, find_deployment
from zendesk_push.terminal import print_json, printable, styled

EXAMPLES: Final = """\
examples:
  zendesk-push doctor
  zendesk-push doctor --stack-name push --strict --json"""
# The name is what a failure of the check itself is reported under.
_CHECKS: Final[tuple[tuple[str, Callable[[Deployment], Iterator[Finding]]], ...]] = (
    ("http", check_http),
    ("queues", check_queues),
    ("replies", check_replies),
    ("key", check_key),
    ("metadata key", check_metadata_key),
    ("functions", check_functions),
    ("event source", check_event_source),
    ("concurrency", check_concurrency),
    ("schedule", check_schedule),
    ("alarms", check_alarms),
    ("accounts", check_accounts),
    ("waiting", check_waiting),
    ("dead letters", check_dead_letters),
)
_DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
_STYLES: Final = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "red", Level.SKIP: "dim"}
_SUBJECT_WIDTH: Final = 24


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--strict", action="store_true", help="warnings count as failures")
    parser.add_argument("--json", action="store_true", help="a JSON array of findings instead of lines")
    add_deployment_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Print the findings; 1 if any of them is a failure."""
    deployment = find_deployment(args)
    findings: list[Finding] = []
    for finding in diagnose(deployment):
        findings.append(finding)
        if not args.json:
            _print(finding)
    counts = Counter(finding.level for finding in findings)
    if args.json:
        print_json([asdict(finding) for finding in findings])
    else:
        print(", ".join(f"{counts[level]} {level}" for level in Level))
    return 1 if counts[Level.FAIL] or (args.strict and counts[Level.WARN]) else 0


def diagnose(deployment: Deployment) -> Iterator[Finding]:
    """All findings, each as soon as it is known. A check that can't be made is a finding too."""
    for subject, check in _CHECKS:
        try:
            yield from check(deployment)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "Unknown"))
            said = " ".join(str(error).split())
            if code in _DENIED:
                yield warn(subject, f"could not be checked: {said}", "use credentials that may read this")
            else:
                yield fail(subject, said, "is this the right deployment and region?")
        except BotoCoreError as error:
            yield fail(
                subject, " ".join(str(error).split()), "check the network, the region and the credentials"
            )


def _print(finding: Finding) -> None:
    level = styled(f"{finding.level:<5}", _STYLES[finding.level])
    print(f"{level}{finding.subject:<{_SUBJECT_WIDTH}} {printable(finding.seen)}", flush=True)
    if finding.advice:
        print(f"{'':5}{'':{_SUBJECT_WIDTH}} -> {finding.advice}", flush=True)

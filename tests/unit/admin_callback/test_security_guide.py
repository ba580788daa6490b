"""docs/security.md's table of costs: its counts are those of test_costs.py, its prices those of the cost model."""

import re
from pathlib import Path

import pytest

from admin_callback.accounts.event_limits import MAX_OPENED, MAX_RECEIPTS, MAX_UNPROVEN, VALIDATION_SECONDS
from admin_callback.accounts.validation_rate_limit import IN_ALL, PER_SOURCE_AND_SUBDOMAIN, PER_SUBDOMAIN
from zendesk_channel.client import VALIDATE_TOKEN_TIMEOUT
from zendesk_push.costs import prices

GUIDE = (Path(__file__).parents[3] / "docs" / "security.md").read_text("utf-8")
MEMORY_GB = 0.5
# reads, calls to KMS, requests to SQS, seconds at most, KiB of log
ROWS = {
    "a form that breaks a rule": (0, 0, 0, 0.02, 1),
    "a callback": (1, 1, 0, 2 * VALIDATE_TOKEN_TIMEOUT, 1),
    "a callback over a limit": (1, 1, 0, 0.02, 1),
    "a body with metadata that we did not write": (0, 0, 0, 0.5, 1),
    "a body with metadata that we wrote and that speaks for nobody": (
        MAX_UNPROVEN,
        MAX_OPENED,
        0,
        VALIDATION_SECONDS,
        8,
    ),
    # A request to SQS is counted for each 64 KiB; a body has 1 MiB in all.
    "a body of reports, with a queue for them": (0, 0, MAX_RECEIPTS // 10 + 16, 1, 8),
}


def price_of_a_million(reads: int, kms: int, sqs: int, seconds: float, log_kib: int) -> float:
    return 1_000_000 * (
        prices.HTTP_API_REQUEST
        + prices.LAMBDA_REQUEST
        + seconds * MEMORY_GB * prices.LAMBDA_GB_SECOND
        + reads * prices.DYNAMODB_READ
        + kms * prices.KMS_REQUEST
        + sqs * prices.SQS_REQUEST
        + log_kib * 1024 / 1e9 * prices.LOGS_GB
    )


def _row(name: str) -> list[str]:
    [row] = re.findall(rf"^\| {re.escape(name)} \|(.*)\|$", GUIDE, re.MULTILINE)
    return [cell.strip() for cell in row.split("|")]


@pytest.mark.parametrize("name", ROWS)
def test_every_row_is_counted_and_priced(name: str) -> None:
    reads, kms, sqs, seconds, log_kib = ROWS[name]
    shown = _row(name)
    assert shown == [
        *(str(count or "-") for count in (reads, kms, sqs)),
        f"{seconds:g} s",
        f"{log_kib} KiB",
        f"${price_of_a_million(*ROWS[name]):.2f}",
    ]


def test_the_limits_are_the_codes() -> None:
    text = " ".join(GUIDE.split())
    assert (
        f"{PER_SOURCE_AND_SUBDOMAIN} a minute per source address and subdomain, {PER_SUBDOMAIN} per subdomain, "
        f"{IN_ALL} in all"
    ) in text
    assert prices.NOTED in text

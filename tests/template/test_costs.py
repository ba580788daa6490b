"""The cost model, and the tables that it writes into docs/deployment.md."""

import re
from dataclasses import replace

import pytest

from zendesk_push.costs import prices
from zendesk_push.costs.model import Traffic, monthly_costs
from zendesk_push.costs.tables import FILLS, GUIDE, STACKS, by_fill, by_stack, written

USUAL = Traffic(messages=1e6, accounts=100, batch=20, accounts_per_batch=10)
SECRETS = "secrets, one for each account"


def test_the_guide_has_the_tables_of_today() -> None:
    """`make costs` writes them."""
    guide = GUIDE.read_text("utf-8")
    assert written(guide) == guide
    assert f"as of {prices.NOTED}" in guide


def test_a_guide_without_a_place_for_them_is_an_error() -> None:
    with pytest.raises(ValueError, match="no place"):
        written("# Deployment\n")


def test_secrets_are_what_many_accounts_cost() -> None:
    costs = monthly_costs(Traffic(messages=1e8, accounts=10_000, batch=500, accounts_per_batch=100))
    assert costs[SECRETS] == pytest.approx(4_000)
    assert costs[SECRETS] > 10 * (sum(costs.values()) - costs[SECRETS])
    assert "4,000 dollars a month" in GUIDE.read_text("utf-8")


@pytest.mark.parametrize("more", [{"messages": 2e6}, {"receipts": 2.0}, {"body_bytes": 100_000}])
def test_more_of_anything_costs_more(more: dict[str, float]) -> None:
    before, after = monthly_costs(USUAL), monthly_costs(replace(USUAL, **more))  # type: ignore[arg-type]
    assert all(after[component] >= before[component] for component in before)
    assert sum(after.values()) > sum(before.values())


def test_fuller_batches_cost_less() -> None:
    """Each column of the guide's second table is cheaper than the one before it."""
    total = re.findall(r"\*\*([\d.,]+)\*\*", by_fill().splitlines()[-1])
    dollars = [float(figure) for figure in total]
    assert len(dollars) == len(FILLS)
    assert dollars == sorted(dollars, reverse=True)


def test_a_stack_that_does_nothing_costs_what_is_fixed() -> None:
    costs = monthly_costs(Traffic(messages=1, accounts=1))
    assert sum(costs.values()) < 20
    assert costs["SQS"] == pytest.approx(0.26, abs=0.01)  # five pollers that find nothing


def test_messages_are_counted_by_what_aws_counts() -> None:
    """SQS takes a message of 250 KB for four; of one account, a batch of 1,000 is four requests."""
    one_big = monthly_costs(Traffic(messages=1e6, accounts=1, body_bytes=250_000, send_batch=1, receipts=1))
    small = monthly_costs(Traffic(messages=1e6, accounts=1, body_bytes=1_000, send_batch=1, receipts=1))
    assert one_big["SQS"] - small["SQS"] == pytest.approx(1e6 * (3 + 3) * prices.SQS_REQUEST)
    full = Traffic(messages=1e6, accounts=1, batch=1_000, receipts=1)
    assert (full.invocations, full.requests) == (1_000, 4_000)


def test_each_stack_of_the_guide_has_a_column() -> None:
    header = by_stack().splitlines()[0]
    assert all(name in header for name in STACKS)

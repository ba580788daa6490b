"""The tables of docs/deployment.md, and where they stand in it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from zendesk_push.costs.model import Traffic, monthly_costs

GUIDE: Final = Path(__file__).resolve().parents[3] / "docs/deployment.md"
_BEGIN: Final = "<!-- costs: written by `make costs` -->"
_END: Final = "<!-- costs: end -->"

STACKS: Final[Mapping[str, Traffic]] = {
    "10 accounts, 100,000 messages": Traffic(messages=1e5, accounts=10, batch=2),
    "100, a million": Traffic(messages=1e6, accounts=100, batch=20, accounts_per_batch=10),
    "1,000, 10 million": Traffic(messages=1e7, accounts=1_000, batch=100, accounts_per_batch=40),
    "10,000, 100 million": Traffic(messages=1e8, accounts=10_000, batch=500, accounts_per_batch=100),
}
"""A month's traffic of four stacks; messages arrive the more together the more there are."""

FILLS: Final[Mapping[str, tuple[float, float]]] = {
    "one at a time": (1, 1),
    "100, of 50 accounts": (100, 50),
    "100, of one account": (100, 1),
    "1,000, of 100 accounts": (1_000, 100),
    "1,000, of 4 accounts": (1_000, 4),
}
"""Messages of an invocation, and their accounts."""


def by_stack(stacks: Mapping[str, Traffic] = STACKS) -> str:
    """A month of each stack, component by component."""
    costs = {name: monthly_costs(traffic) for name, traffic in stacks.items()}
    components = list(next(iter(costs.values())))
    rows = [
        ["dollars a month", *costs],
        ["---", *("---:" for _ in costs)],
        *([component, *(_money(of[component]) for of in costs.values())] for component in components),
        ["**together**", *(f"**{_money(sum(of.values()))}**" for of in costs.values())],
        [
            "… without secrets, per million messages",
            *(
                _money((sum(of.values()) - of["secrets, one for each account"]) / stacks[name].messages * 1e6)
                for name, of in costs.items()
            ),
        ],
    ]
    return _table(rows)


def by_fill() -> str:
    """A million messages more, by how full invocations and requests are."""
    rows = [["a million messages, dollars", *FILLS], ["---", *("---:" for _ in FILLS)]]
    costs = {name: _million(*fill) for name, fill in FILLS.items()}
    shown = ("SQS", "Lambda", "DynamoDB", "KMS and reading secrets", "logs", "data out to Zendesk")
    rows += [[component, *(_money(of[component]) for of in costs.values())] for component in shown]
    rows.append(["**together**", *(f"**{_money(sum(of.values()))}**" for of in costs.values())])
    return _table(rows)


def _million(batch: float, accounts_per_batch: float) -> Mapping[str, float]:
    """What a million messages add to a stack that has as many already, so that nothing fixed is in it."""

    def month(messages: float) -> Mapping[str, float]:
        return monthly_costs(
            Traffic(messages=messages, accounts=200, batch=batch, accounts_per_batch=accounts_per_batch)
        )

    before, after = month(1e7), month(1.1e7)
    return {component: after[component] - before[component] for component in after}


def written(guide: str) -> str:
    """The guide with its tables as they are now.

    Raises:
        ValueError: it has no place for them.
    """
    before, begin, rest = guide.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{GUIDE.name} has no place for the tables: {_BEGIN} … {_END}")
    return f"{before}{_BEGIN}\n\n{by_stack()}\n\n{by_fill()}\n\n{_END}{after}"


def _money(dollars: float) -> str:
    if 0 < dollars < 0.005:
        return "< 0.01"
    return f"{dollars:,.0f}" if dollars >= 100 else f"{dollars:.2f}"


def _table(rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)

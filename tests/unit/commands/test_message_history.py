"""What log lines say of messages."""

from typing import Any

from zendesk_push.commands.status.overview import Overview, needs, throughput
from zendesk_push.message_history import Fate, histories, tickets
from zendesk_push.waiting import waiting


def push(at: float, ids: list[str], **fields: Any) -> dict[str, Any]:
    return {"message": "push request", "timestamp": at, "message_ids": ids, "account": "acc", **fields}


def not_sent(at: float, ids: list[str], reason: str = "unknown_account", **fields: Any) -> dict[str, Any]:
    return {"message": "not sent", "timestamp": at, "message_ids": ids, "reason": reason, **fields}


def test_the_newest_line_counts() -> None:
    lines = [
        not_sent(1, ["a", "b"]),
        push(
            2,
            ["a", "b", "c"],
            undelivered={"unavailable": ["b"], "again": ["c"]},
            external_ids=[["x"], [], []],
        ),
        push(3, ["c"], undelivered={"zendesk_400": ["c"]}),
        {"message": "dead letter", "timestamp": 4, "message_ids": ["c"], "reason": "zendesk_400"},
    ]
    found = histories(lines)
    assert {one: (each.fate, each.reason) for one, each in found.items()} == {
        "a": (Fate.DELIVERED, None),
        "b": (Fate.WAITING, "unavailable"),
        "c": (Fate.DEAD, "zendesk_400"),
    }
    assert found["a"].external_ids == ("x",)
    assert (found["b"].since, found["b"].at) == (1, 2)


def test_what_goes_out_again_keeps_what_was_known_of_it() -> None:
    assert histories([push(1, ["a"], undelivered={"again": ["a"]})]) == {}


def test_tickets_are_what_zendesk_reports() -> None:
    report = {"message": "resources created", "timestamp": 1, "resources": 4}
    lines = [
        {**report, "external_ids": ["x", "y", "z"], "tickets": [7, 8, None]},
        {**report, "external_ids": ["x"], "tickets": [7]},
    ]
    assert tickets(lines) == {"x": (7,), "y": (8,)}


def test_what_waits_is_grouped_the_oldest_first() -> None:
    lines = [
        not_sent(100, ["a", "b"], account="gone", oldest_s=60),
        push(150, ["c", "d"], undelivered={"unavailable": ["c"]}, subdomain="acme", oldest_s=500),
        {"message": "batch", "timestamp": 151, "delivered": 1, "duration_ms": 5},
    ]
    groups = waiting(lines, [], now=200)
    assert [
        (one.reason, one.account, one.messages, one.oldest_seconds, one.tried_seconds) for one in groups
    ] == [
        ("unavailable", "acc", 1, 550, 50),
        ("unknown_account", "gone", 2, 160, 100),
    ]


def test_throughput_is_of_the_span() -> None:
    lines = [
        push(1, ["a"], duration_ms=10),
        push(2, ["b"], duration_ms=30),
        {"message": "batch", "timestamp": 3, "delivered": 90, "dead_lettered": 2},
    ]
    flow = throughput(lines, 60)
    assert (flow.delivered, flow.delivered_a_minute, flow.dead_lettered, flow.requests, flow.average_ms) == (
        90,
        90,
        2,
        2,
        20,
    )


def test_what_nobody_connected_needs_a_person() -> None:
    groups = waiting(
        [not_sent(1, ["a"], account="gone"), not_sent(1, ["b"], "missing_parent", account="x")], [], 2
    )
    overview = Overview(0, 0, 0, groups, None)
    [(what, _)] = needs(overview, [], 2)
    assert what == "1 message for gone, an account that nobody has connected"
    assert needs(Overview(0, 0, 0, [], None), [], 2) == []
    assert [what for what, _ in needs(Overview(0, 70_000, 3, [], None), [], 2)] == [
        "3 dead letters",
        "70,000 messages are in flight: SQS stops delivering at 120,000",
    ]

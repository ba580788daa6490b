"""Reports of created resources: one log line, one metric, one message for upstream. Believed by nobody."""

import json
from typing import Any

import pytest

from worlds.admin_world import AdminWorld

EVENT = "resources_created_from_external_ids"
RESOURCES = [
    {"type_id": "comment_on_new_ticket", "external_id": "e-1", "ticket_id": 35, "comment_id": 99},
    {"type_id": "comment_on_existing_ticket", "external_id": "e-2", "ticket_id": 36, "comment_id": 100},
]


def test_a_report_is_logged_counted_and_handed_on(
    world: AdminWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    world.restart(receipt_queue_url=world.receipts_url)
    answer = world.event(EVENT, request_id="order-1", resource_events=RESOURCES)
    assert (answer.status, answer.body) == (200, "{}")

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (line,) = [line for line in lines if line.get("message") == "resources created"]
    assert (line["request_id"], line["authenticated"]) == ("order-1", False)
    assert line["event_timestamp"] == "2026-01-01T00:00:00.000+00:00"
    assert (line["resources"], line["external_ids"]) == (2, ["e-1", "e-2"])
    assert line["tickets"] == [35, 36]  # by which operators trace a message to its ticket
    assert [line["ResourcesReported"] for line in lines if "_aws" in line] == [[2.0]]
    (message,) = world.sqs.client.receive_message(QueueUrl=world.receipts_url, MaxNumberOfMessages=10)[
        "Messages"
    ]
    receipt = json.loads(message["Body"])
    assert (receipt["authenticated"], receipt["request_id"], receipt["resources"]) == (
        False,
        "order-1",
        RESOURCES,
    )


def test_without_a_queue_it_is_logged_and_counted(world: AdminWorld) -> None:
    assert world.event(EVENT, request_id="order-1", resource_events=RESOURCES).status == 200
    assert "Messages" not in world.sqs.client.receive_message(QueueUrl=world.receipts_url)


def test_text_that_is_no_text_does_not_cost_the_log_line(
    world: AdminWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    assert world.event(EVENT, request_id="\ud800", resource_events=[{"external_id": "e\udfff"}]).status == 200
    output = capsys.readouterr()
    (line,) = [line for line in output.out.splitlines() if '"resources created"' in line]
    assert json.loads(line)["external_ids"] == ["e\udfff"]
    assert output.err == ""


def test_a_report_never_touches_an_account(world: AdminWorld) -> None:
    metadata = world.connect(account="one").metadata
    before = world.known("one")
    world.event(EVENT, metadata, request_id="r", resource_events=RESOURCES)
    assert world.known("one") == before


def queued(world: AdminWorld) -> list[Any]:
    """What upstream finds."""
    found: list[Any] = []
    while messages := world.sqs.client.receive_message(
        QueueUrl=world.receipts_url, MaxNumberOfMessages=10
    ).get("Messages"):
        found += [json.loads(message["Body"]) for message in messages]
    return found


def test_of_one_body_a_hundred_reports_are_taken_and_a_few_logged(
    world: AdminWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    world.restart(receipt_queue_url=world.receipts_url)
    world.events(
        *(world.event_body(EVENT, request_id=f"r-{n}", resource_events=RESOURCES) for n in range(150))
    )
    assert [receipt["request_id"] for receipt in queued(world)] == [f"r-{n}" for n in range(100)]
    output = capsys.readouterr().out
    assert output.count('"message":"resources created"') == 8
    assert '"ResourcesReported":[200.0]' in output
    assert '"cut_off":50' in output


def test_one_large_report_makes_a_hundred_receipts_at_most(world: AdminWorld) -> None:
    world.restart(receipt_queue_url=world.receipts_url)
    assert world.event(EVENT, request_id="r", resource_events=[{}] * 256 * 120).status == 200
    assert len(queued(world)) == 100


def test_the_largest_receipts_go_in_batches_that_sqs_takes(world: AdminWorld) -> None:
    world.restart(receipt_queue_url=world.receipts_url)
    large = [dict.fromkeys(("type_id", "external_id", "ticket_id"), "é" * 255)] * 200
    assert world.event(EVENT, request_id="r", resource_events=large).status == 200
    assert sum(len(receipt["resources"]) for receipt in queued(world)) == 200

"""The event source mapping on a real queue: what is deleted, what is left, and how batches are made."""

import json
from typing import Any

import pytest

from integration.local.conftest import SECONDS, ExampleStack


def body(**what: Any) -> str:
    return json.dumps(what)


def in_flight(example: ExampleStack) -> int:
    names = ["ApproximateNumberOfMessagesNotVisible"]
    attributes = example.stack.client("sqs").get_queue_attributes(
        QueueUrl=example.stack.queue_url, AttributeNames=names
    )
    return int(attributes["Attributes"][names[0]])


def test_what_succeeds_is_deleted_and_what_fails_is_left_as_it_is(example: ExampleStack) -> None:
    good, bad, fine = example.send(body(), body(fail=True), body())

    deleted, left = example.outcome_of({good, bad, fine})

    assert deleted == {good, fine}
    assert left == {bad}
    assert in_flight(example) == 1


@pytest.mark.parametrize(
    "answer",
    [
        "done",
        {"batchItemFailures": [{"itemIdentifier": ""}]},
        {"batchItemFailures": [{"itemIdentifier": "not of this batch"}]},
    ],
)
def test_a_malformed_answer_leaves_the_whole_batch(example: ExampleStack, answer: Any) -> None:
    ids = set(example.send(body(answer=answer)))

    assert example.outcome_of(ids) == (set(), ids)


def test_a_failing_function_leaves_the_whole_batch(example: ExampleStack) -> None:
    [message_id] = example.send(body(**{"raise": True}))

    outcome = example.outcomes.get(timeout=SECONDS)

    assert outcome.left == {message_id}
    assert outcome.error == "RuntimeError: the whole batch"


@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": []}])
def test_an_answer_without_failures_deletes_the_batch(example: ExampleStack, answer: Any) -> None:
    ids = set(example.send(body(answer=answer)))

    assert example.outcome_of(ids) == (ids, set())


def test_a_message_that_is_visible_again_comes_again_with_its_count(example: ExampleStack) -> None:
    [message_id] = example.send(body(fail=True))
    first = example.outcomes.get(timeout=SECONDS)
    [record] = first.records

    example.stack.client("sqs").change_message_visibility(
        QueueUrl=example.stack.queue_url, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=0
    )
    second = example.outcomes.get(timeout=SECONDS)

    assert [one["attributes"]["ApproximateReceiveCount"] for one in first.records + second.records] == [
        "1",
        "2",
    ]
    assert second.left == {message_id}


def test_records_hold_group_and_attributes(example: ExampleStack) -> None:
    example.send(
        body(),
        MessageGroupId="acme",
        MessageAttributes={
            "Text": {"DataType": "String", "StringValue": "x"},
            "Bytes": {"DataType": "Binary", "BinaryValue": b"\x00"},
        },
    )

    [record] = example.outcomes.get(timeout=SECONDS).records

    assert record["attributes"]["MessageGroupId"] == "acme"
    assert {"SenderId", "SentTimestamp", "ApproximateFirstReceiveTimestamp"} <= record["attributes"].keys()
    assert record["messageAttributes"]["Text"]["stringValue"] == "x"
    assert record["messageAttributes"]["Bytes"]["binaryValue"] == "AA=="


def test_a_batch_holds_at_most_its_size(example: ExampleStack) -> None:
    sqs = example.stack.client("sqs")
    ids = set()
    for _ in range(12):
        entries = [{"Id": str(number), "MessageBody": body()} for number in range(10)]
        answer = sqs.send_message_batch(QueueUrl=example.stack.queue_url, Entries=entries)
        ids |= {sent["MessageId"] for sent in answer["Successful"]}

    sizes = []
    while ids:
        outcome = example.outcomes.get(timeout=SECONDS)
        sizes.append(len(outcome.records))
        ids -= outcome.deleted

    assert sum(sizes) == 120
    assert max(sizes) <= 100


def test_a_batch_holds_at_most_6_mb(example: ExampleStack) -> None:
    ids = set(example.send(*[body(padding="x" * 900_000) for _ in range(8)]))

    sizes = []
    while ids:
        outcome = example.outcomes.get(timeout=SECONDS)
        assert outcome.error is None
        sizes.append(len(outcome.records))
        ids -= outcome.deleted

    assert sum(sizes) == 8
    assert max(sizes) <= 6

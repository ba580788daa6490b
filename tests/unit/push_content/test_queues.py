"""The queues' adapter: tens, sizes, and one bad entry that takes nobody along."""

from typing import Any

import botocore.session
import pytest
from botocore.stub import ANY, Stubber

from push_content.outcomes.dead_letters import DeadLetter, chunks
from push_content.outcomes.queues import ContentQueue, DeadLetterQueue
from push_content.outcomes.sqs_limits import MAX_BYTES
from zendesk_push.in_memory.clock import ManualClock
from zendesk_push.in_memory.sqs import InMemorySqs

URL = "https://sqs.us-east-1.amazonaws.com/123456789012/dead"


def letter(number: int = 1, body: str = "{}", group: str | None = None, **attributes: Any) -> DeadLetter:
    values = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    return DeadLetter(f"m-{number}", body, values, group)


@pytest.fixture
def stub() -> Any:
    client = botocore.session.get_session().create_client(
        "sqs", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    with Stubber(client) as stubber:
        yield stubber


def test_chunks_hold_ten_and_a_mebibyte() -> None:
    sizes = [600_000, 400_000, 300_000, *[10] * 25, 1_048_570]
    letters = [letter(number, "x" * size) for number, size in enumerate(sizes)]

    found = list(chunks(letters))

    assert [one for chunk in found for one in chunk] == letters
    assert all(len(chunk) <= 10 and sum(each.size() for each in chunk) <= MAX_BYTES for chunk in found)
    assert [len(chunk) for chunk in found] == [2, 10, 10, 6, 1]


def test_attributes_count_too() -> None:
    letters = [letter(number, "x", Text="y" * 300_000) for number in range(5)]

    assert [len(chunk) for chunk in chunks(letters)] == [3, 2]


def test_chunks_are_ones_that_sqs_takes() -> None:
    sqs = InMemorySqs(ManualClock())
    sqs.create_queue(QueueName="dead")
    queue = DeadLetterQueue(sqs.client, URL)
    letters = [letter(number, "x" * 90_000, Text="ü" * 15_000) for number in range(23)]

    assert [queue.send(chunk) for chunk in chunks(letters)] == [{}, {}, {}]


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (letter(1, "x" * (MAX_BYTES - 10), Text="12345"), "AWS.SimpleQueueService.BatchRequestTooLong"),
        (letter(1, Text=""), "InvalidAttributeValue"),
        (letter(1, Text="\x00"), "InvalidAttributeValue"),
        (letter(1, Text="\x1f"), "InvalidAttributeValue"),
        (letter(1, Text="\ufffe"), "InvalidAttributeValue"),
        (letter(1, Text="\ud800"[:0] + "\uffff"), "InvalidAttributeValue"),
        (letter(1, Text="half \ud800"), "InvalidAttributeValue"),
        (letter(1, **{"AWS.Name": "x"}), "InvalidAttributeValue"),
        (letter(1, **{"a..b": "x"}), "InvalidAttributeValue"),
        (letter(1, **{"": "x"}), "InvalidAttributeValue"),
        (letter(1, **{f"A{n}": "x" for n in range(11)}), "InvalidParameterValue"),
    ],
)
def test_what_aws_refuses_is_not_sent_and_takes_nobody_along(bad: DeadLetter, code: str) -> None:
    sqs = InMemorySqs(ManualClock())
    sqs.create_queue(QueueName="dead")

    failed = DeadLetterQueue(sqs.client, URL).send([letter(0), bad, letter(2)])

    assert bad.refusal() == code
    assert [(key, error.code) for key, error in failed.items()] == [("m-1", code)]
    attributes = sqs.get_queue_attributes(QueueUrl=URL, AttributeNames=["All"])["Attributes"]
    assert attributes["ApproximateNumberOfMessages"] == "2"


def test_values_of_awss_characters_pass() -> None:
    assert letter(1, Text="\t\n\r ~\x7f\x85\ud7ff\ue000\ufffd\U00010000\U0010ffff").refusal() is None


def test_entries_fail_one_by_one(stub: Any) -> None:
    stub.add_response(
        "send_message_batch",
        {
            "Successful": [{"Id": "0", "MessageId": "x", "MD5OfMessageBody": "x"}],
            "Failed": [{"Id": "1", "SenderFault": False, "Code": "InternalError"}],
        },
        {"QueueUrl": URL, "Entries": ANY},
    )

    failed = DeadLetterQueue(stub.client, URL).send([letter(0), letter(1), letter(2)])

    assert {key: error.code for key, error in failed.items()} == {"m-1": "InternalError", "m-2": "NoAnswer"}


def test_when_the_batch_is_refused_for_one_each_is_tried_alone(stub: Any) -> None:
    stub.add_client_error("send_message_batch", "InvalidMessageContents", http_status_code=400)
    stub.add_response(
        "send_message_batch",
        {"Successful": [{"Id": "0", "MessageId": "x", "MD5OfMessageBody": "x"}], "Failed": []},
    )
    stub.add_client_error("send_message_batch", "InvalidMessageContents", http_status_code=400)

    failed = DeadLetterQueue(stub.client, URL).send([letter(0), letter(1)])

    assert {key: error.code for key, error in failed.items()} == {"m-1": "InvalidMessageContents"}


def test_when_aws_is_down_nothing_is_sent_and_everybody_knows(stub: Any) -> None:
    stub.add_client_error("send_message_batch", "InternalFailure", http_status_code=500)

    failed = DeadLetterQueue(stub.client, URL).send([letter(0), letter(1)])

    assert {key: error.code for key, error in failed.items()} == {
        "m-0": "InternalFailure",
        "m-1": "InternalFailure",
    }


def test_waits_are_set_in_one_call_and_fail_one_by_one(stub: Any) -> None:
    stub.add_response(
        "change_message_visibility_batch",
        {
            "Successful": [{"Id": "0"}],
            "Failed": [{"Id": "1", "SenderFault": True, "Code": "ReceiptHandleIsInvalid"}],
        },
        {
            "QueueUrl": URL,
            "Entries": [
                {"Id": "0", "ReceiptHandle": "a", "VisibilityTimeout": 5},
                {"Id": "1", "ReceiptHandle": "b", "VisibilityTimeout": 900},
            ],
        },
    )
    queue = ContentQueue(stub.client, URL)

    assert [error.code for error in queue.change_visibility({"a": 5, "b": 900})] == ["ReceiptHandleIsInvalid"]
    stub.add_client_error("change_message_visibility_batch", "ThrottlingException")
    assert [error.code for error in queue.change_visibility({"a": 5})] == ["ThrottlingException"]


def test_how_many_are_in_flight(stub: Any) -> None:
    queue = ContentQueue(stub.client, URL)
    stub.add_response(
        "get_queue_attributes", {"Attributes": {"ApproximateNumberOfMessagesNotVisible": "61000"}}
    )
    stub.add_client_error("get_queue_attributes", "AccessDenied")

    assert queue.in_flight() == 61_000
    assert queue.in_flight() is None


def test_one_bad_handle_takes_no_other_waits_along(stub: Any) -> None:
    for code in ("InvalidParameterValue", "InvalidParameterValue"):
        stub.add_client_error("change_message_visibility_batch", code, http_status_code=400)
    stub.add_response("change_message_visibility_batch", {"Successful": [{"Id": "0"}], "Failed": []})

    problems = ContentQueue(stub.client, URL).change_visibility({"": 5, "b": 900})

    assert [error.code for error in problems] == ["InvalidParameterValue"]


def test_what_is_deleted_fails_one_by_one(stub: Any) -> None:
    stub.add_response(
        "delete_message_batch",
        {"Successful": [{"Id": "0"}], "Failed": [{"Id": "1", "SenderFault": True, "Code": "Odd"}]},
    )
    stub.add_client_error("delete_message_batch", "InternalFailure", http_status_code=500)
    queue = ContentQueue(stub.client, URL)

    assert [error.code for error in queue.delete(["a", "b"])] == ["Odd"]
    assert [error.code for error in queue.delete(["a"])] == ["InternalFailure"]

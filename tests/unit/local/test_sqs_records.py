"""SQS events as Lambda builds them, and what the answers mean."""

from typing import Any

import pytest

from zendesk_push.sqs_event import MalformedResponseError, failed_ids, in_tens, record

QUEUE_ARN = "arn:aws:sqs:eu-central-1:123456789012:content"


def test_a_record_has_every_field_that_lambda_sends() -> None:
    built = record(
        {
            "MessageId": "m-1",
            "ReceiptHandle": "r-1",
            "Body": "{}",
            "MD5OfBody": "99914b932bd37a50b983c5e7c90ae93b",
            "MD5OfMessageAttributes": "abc",
            "Attributes": {
                "ApproximateReceiveCount": "2",
                "SentTimestamp": "1767225600000",
                "SenderId": "AIDA",
                "ApproximateFirstReceiveTimestamp": "1767225600001",
                "MessageGroupId": "acme",
            },
            "MessageAttributes": {
                "Text": {"DataType": "String", "StringValue": "ä"},
                "Number": {"DataType": "Number.int", "StringValue": "1"},
                "Bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
            },
        },
        QUEUE_ARN,
    )

    assert built == {
        "messageId": "m-1",
        "receiptHandle": "r-1",
        "body": "{}",
        "md5OfBody": "99914b932bd37a50b983c5e7c90ae93b",
        "md5OfMessageAttributes": "abc",
        "attributes": {
            "ApproximateReceiveCount": "2",
            "SentTimestamp": "1767225600000",
            "SenderId": "AIDA",
            "ApproximateFirstReceiveTimestamp": "1767225600001",
            "MessageGroupId": "acme",
        },
        "messageAttributes": {
            "Text": {
                "stringValue": "ä",
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": "String",
            },
            "Number": {
                "stringValue": "1",
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": "Number.int",
            },
            "Bytes": {
                "binaryValue": "AP8=",
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": "Binary",
            },
        },
        "eventSource": "aws:sqs",
        "eventSourceARN": QUEUE_ARN,
        "awsRegion": "eu-central-1",
    }


def test_a_record_without_message_attributes_has_an_empty_object() -> None:
    built = record({"MessageId": "m", "ReceiptHandle": "r", "Body": "", "MD5OfBody": "x"}, QUEUE_ARN)

    assert built["messageAttributes"] == {}
    assert "md5OfMessageAttributes" not in built


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        (None, set()),
        ({}, set()),
        ({"batchItemFailures": None}, set()),
        ({"batchItemFailures": []}, set()),
        ({"other": 1}, set()),
        ({"batchItemFailures": [{"itemIdentifier": "a"}]}, {"a"}),
        ({"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "a"}]}, {"a"}),
    ],
)
def test_reported_failures(answer: Any, failed: set[str]) -> None:
    assert failed_ids(answer, ["a", "b"]) == failed


@pytest.mark.parametrize(
    "answer",
    [
        "done",
        [],
        {"batchItemFailures": "a"},
        {"batchItemFailures": ["a"]},
        {"batchItemFailures": [{}]},
        {"batchItemFailures": [{"itemIdentifier": ""}]},
        {"batchItemFailures": [{"itemIdentifier": None}]},
        {"batchItemFailures": [{"itemidentifier": "a"}]},
        {"batchItemFailures": [{"itemIdentifier": "somebody else's"}]},
    ],
)
def test_a_malformed_answer_fails_the_whole_batch(answer: Any) -> None:
    with pytest.raises(MalformedResponseError):
        failed_ids(answer, ["a", "b"])


def test_batch_calls_take_ten() -> None:
    assert [len(ten) for ten in in_tens(range(21))] == [10, 10, 1]

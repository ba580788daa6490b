"""A record of Lambda's event becomes a receipt, whatever is in it or missing."""

from typing import Any

from push_content.messages.sqs_record import SqsRecord, sqs_records


def record(**more: Any) -> dict[str, Any]:
    """As Lambda sends it."""
    return {
        "messageId": "m-1",
        "receiptHandle": "handle",
        "body": "{}",
        "attributes": {
            "ApproximateReceiveCount": "3",
            "SentTimestamp": "1800000000250",
            "SenderId": "AIDA",
            "ApproximateFirstReceiveTimestamp": "1800000000300",
            "MessageGroupId": "tenant-1",
        },
        "messageAttributes": {
            "Text": {
                "stringValue": "a",
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": "String",
            },
            "Number": {"stringValue": "1.0", "dataType": "Number.price"},
            "Blob": {"binaryValue": "AP8=", "dataType": "Binary.png"},
        },
        "md5OfBody": "99914b932bd37a50b983c5e7c90ae93b",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:content",
        "awsRegion": "us-east-1",
    } | more


def test_everything_that_a_record_says() -> None:
    (receipt,) = sqs_records([record()])

    assert receipt == SqsRecord(
        message_id="m-1",
        receipt_handle="handle",
        body="{}",
        attributes={
            "Text": {"DataType": "String", "StringValue": "a"},
            "Number": {"DataType": "Number.price", "StringValue": "1.0"},
            "Blob": {"DataType": "Binary.png", "BinaryValue": b"\x00\xff"},
        },
        group_id="tenant-1",
        sent_at=1_800_000_000.25,
        receive_count=3,
    )
    assert receipt.age(1_800_000_010.25) == 10
    assert receipt.age(1_700_000_000) == 0


def test_a_record_written_by_hand_may_lack_all_but_its_id() -> None:
    (receipt,) = sqs_records([{"messageId": "m-1"}])

    assert (receipt.body, receipt.receive_count, receipt.age(5.0)) == ("", 1, 0)


def test_what_makes_no_sense_does_not_fail() -> None:
    odd = record(
        attributes={"ApproximateReceiveCount": "often", "SentTimestamp": None},
        messageAttributes={"Blob": {"binaryValue": "no base64!", "dataType": "Binary"}, "None": {}},
    )
    (receipt,) = sqs_records([odd])

    assert (receipt.sent_at, receipt.receive_count) == (None, 1)
    assert receipt.attributes["Blob"]["BinaryValue"] == b"no base64!"
    assert receipt.attributes["None"] == {"DataType": "String", "StringValue": ""}


def test_twice_in_a_batch_is_once_with_the_newest_handle() -> None:
    later = record(receiptHandle="newer", attributes={"ApproximateReceiveCount": "4"})

    for records in ([record(), record(messageId="m-2"), later], [later, record(messageId="m-2"), record()]):
        found = sqs_records(records)

        assert [each.message_id for each in found] == ["m-1", "m-2"]
        assert (found[0].receipt_handle, found[0].receive_count) == ("newer", 4)


def test_a_receipt_shows_nothing_of_the_message() -> None:
    (receipt,) = sqs_records([record(body="text")])

    assert "text" not in repr(receipt)
    assert "AP8" not in repr(receipt)

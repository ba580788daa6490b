"""Every message gets exactly one result, whatever SQS answers; faults come from botocore's Stubber."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import ANY, Stubber

from push_content.outcomes.sqs_limits import MAX_BYTES
from zendesk_push.queue_sender import Outgoing, QueueSender, SendResult

URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/content"
ANY_REQUEST = {"QueueUrl": URL, "Entries": ANY}


@pytest.fixture
def sqs() -> Any:
    return boto3.client("sqs", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")


@pytest.fixture
def stubber(sqs: Any) -> Iterator[Stubber]:
    with Stubber(sqs) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def messages(*bodies: str) -> list[Outgoing]:
    return [Outgoing(body, label=body) for body in bodies]


def accepted(*indices: int) -> dict[str, Any]:
    return {
        "Successful": [
            {"Id": str(index), "MessageId": "m", "MD5OfMessageBody": "0" * 32} for index in indices
        ],
        "Failed": [],
    }


def refused(*indices: int, by_sender: bool) -> dict[str, Any]:
    return {
        "Successful": [],
        "Failed": [
            {"Id": str(index), "Code": "Oops", "Message": "why", "SenderFault": by_sender}
            for index in indices
        ],
    }


def expected(*bodies: str) -> dict[str, Any]:
    entries = [{"Id": str(index), "MessageBody": body} for index, body in enumerate(bodies)]
    return {"QueueUrl": URL, "Entries": entries}


def send(sqs: Any, outgoing: list[Outgoing], **options: Any) -> dict[str, SendResult]:
    results = list(QueueSender(sqs, URL, sleep=lambda _: None, **options).send(outgoing))
    assert sorted(result.message.label for result in results) == sorted(message.label for message in outgoing)
    return {result.message.label: result for result in results}


def problems(results: dict[str, SendResult]) -> dict[str, str | None]:
    return {label: result.problem for label, result in results.items()}


def test_batches_hold_ten_at_most(sqs: Any, stubber: Stubber) -> None:
    bodies = [f"body {index}" for index in range(12)]
    stubber.add_response("send_message_batch", accepted(*range(10)), expected(*bodies[:10]))
    stubber.add_response("send_message_batch", accepted(0, 1), expected(*bodies[10:]))
    assert not any(problems(send(sqs, messages(*bodies))).values())


def test_a_batchs_sum_stays_within_one_mebibyte_attributes_counted(sqs: Any, stubber: Stubber) -> None:
    half = MAX_BYTES // 2
    attributes = {"n": {"DataType": "String", "StringValue": "é"}}  # 1 + 6 + 2 bytes
    first, second = Outgoing("a" * half, "1"), Outgoing("b" * (half - 8), "2", attributes=attributes)
    assert second.size == half + 1
    stubber.add_response("send_message_batch", accepted(0), expected(first.body))
    stubber.add_response("send_message_batch", accepted(0), ANY_REQUEST)
    assert not any(problems(send(sqs, [first, second])).values())


def test_what_sqs_failed_at_is_sent_again_and_only_that(sqs: Any, stubber: Stubber) -> None:
    stubber.add_response(
        "send_message_batch", accepted(0) | {"Failed": refused(1, by_sender=False)["Failed"]}
    )
    again = {"QueueUrl": URL, "Entries": [{"Id": "1", "MessageBody": "b"}]}
    stubber.add_response("send_message_batch", accepted(1), again)
    assert problems(send(sqs, messages("a", "b"))) == {"a": None, "b": None}


def test_what_sqs_refuses_is_reported_and_not_repeated(sqs: Any, stubber: Stubber) -> None:
    stubber.add_response("send_message_batch", accepted(0) | {"Failed": refused(1, by_sender=True)["Failed"]})
    assert problems(send(sqs, messages("a", "b"))) == {"a": None, "b": "Oops: why"}


def test_what_keeps_failing_is_reported_in_the_end(sqs: Any, stubber: Stubber) -> None:
    for _ in range(4):
        stubber.add_response("send_message_batch", refused(0, by_sender=False))
    assert problems(send(sqs, messages("a"))) == {"a": "Oops: why"}


def test_an_error_that_meets_everybody_stops_and_accounts_for_the_rest(sqs: Any, stubber: Stubber) -> None:
    stubber.add_client_error("send_message_batch", "AWS.SimpleQueueService.NonExistentQueue", "not there")
    code = "AWS.SimpleQueueService.NonExistentQueue"
    bodies = [f"body {index:02}" for index in range(25)]
    results = send(sqs, messages(*bodies))
    assert all(result.hopeless for result in results.values())
    assert results["body 00"].problem == f"{code}: not there"
    assert results["body 24"].problem == f"not tried after: {code}: not there"


def test_who_may_not_send_is_told_what_to_do(sqs: Any, stubber: Stubber) -> None:
    stubber.add_client_error("send_message_batch", "AccessDenied", "not you")
    assert "SenderPrincipals" in (problems(send(sqs, messages("a")))["a"] or "")


def test_one_messages_fault_does_not_take_its_batch_along(sqs: Any, stubber: Stubber) -> None:
    stubber.add_client_error("send_message_batch", "InvalidMessageContents", "bad")
    stubber.add_response("send_message_batch", accepted(0), expected("a"))
    stubber.add_client_error(
        "send_message_batch", "InvalidMessageContents", "bad", expected_params=expected("b")
    )
    stubber.add_response("send_message_batch", accepted(0), expected("c"))
    assert problems(send(sqs, messages("a", "b", "c"))) == {
        "a": None,
        "b": "InvalidMessageContents: bad",
        "c": None,
    }


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("", "it is empty"),
        ("x" * 101, "101 bytes are more than the 100"),
        ("é" * 51, "102 bytes are more than the 100"),
        ("a\x00", "U+0000"),
        ("a\ufffe", "U+FFFE"),
        ("a\ud800", "U+D800"),
    ],
)
def test_what_aws_would_refuse_is_told_without_asking(
    sqs: Any, stubber: Stubber, body: str, says: str
) -> None:
    stubber.add_response("send_message_batch", accepted(0, 1), expected("first", "last\t\r\n\U0010ffff"))
    results = send(
        sqs, [*messages("first"), Outgoing(body, "odd"), *messages("last\t\r\n\U0010ffff")], maximum_size=100
    )
    assert [label for label, problem in problems(results).items() if problem] == ["odd"]
    assert says in (results["odd"].problem or "")


def test_a_broken_connection_leaves_its_batch_in_doubt_and_stops() -> None:
    nowhere = boto3.client(
        "sqs",
        region_name="eu-central-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )

    def fail(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url=URL)

    nowhere.meta.events.register("before-send.sqs.SendMessageBatch", fail)
    results = send(nowhere, messages(*(f"{index:02}" for index in range(11))))
    assert [label for label, result in results.items() if result.in_doubt] == [
        f"{index:02}" for index in range(10)
    ]
    assert (results["10"].problem or "").startswith("not tried after")

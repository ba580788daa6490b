"""What both the in-memory SQS and moto do: the ground that the state machine stands on."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from integration.conformance.worlds import SqsWorld

TEXT: Any = {"DataType": "String", "StringValue": "grüße"}
NUMBER: Any = {"DataType": "Number", "StringValue": "1e3"}
BINARY: Any = {"DataType": "Binary", "BinaryValue": b"\x00\xff"}


def test_a_message_arrives_as_it_was_sent(world: SqsWorld) -> None:
    url = world.create()
    attributes: Any = {"text": TEXT, "number": NUMBER, "binary": BINARY}
    sent = world.sqs.send_message(
        QueueUrl=url, MessageBody='{"a": "\\u0000 😀"}', MessageAttributes=attributes, MessageGroupId="acme"
    )
    (received,) = world.receive(url)
    assert received["Body"] == '{"a": "\\u0000 😀"}'
    assert received["MessageId"] == sent["MessageId"]
    assert received["MessageAttributes"] == attributes
    assert received["MD5OfBody"] == sent["MD5OfMessageBody"]
    assert received["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert received["Attributes"]["MessageGroupId"] == "acme"
    assert received["Attributes"]["ApproximateReceiveCount"] == "1"
    assert (
        received["Attributes"]["SentTimestamp"] == received["Attributes"]["ApproximateFirstReceiveTimestamp"]
    )


def test_checksums_are_the_same_in_both(in_memory_sqs: SqsWorld, moto_sqs: SqsWorld) -> None:
    attributes: Any = {"b": BINARY, "a": TEXT, "custom": {"DataType": "String.json", "StringValue": "{}"}}
    one, other = (
        world.sqs.send_message(QueueUrl=world.create(), MessageBody="é", MessageAttributes=attributes)
        for world in (in_memory_sqs, moto_sqs)
    )
    assert one["MD5OfMessageBody"] == other["MD5OfMessageBody"]
    assert one["MD5OfMessageAttributes"] == other["MD5OfMessageAttributes"]


def test_without_attributes_there_are_no_keys_for_them(world: SqsWorld) -> None:
    url = world.create()
    world.sqs.send_message(QueueUrl=url, MessageBody="x")
    answer = world.sqs.receive_message(QueueUrl=url)
    assert answer["Messages"][0].keys() == {"MessageId", "ReceiptHandle", "MD5OfBody", "Body"}


def test_an_empty_queue_answers_without_messages(world: SqsWorld) -> None:
    assert "Messages" not in world.sqs.receive_message(QueueUrl=world.create())


def test_attributes_are_chosen_by_name_and_prefix(world: SqsWorld) -> None:
    url = world.create()
    attributes: Any = {"trace.id": TEXT, "trace.span": TEXT, "other": TEXT}
    world.sqs.send_message(QueueUrl=url, MessageBody="x", MessageAttributes=attributes)
    answer = world.sqs.receive_message(QueueUrl=url, MessageAttributeNames=["trace.*"])
    assert answer["Messages"][0]["MessageAttributes"].keys() == {"trace.id", "trace.span"}


def test_a_receipt_hides_a_message_for_the_queues_time(world: SqsWorld) -> None:
    url = world.create(VisibilityTimeout="60")
    world.sqs.send_message(QueueUrl=url, MessageBody="x")
    world.receive(url)
    world.advance(59)
    assert world.receive(url) == []
    assert world.counts(url) == (0, 1, 0)
    world.advance(1)
    assert world.counts(url) == (1, 0, 0)
    (again,) = world.receive(url)
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"


def test_a_receipt_can_choose_its_own_time(world: SqsWorld) -> None:
    url = world.create(VisibilityTimeout="60")
    world.sqs.send_message(QueueUrl=url, MessageBody="x")
    world.receive(url, VisibilityTimeout=5)
    world.advance(5)
    assert world.bodies(url) == ["x"]


def test_no_visibility_means_visible_at_once_but_not_twice_in_one_answer(world: SqsWorld) -> None:
    url = world.create(VisibilityTimeout="60")
    world.sqs.send_message(QueueUrl=url, MessageBody="x")
    assert len(world.receive(url, VisibilityTimeout=0)) == 1
    world.advance(0)
    (again,) = world.receive(url)
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"


def test_the_first_receive_is_remembered(world: SqsWorld) -> None:
    url = world.create(VisibilityTimeout="1")
    world.sqs.send_message(QueueUrl=url, MessageBody="x")
    world.advance(10)
    (first,) = world.receive(url)
    world.advance(10)
    (second,) = world.receive(url)
    stamp = "ApproximateFirstReceiveTimestamp"
    assert second["Attributes"][stamp] == first["Attributes"][stamp]
    assert int(first["Attributes"][stamp]) >= int(first["Attributes"]["SentTimestamp"]) + 10_000


def test_visibility_counts_from_its_change(world: SqsWorld) -> None:
    url = world.create(VisibilityTimeout="60")
    world.sqs.send_message(QueueUrl=url, MessageBody="x")
    (received,) = world.receive(url)
    world.advance(50)
    world.sqs.change_message_visibility(
        QueueUrl=url, ReceiptHandle=received["ReceiptHandle"], VisibilityTimeout=30
    )
    world.advance(29)
    assert world.receive(url) == []
    world.advance(1)
    assert world.bodies(url) == ["x"]


def test_visibility_set_to_nothing_makes_visible(world: SqsWorld) -> None:
    url = world.create(VisibilityTimeout="60")
    world.sqs.send_message(QueueUrl=url, MessageBody="x")
    (received,) = world.receive(url)
    world.sqs.change_message_visibility(
        QueueUrl=url, ReceiptHandle=received["ReceiptHandle"], VisibilityTimeout=0
    )
    world.advance(0)
    assert world.bodies(url) == ["x"]


def test_visibility_in_a_batch_fails_entry_by_entry(world: SqsWorld) -> None:
    url = world.create(VisibilityTimeout="60")
    for body in ("a", "b"):
        world.sqs.send_message(QueueUrl=url, MessageBody=body)
    first, second = world.receive(url)
    world.sqs.delete_message(QueueUrl=url, ReceiptHandle=second["ReceiptHandle"])
    answer = world.sqs.change_message_visibility_batch(
        QueueUrl=url,
        Entries=[
            {"Id": "good", "ReceiptHandle": first["ReceiptHandle"], "VisibilityTimeout": 5},
            {"Id": "gone", "ReceiptHandle": second["ReceiptHandle"], "VisibilityTimeout": 5},
            {"Id": "long", "ReceiptHandle": first["ReceiptHandle"], "VisibilityTimeout": 43_201},
        ],
    )
    assert [entry["Id"] for entry in answer["Successful"]] == ["good"]
    assert sorted(entry["Id"] for entry in answer["Failed"]) == ["gone", "long"]
    assert all(entry["SenderFault"] and entry["Code"] for entry in answer["Failed"])
    world.advance(5)
    assert world.bodies(url) == [first["Body"]]


def test_twelve_hours_from_the_receipt_are_the_most(world: SqsWorld) -> None:
    url = world.create(VisibilityTimeout="60")
    world.sqs.send_message(QueueUrl=url, MessageBody="x")
    (received,) = world.receive(url)
    world.advance(10)
    with pytest.raises(ClientError) as refused:
        world.sqs.change_message_visibility(
            QueueUrl=url, ReceiptHandle=received["ReceiptHandle"], VisibilityTimeout=43_195
        )
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValue"
    world.sqs.change_message_visibility(
        QueueUrl=url, ReceiptHandle=received["ReceiptHandle"], VisibilityTimeout=43_180
    )
    world.advance(43_179)
    assert world.receive(url) == []


def test_a_deleted_message_is_gone_and_deleting_again_is_fine(world: SqsWorld) -> None:
    url = world.create(VisibilityTimeout="60")
    world.sqs.send_message(QueueUrl=url, MessageBody="x")
    (received,) = world.receive(url)
    for _ in range(2):
        world.sqs.delete_message(QueueUrl=url, ReceiptHandle=received["ReceiptHandle"])
    assert world.counts(url) == (0, 0, 0)
    world.advance(60)
    assert world.receive(url) == []


def test_a_visible_message_can_be_deleted_by_its_last_receipt(world: SqsWorld) -> None:
    url = world.create(VisibilityTimeout="1")
    world.sqs.send_message(QueueUrl=url, MessageBody="x")
    (received,) = world.receive(url)
    world.advance(1)
    assert world.counts(url) == (1, 0, 0)
    world.sqs.delete_message(QueueUrl=url, ReceiptHandle=received["ReceiptHandle"])
    assert world.receive(url) == []


def test_deletes_in_a_batch(world: SqsWorld) -> None:
    url = world.create(VisibilityTimeout="60")
    for body in ("a", "b", "c"):
        world.sqs.send_message(QueueUrl=url, MessageBody=body)
    received = world.receive(url)
    answer = world.sqs.delete_message_batch(
        QueueUrl=url,
        Entries=[
            {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
            for number, message in enumerate(received[:2])
        ],
    )
    assert [entry["Id"] for entry in answer["Successful"]] == ["0", "1"]
    world.advance(60)
    assert world.bodies(url) == [received[2]["Body"]]


def test_what_is_no_receipt_handle_is_refused(world: SqsWorld) -> None:
    url = world.create()
    with pytest.raises(ClientError) as refused:
        world.sqs.delete_message(QueueUrl=url, ReceiptHandle="nonsense")
    assert refused.value.response["Error"]["Code"] == "ReceiptHandleIsInvalid"
    answer = world.sqs.delete_message_batch(QueueUrl=url, Entries=[{"Id": "a", "ReceiptHandle": "nonsense"}])
    assert [(entry["Id"], entry["Code"]) for entry in answer["Failed"]] == [("a", "ReceiptHandleIsInvalid")]


def test_a_delayed_message_waits_without_being_in_flight(world: SqsWorld) -> None:
    url = world.create()
    world.sqs.send_message(QueueUrl=url, MessageBody="x", DelaySeconds=30)
    assert world.counts(url) == (0, 0, 1)
    assert world.receive(url) == []
    world.advance(30)
    assert world.bodies(url) == ["x"]


def test_a_queues_own_delay(world: SqsWorld) -> None:
    url = world.create(DelaySeconds="10")
    world.sqs.send_message(QueueUrl=url, MessageBody="x")
    world.sqs.send_message(QueueUrl=url, MessageBody="now", DelaySeconds=0)
    assert world.bodies(url) == ["now"]
    world.advance(10)
    assert world.bodies(url) == ["x"]


def test_a_message_that_is_too_old_is_gone(world: SqsWorld) -> None:
    url = world.create(MessageRetentionPeriod="120", VisibilityTimeout="10")
    world.sqs.send_message(QueueUrl=url, MessageBody="x")
    assert world.bodies(url) == ["x"]
    world.advance(119)
    assert world.bodies(url) == ["x"]
    world.advance(11)
    assert world.receive(url) == []


def dead_letter_queues(world: SqsWorld, **attributes: str) -> tuple[str, str]:
    dead = world.create("dead")
    arn = world.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})
    return world.create("live", VisibilityTimeout="10", RedrivePolicy=policy, **attributes), dead


def test_the_receive_after_the_last_moves_a_message_with_all_it_has(world: SqsWorld) -> None:
    live, dead = dead_letter_queues(world)
    attributes: Any = {"text": TEXT, "binary": BINARY}
    sent = world.sqs.send_message(
        QueueUrl=live, MessageBody="x", MessageAttributes=attributes, MessageGroupId="acme"
    )
    (first,) = world.receive(live)
    world.advance(10)
    assert world.bodies(live) == ["x"]
    world.advance(10)
    assert world.receive(dead) == []
    assert world.receive(live) == []
    (moved,) = world.receive(dead)
    assert moved["MessageId"] == sent["MessageId"]
    assert moved["Body"] == "x"
    assert moved["MessageAttributes"] == attributes
    assert moved["Attributes"]["MessageGroupId"] == "acme"
    assert moved["Attributes"]["SentTimestamp"] == first["Attributes"]["SentTimestamp"]
    assert moved["Attributes"]["ApproximateReceiveCount"] == "3"
    assert world.counts(live) == (0, 0, 0)


def test_ten_at_most_are_received_and_sent_at_once(world: SqsWorld) -> None:
    url = world.create()
    entries: Any = [{"Id": str(number), "MessageBody": str(number)} for number in range(10)]
    answer = world.sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert [entry["Id"] for entry in answer["Successful"]] == [str(number) for number in range(10)]
    assert not answer.get("Failed")
    world.sqs.send_message(QueueUrl=url, MessageBody="10")
    assert len(world.receive(url)) == 10
    assert len(world.receive(url)) == 1
    with pytest.raises(ClientError):
        world.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=11)


@pytest.mark.parametrize(
    ("ids", "code"),
    [
        ([str(number) for number in range(11)], "TooManyEntriesInBatchRequest"),
        (["a", "a"], "BatchEntryIdsNotDistinct"),
        (["a b"], "InvalidBatchEntryId"),
        (["x" * 81], "InvalidBatchEntryId"),
        ([], "EmptyBatchRequest"),
    ],
)
def test_a_batch_that_is_refused_as_a_whole(world: SqsWorld, ids: list[str], code: str) -> None:
    url = world.create()
    entries: Any = [{"Id": entry_id, "MessageBody": "x"} for entry_id in ids]
    with pytest.raises(ClientError) as refused:
        world.sqs.send_message_batch(QueueUrl=url, Entries=entries)
    # moto leaves out the prefix of some of these names.
    assert refused.value.response["Error"]["Code"].removeprefix("AWS.SimpleQueueService.") == code
    assert world.counts(url) == (0, 0, 0)


def test_a_batch_of_more_than_a_mebibyte_is_refused_as_a_whole(world: SqsWorld) -> None:
    url = world.create()
    half = "x" * (512 * 1024)
    entries: Any = [{"Id": "a", "MessageBody": half}, {"Id": "b", "MessageBody": half + "y"}]
    with pytest.raises(ClientError) as refused:
        world.sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert refused.value.response["Error"]["Code"].endswith("BatchRequestTooLong")
    entries[1]["MessageBody"] = half
    world.sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert world.counts(url) == (2, 0, 0)


def test_a_batchs_bad_delay_fails_alone(world: SqsWorld) -> None:
    url = world.create()
    answer = world.sqs.send_message_batch(
        QueueUrl=url,
        Entries=[
            {"Id": "good", "MessageBody": "x", "DelaySeconds": 900},
            {"Id": "bad", "MessageBody": "y", "DelaySeconds": 901},
        ],
    )
    assert [entry["Id"] for entry in answer["Successful"]] == ["good"]
    assert [(entry["Id"], entry["Code"]) for entry in answer["Failed"]] == [("bad", "InvalidParameterValue")]


def test_a_body_over_the_queues_maximum(world: SqsWorld) -> None:
    url = world.create(MaximumMessageSize="1024")
    world.sqs.send_message(QueueUrl=url, MessageBody="x" * 1024)
    with pytest.raises(ClientError) as refused:
        world.sqs.send_message(QueueUrl=url, MessageBody="x" * 1025)
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValue"


@pytest.mark.parametrize("name", ["", "with space", "é"])
def test_an_attributes_name_of_other_characters(world: SqsWorld, name: str) -> None:
    with pytest.raises(ClientError) as refused:
        world.sqs.send_message(
            QueueUrl=world.create(),
            MessageBody="x",
            MessageAttributes={name: TEXT},
        )
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValue"


def test_an_attributes_unknown_type(world: SqsWorld) -> None:
    with pytest.raises(ClientError) as refused:
        world.sqs.send_message(
            QueueUrl=world.create(),
            MessageBody="x",
            MessageAttributes={"a": {"DataType": "Float", "StringValue": "1"}},
        )
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValue"


def test_an_unknown_queue(world: SqsWorld) -> None:
    url = world.create()
    with pytest.raises(ClientError) as by_name:
        world.sqs.get_queue_url(QueueName="other")
    with pytest.raises(ClientError) as by_url:
        world.sqs.receive_message(QueueUrl=url + "2")
    for refused in (by_name, by_url):
        assert refused.value.response["Error"]["Code"] == "AWS.SimpleQueueService.NonExistentQueue"


def test_a_misspelt_parameter_never_leaves(world: SqsWorld) -> None:
    url = world.create()
    with pytest.raises(ParamValidationError):
        world.sqs.receive_message(QueueUrl=url, VisibilityTimout=1)  # type: ignore[call-arg]


def test_a_queues_attributes(world: SqsWorld) -> None:
    live, dead = dead_letter_queues(world, MessageRetentionPeriod="3600", MaximumMessageSize="1000000")
    attributes = world.sqs.get_queue_attributes(QueueUrl=live, AttributeNames=["All"])["Attributes"]
    assert attributes["MessageRetentionPeriod"] == "3600"
    assert attributes["MaximumMessageSize"] == "1000000"
    assert attributes["VisibilityTimeout"] == "10"
    policy = json.loads(attributes["RedrivePolicy"])
    assert int(policy["maxReceiveCount"]) == 2
    assert policy["deadLetterTargetArn"].endswith(":dead")
    assert world.sqs.get_queue_url(QueueName="dead")["QueueUrl"] == dead


def test_a_purge_drops_everything(world: SqsWorld) -> None:
    url = world.create()
    for delay in (0, 10):
        world.sqs.send_message(QueueUrl=url, MessageBody="x", DelaySeconds=delay)
    world.receive(url)
    world.sqs.purge_queue(QueueUrl=url)
    assert world.counts(url) == (0, 0, 0)
    world.advance(60)
    assert world.receive(url) == []

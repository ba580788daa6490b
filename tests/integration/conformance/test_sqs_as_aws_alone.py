"""Where moto is more lenient than AWS, or wrong: these run on the in-memory SQS only.

Each test says what moto does instead. Should moto catch up, the test belongs into test_sqs.py.
"""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from integration.conformance.worlds import SqsWorld
from zendesk_push.in_memory.clock import ManualClock
from zendesk_push.in_memory.sqs import InMemorySqs

TEXT: Any = {"DataType": "String", "StringValue": "x"}


@pytest.fixture
def world(in_memory_sqs: SqsWorld) -> SqsWorld:
    return in_memory_sqs


def code_of_send(world: SqsWorld, **message: Any) -> str:
    with pytest.raises(ClientError) as refused:
        world.sqs.send_message(QueueUrl=world.create(), **message)
    return refused.value.response["Error"]["Code"]


def test_an_empty_body(world: SqsWorld) -> None:
    """moto takes it."""
    assert code_of_send(world, MessageBody="") == "MissingParameter"


@pytest.mark.parametrize("character", ["\x00", "\x0b", "\x1b", "\ufffe", "\uffff", "\ud800"])
def test_control_characters_in_a_body(world: SqsWorld, character: str) -> None:
    """moto takes them."""
    assert code_of_send(world, MessageBody=f"a{character}") == "InvalidMessageContents"


@pytest.mark.parametrize("character", ["\t", "\n", "\r", "\x7f", "\ud7ff", "\ue000", "\ufffd", "\U0010ffff"])
def test_the_characters_at_the_edges_of_what_is_allowed(world: SqsWorld, character: str) -> None:
    url = world.create()
    attribute: Any = {"a": {"DataType": "String", "StringValue": character}}
    world.sqs.send_message(QueueUrl=url, MessageBody=character, MessageAttributes=attribute)
    assert world.bodies(url) == [character]


@pytest.mark.parametrize(
    "attribute",
    [
        {"DataType": "String", "StringValue": ""},
        {"DataType": "String", "StringValue": "a\x00"},
        {"DataType": "String"},
        {"DataType": "Binary", "BinaryValue": b""},
        {"DataType": "Number", "StringValue": "many"},
        {"DataType": "Number", "StringValue": ""},
    ],
)
def test_attribute_values_that_aws_refuses(world: SqsWorld, attribute: Any) -> None:
    """moto takes control characters and numbers that are none, and some of the empty values."""
    assert code_of_send(world, MessageBody="x", MessageAttributes={"a": attribute}) == "InvalidParameterValue"


@pytest.mark.parametrize("name", ["AWS.x", "amazon.x", ".a", "a.", "a..b", "x" * 257])
def test_attribute_names_that_aws_refuses(world: SqsWorld, name: str) -> None:
    """moto looks at the single characters only."""
    assert code_of_send(world, MessageBody="x", MessageAttributes={name: TEXT}) == "InvalidParameterValue"


def test_ten_attributes_are_the_most(world: SqsWorld) -> None:
    """moto takes eleven."""
    attributes = {f"a{number}": TEXT for number in range(11)}
    assert code_of_send(world, MessageBody="x", MessageAttributes=attributes) == "InvalidParameterValue"
    del attributes["a10"]
    url = world.create()
    world.sqs.send_message(QueueUrl=url, MessageBody="x", MessageAttributes=attributes)
    assert len(world.receive(url)[0]["MessageAttributes"]) == 10


def test_attributes_count_towards_a_messages_size(world: SqsWorld) -> None:
    """moto counts bodies only, and characters instead of bytes."""
    url = world.create(MaximumMessageSize="1024")
    attribute: Any = {"name": {"DataType": "String", "StringValue": "é" * 10}}
    rest = 1024 - len("name") - len("String") - 20
    world.sqs.send_message(QueueUrl=url, MessageBody="x" * rest, MessageAttributes=attribute)
    with pytest.raises(ClientError) as refused:
        world.sqs.send_message(QueueUrl=url, MessageBody="x" * (rest + 1), MessageAttributes=attribute)
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValue"
    with pytest.raises(ClientError):
        world.sqs.send_message(QueueUrl=url, MessageBody="é" * 513)


def test_attributes_count_towards_a_batchs_size(world: SqsWorld) -> None:
    """moto counts bodies only."""
    url = world.create()
    attribute: Any = {"a": {"DataType": "Binary", "BinaryValue": b"x" * 100}}
    half = "x" * (512 * 1024)
    entries: Any = [
        {"Id": "a", "MessageBody": half},
        {"Id": "b", "MessageBody": half[107:], "MessageAttributes": attribute},
    ]
    world.sqs.send_message_batch(QueueUrl=url, Entries=entries)
    entries[0]["MessageBody"] = half + "y"
    with pytest.raises(ClientError) as refused:
        world.sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert refused.value.response["Error"]["Code"] == "AWS.SimpleQueueService.BatchRequestTooLong"


@pytest.mark.parametrize("group", ["", "x" * 129, "with space", "é"])
def test_group_ids_that_aws_refuses(world: SqsWorld, group: str) -> None:
    """moto takes anything on a standard queue."""
    assert code_of_send(world, MessageBody="x", MessageGroupId=group) == "InvalidParameterValue"


def test_bad_content_fails_alone_in_a_batch(world: SqsWorld) -> None:
    """moto takes it."""
    url = world.create()
    answer = world.sqs.send_message_batch(
        QueueUrl=url,
        Entries=[
            {"Id": "good", "MessageBody": "x"},
            {"Id": "control", "MessageBody": "\x00"},
            {"Id": "group", "MessageBody": "x", "MessageGroupId": "a b"},
        ],
    )
    assert [entry["Id"] for entry in answer["Successful"]] == ["good"]
    assert [(entry["Id"], entry["Code"]) for entry in answer["Failed"]] == [
        ("control", "InvalidMessageContents"),
        ("group", "InvalidParameterValue"),
    ]


def test_an_older_receipt_deletes_nothing_and_changes_nothing(world: SqsWorld) -> None:
    """moto takes every handle that a message ever had. AWS: "the message might not be deleted"."""
    url = world.create(VisibilityTimeout="10")
    world.sqs.send_message(QueueUrl=url, MessageBody="x")
    (old,) = world.receive(url)
    world.advance(10)
    (new,) = world.receive(url)
    world.sqs.delete_message(QueueUrl=url, ReceiptHandle=old["ReceiptHandle"])
    with pytest.raises(ClientError):
        world.sqs.change_message_visibility(
            QueueUrl=url, ReceiptHandle=old["ReceiptHandle"], VisibilityTimeout=0
        )
    assert world.counts(url) == (0, 1, 0)
    world.sqs.delete_message(QueueUrl=url, ReceiptHandle=new["ReceiptHandle"])
    assert world.counts(url) == (0, 0, 0)


def test_a_message_that_is_visible_again_takes_no_visibility(world: SqsWorld) -> None:
    """moto changes it."""
    url = world.create(VisibilityTimeout="10")
    world.sqs.send_message(QueueUrl=url, MessageBody="x")
    (received,) = world.receive(url)
    world.advance(10)
    with pytest.raises(ClientError) as refused:
        world.sqs.change_message_visibility(
            QueueUrl=url, ReceiptHandle=received["ReceiptHandle"], VisibilityTimeout=10
        )
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValue"


def test_visibility_may_be_changed_on_an_old_message(world: SqsWorld) -> None:
    """moto counts the twelve hours from the sending."""
    url = world.create(VisibilityTimeout="10")
    world.sqs.send_message(QueueUrl=url, MessageBody="x")
    world.advance(2 * 86_400)
    (received,) = world.receive(url)
    world.sqs.change_message_visibility(
        QueueUrl=url, ReceiptHandle=received["ReceiptHandle"], VisibilityTimeout=900
    )
    world.advance(899)
    assert world.receive(url) == []


def test_visibility_beyond_the_limit_fails_alone_in_a_batch(world: SqsWorld) -> None:
    """moto refuses the whole batch where the sum, not the value, is too much."""
    url = world.create(VisibilityTimeout="60")
    for body in ("a", "b"):
        world.sqs.send_message(QueueUrl=url, MessageBody=body)
    first, second = world.receive(url)
    world.advance(10)
    answer = world.sqs.change_message_visibility_batch(
        QueueUrl=url,
        Entries=[
            {"Id": "good", "ReceiptHandle": first["ReceiptHandle"], "VisibilityTimeout": 43_190},
            {"Id": "long", "ReceiptHandle": second["ReceiptHandle"], "VisibilityTimeout": 43_191},
        ],
    )
    assert [entry["Id"] for entry in answer["Successful"]] == ["good"]
    assert [entry["Id"] for entry in answer["Failed"]] == ["long"]


def test_retention_runs_on_in_a_dead_letter_queue_that_sqs_fills(world: SqsWorld) -> None:
    """moto looks at the retention of the queue only when something is received, and drops nothing."""
    dead = world.create("dead", MessageRetentionPeriod="100")
    arn = world.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
    live = world.create("live", VisibilityTimeout="50", RedrivePolicy=policy)
    world.sqs.send_message(QueueUrl=live, MessageBody="x")
    world.receive(live)
    world.advance(50)
    world.receive(live)
    assert world.counts(dead) == (1, 0, 0)
    (moved,) = world.receive(dead, VisibilityTimeout=0)
    assert moved["Attributes"]["DeadLetterQueueSourceArn"].endswith(":live")
    world.advance(50)
    assert world.counts(dead) == (0, 0, 0)


def test_an_expired_message_is_not_counted(world: SqsWorld) -> None:
    """moto counts it, and counts it as received."""
    url = world.create(MessageRetentionPeriod="60")
    world.sqs.send_message(QueueUrl=url, MessageBody="x")
    world.advance(60)
    assert world.counts(url) == (0, 0, 0)


def test_more_than_a_thousand_receives_are_refused(world: SqsWorld) -> None:
    """moto takes any number."""
    dead = world.create("dead")
    arn = world.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1001})
    with pytest.raises(ClientError) as refused:
        world.create("live", RedrivePolicy=policy)
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValue"


def test_too_many_in_flight_stop_the_queue_without_an_error(clock: ManualClock) -> None:
    """moto knows no limit."""
    world = SqsWorld("in_memory", InMemorySqs(clock, max_in_flight=2).client, clock.advance)
    url = world.create()
    for body in "abc":
        world.sqs.send_message(QueueUrl=url, MessageBody=body)
    received = world.receive(url)
    assert len(received) == 2
    assert world.receive(url) == []
    world.sqs.delete_message(QueueUrl=url, ReceiptHandle=received[0]["ReceiptHandle"])
    assert world.bodies(url) == ["c"]


def test_a_message_can_be_delivered_twice_at_once(clock: ManualClock) -> None:
    """moto delivers exactly once; a standard queue promises at least once."""
    sqs = InMemorySqs(clock)
    world = SqsWorld("in_memory", sqs.client, clock.advance)
    url = world.create()
    sent = world.sqs.send_message(QueueUrl=url, MessageBody="x")
    world.receive(url)
    sqs.queue(url).redeliver(sent["MessageId"])
    (again,) = world.receive(url)
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"

"""SQS as `local` serves it: what a client on a socket sees beyond the conformance suite, and how much it bears."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import urllib3

from zendesk_push.local.aws import LocalAws
from zendesk_push.local.moto_process import CREDENTIALS, REGION, MotoProcess

MANY = 20_000


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    process = MotoProcess("127.0.0.1")
    try:
        yield f"http://127.0.0.1:{process.wait_until_ready()}"
    finally:
        process.stop()


@pytest.fixture(scope="module")
def sqs(endpoint: str) -> Any:
    return LocalAws(endpoint).client("sqs", connections=32)


def fill(sqs: Any, url: str, count: int) -> None:
    def send(start: int) -> None:
        entries = [{"Id": str(each), "MessageBody": f"message {start + each}"} for each in range(10)]
        assert not sqs.send_message_batch(QueueUrl=url, Entries=entries).get("Failed")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(send, range(0, count, 10)))


def receive_all(sqs: Any, url: str, *, delete: bool) -> list[str]:
    def receive(_: int) -> list[str]:
        found = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0).get(
            "Messages"
        ):
            found += [message["MessageId"] for message in messages]
            if delete:
                entries = [
                    {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
                    for index, message in enumerate(messages)
                ]
                assert not sqs.delete_message_batch(QueueUrl=url, Entries=entries).get("Failed")
        return found

    with ThreadPoolExecutor(8) as threads:
        return [one for found in threads.map(receive, range(8)) for one in found]


def test_20_000_messages_side_by_side_are_each_received_once(sqs: Any) -> None:
    """moto lost some and revived others, and took minutes."""
    url = sqs.create_queue(QueueName="many", Attributes={"VisibilityTimeout": "600"})["QueueUrl"]
    fill(sqs, url, MANY)
    begun = time.monotonic()
    found = receive_all(sqs, url, delete=True)
    assert len(found) == len(set(found)) == MANY
    assert time.monotonic() - begun < 60, "a minute is the promise; it takes some seconds"
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (counts["ApproximateNumberOfMessages"], counts["ApproximateNumberOfMessagesNotVisible"]) == (
        "0",
        "0",
    )


def test_a_long_poll_ends_when_a_message_comes_or_comes_back(sqs: Any) -> None:
    url = sqs.create_queue(QueueName="polled", Attributes={"ReceiveMessageWaitTimeSeconds": "20"})["QueueUrl"]
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(
            sqs.receive_message, QueueUrl=url, VisibilityTimeout=1
        )  # waits as the queue says
        sqs.send_message(QueueUrl=url, MessageBody="now")
        [first] = waiting.result(15)["Messages"]
        assert first["Body"] == "now"
        [again] = sqs.receive_message(QueueUrl=url, VisibilityTimeout=600)["Messages"]
        assert again["MessageId"] == first["MessageId"]
        waiting = threads.submit(sqs.receive_message, QueueUrl=url)
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=again["ReceiptHandle"], VisibilityTimeout=0)
        assert waiting.result(15)["Messages"][0]["MessageId"] == first["MessageId"]


def test_a_wait_without_messages_ends(sqs: Any) -> None:
    url = sqs.create_queue(QueueName="empty")["QueueUrl"]
    assert "Messages" not in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)


def test_attributes_and_tags_of_a_queue_are_given_back(sqs: Any) -> None:
    policy = json.dumps({"Statement": []})
    url = sqs.create_queue(QueueName="kept", Attributes={"Policy": policy}, tags={"a": "b"})["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "7"})
    told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy", "VisibilityTimeout"])[
        "Attributes"
    ]
    assert told == {"Policy": policy, "VisibilityTimeout": "7"}
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"a": "b"}
    assert url in sqs.list_queues(QueueNamePrefix="ke")["QueueUrls"]
    sqs.delete_queue(QueueUrl=url)
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix="ke")


@pytest.mark.parametrize("host", ["host.docker.internal:1", "sqs.us-east-1.amazonaws.com"])
def test_a_queue_is_found_by_whatever_host_its_url_names(sqs: Any, host: str) -> None:
    sqs.create_queue(QueueName="named")
    sqs.send_message(QueueUrl=f"http://{host}/123456789012/named", MessageBody="x")


def test_as_the_javascript_sdk_asks(endpoint: str, sqs: Any) -> None:
    """It posts to the queue's URL, and its names are the protocol's."""
    url = sqs.create_queue(QueueName="javascript")["QueueUrl"]
    headers = {"X-Amz-Target": "AmazonSQS.SendMessage", "Content-Type": "application/x-amz-json-1.0"}
    binary = {"data": {"DataType": "Binary", "BinaryValue": "AP8="}}
    body = {"QueueUrl": url, "MessageBody": "é", "MessageAttributes": binary}
    sent = urllib3.request("POST", url, json=body, headers=headers)
    assert (sent.status, sent.json().keys()) == (
        200,
        {"MessageId", "MD5OfMessageBody", "MD5OfMessageAttributes"},
    )
    headers["X-Amz-Target"] = "AmazonSQS.ReceiveMessage"
    received = urllib3.request(
        "POST", url, json={"QueueUrl": url, "MessageAttributeNames": ["All"]}, headers=headers
    ).json()
    assert received["Messages"][0]["MessageAttributes"] == binary


@pytest.mark.parametrize(
    ("target", "body", "code"),
    [
        ("SendMessage", b"{", "InvalidParameterValue"),
        ("SendMessage", b"[]", "InvalidParameterValue"),
        ("SendMessage", b'{"QueueUrl": "none"}', "InvalidParameterValue"),
        (
            "SendMessage",
            b'{"QueueUrl": "none", "MessageBody": "x"}',
            "AWS.SimpleQueueService.NonExistentQueue",
        ),
        ("StartMessageMoveTask", b"{}", "AWS.SimpleQueueService.UnsupportedOperation"),
        (
            "ReceiveMessage",
            b'{"QueueUrl": "none", "WaitTimeSeconds": 21}',
            "AWS.SimpleQueueService.NonExistentQueue",
        ),
        ("CreateQueue", b'{"QueueName": "one.fifo"}', "InvalidParameterValue"),
    ],
)
def test_nonsense_is_refused_as_aws_does(endpoint: str, target: str, body: bytes, code: str) -> None:
    answer = urllib3.request("POST", endpoint, body=body, headers={"X-Amz-Target": f"AmazonSQS.{target}"})
    assert (answer.status, answer.headers["x-amzn-query-error"]) == (400, f"{code};Sender")
    assert answer.json().keys() == {"__type", "message"}


@pytest.mark.skipif(shutil.which("aws") is None, reason="the AWS CLI is not here")
def test_the_aws_cli(endpoint: str, sqs: Any) -> None:
    url = sqs.create_queue(QueueName="cli")["QueueUrl"]
    environment = {**os.environ, **CREDENTIALS, "AWS_DEFAULT_REGION": REGION}
    command = ["aws", "--endpoint-url", endpoint, "sqs"]
    subprocess.run(
        [*command, "send-message", "--queue-url", url, "--message-body", "x"], env=environment, check=True
    )
    [message] = sqs.receive_message(QueueUrl=url)["Messages"]
    assert message["Body"] == "x"

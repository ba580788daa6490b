"""From SQS to Zendesk and to the dead letters, over real HTTP on both sides."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

import push_content.handler
from integration.push_content.stack import Context, PushStack
from worlds.messages import resource
from zendesk_push.simulator import Fault, FaultKind

EVERYTHING = (
    '{"external_id": "1", "message": "\\u00e9 é \\ud83d\\ude00 😀 \\ud800 \\/ \\u0000", "created_at": '
    '"2026-01-02T03:04:05Z", "author": {"external_id": "a", "name": "A", "name": "B"}, "numbers": '
    '[1e400, -0.0, 123456789012345678901234567890, 1.10, 5E-324], "z" : 1 ,\t"a":2}'
)


def test_content_arrives_byte_for_byte(stack: PushStack) -> None:
    account = stack.connect("acme")
    stack.send(f'{{"instance_push_id": "{account}", "external_resources": [ {EVERYTHING} ]}}')

    assert stack.invoke() == []
    assert stack.pushed_bodies == [
        f'{{"instance_push_id":"{account}","external_resources":[{EVERYTHING}]}}'.encode()
    ]
    assert stack.zendesk.core.ticket_of(account, "1")


def test_the_largest_message_that_the_queue_takes(stack: PushStack) -> None:
    account = stack.connect("acme")
    resources = [resource(str(n), html_message="x" * 3_700) for n in range(256)]
    stack.drop(account, *resources)

    assert stack.invoke() == []
    assert len(stack.pushed_bodies[0]) > 980_000


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "not JSON", "{}", '{"instance_push_id": "a", "external_resources": [NaN]}']
)
def test_hostile_bodies_are_dead_letters_and_touch_no_neighbour(stack: PushStack, text: str) -> None:
    account = stack.connect("acme")
    stack.drop(account, resource("1"))
    attributes: dict[str, Any] = {
        f"Name{n}": {"DataType": "Number", "StringValue": str(n)} for n in range(9)
    } | {"Blob": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}}
    stack.send(text, MessageAttributes=attributes, MessageGroupId="tenant-1")

    assert stack.invoke() == []
    (letter,) = stack.dead()
    assert letter["Body"] == text
    assert letter["MessageAttributes"]["ErrorCode"]["StringValue"] == "invalid_message"
    packed = json.loads(letter["MessageAttributes"]["Context"]["StringValue"])["attributes"]
    assert set(packed) == set(attributes)
    assert letter["Attributes"]["MessageGroupId"] == "tenant-1"
    assert stack.zendesk.core.ticket_of(account, "1")


def test_a_refusal_is_explained_with_the_messages_own_index(stack: PushStack) -> None:
    account = stack.connect("acme")
    stack.drop(account, resource("1"))
    stack.drop(account, resource("2"), resource("3", author=None), request_id="same")
    stack.drop(account, resource("4"), request_id="same")

    assert stack.invoke() == []
    (letter,) = stack.dead()
    assert letter["MessageAttributes"]["ErrorMessage"]["StringValue"].startswith(
        "The property '#/external_resources/1/author' of type null"
    )
    assert letter["MessageAttributes"]["RequestID"]["StringValue"] == "same"
    assert len(stack.pushed_bodies) == 3


def test_the_handler_answers_with_what_stays(stack: PushStack, monkeypatch: pytest.MonkeyPatch) -> None:
    account = stack.connect("acme")
    stack.drop(account, resource("1"))
    unknown = stack.drop("unknown", resource("1"))
    for name, value in stack.environment.items():
        monkeypatch.setenv(name, value)
    push_content.handler._composed.cache_clear()

    answer = push_content.handler.lambda_handler(stack.receive(), Context(60, time.monotonic()))  # type: ignore[arg-type]

    assert answer == {"batchItemFailures": [{"itemIdentifier": unknown}]}
    push_content.handler._composed.cache_clear()


def test_a_retry_waits_out_of_sight(stack: PushStack) -> None:
    account = stack.connect("acme")
    stack.zendesk.core.switch_on(Fault(FaultKind.THROTTLED, count=1, retry_after=30))
    waiting = stack.drop(account, resource("1"))

    assert stack.invoke() == [waiting]
    assert stack.receive() == {"Records": []}
    assert stack.in_flight() == 1
    item = stack.dynamodb.get_item(TableName=stack.name, Key={"pk": {"S": "subdomain#acme"}})["Item"]
    assert float(item["paused_until"]["N"]) < float(item["expires_at"]["N"])


def test_nothing_is_lost_while_the_dead_letter_queue_is_gone(stack: PushStack) -> None:
    stack.sqs.delete_queue(QueueUrl=stack.dead_letter_queue_url)
    invalid = stack.send("not JSON")

    assert stack.invoke() == [invalid]
    assert stack.in_flight() == 1


def test_an_answer_that_got_lost_makes_no_second_ticket(stack: PushStack) -> None:
    account = stack.connect("acme")
    stack.zendesk.core.switch_on(Fault(FaultKind.REPLY_LOST, count=1))
    waiting = [stack.drop(account, resource(str(n))) for n in range(3)]
    event = stack.receive()

    assert sorted(stack.invoke(event)) == sorted(waiting)
    assert stack.account(account).pause_reason == "unavailable"
    stack.dynamodb.update_item(
        TableName=stack.name, Key={"pk": {"S": f"account#{account}"}}, UpdateExpression="REMOVE paused_until"
    )
    assert stack.invoke(event) == []
    assert [each.codes for each in stack.zendesk.core.requests] == [
        ("success",) * 3,
        ("already_imported",),
        ("already_imported",) * 2,
    ]


def test_a_timeout_makes_requests_smaller_and_costs_no_other_account(stack: PushStack) -> None:
    stack.start(PUSH_TIMEOUT_SECONDS="0.5")
    slow, fast = stack.connect("slow"), stack.connect("fast")
    stack.zendesk.core.switch_on(Fault(FaultKind.HANG, subdomain="slow", after_import=True))
    waiting = [stack.drop(slow, resource(str(n))) for n in range(6)]
    for n in range(6):
        stack.drop(fast, resource(str(n)))

    assert sorted(stack.invoke()) == sorted(waiting)
    record = stack.account(slow)
    assert (record.request_limit, record.pause_reason) == (3, "unavailable")
    assert stack.zendesk.core.ticket_of(fast, "5")


def test_slow_accounts_are_waited_for_side_by_side(stack: PushStack) -> None:
    """All of them hang until the last one's request is there: in sequence, none would ever be answered."""
    keys = [stack.connect(f"slow{n}") for n in range(8)]
    everybody = threading.Barrier(len(keys))
    push = stack.function._deps.zendesk.push

    def together(*args: Any, **more: Any) -> Any:
        everybody.wait(20)
        return push(*args, **more)

    stack.function._deps.zendesk.push = together  # type: ignore[method-assign]
    for key in keys:
        stack.drop(key, resource("1"))

    assert stack.invoke() == []


def test_a_redirect_is_not_followed(stack: PushStack) -> None:
    """The token would go along."""
    visits: list[str] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            visits.append(str(self.headers))
            self.send_error(500)

        do_POST = do_GET  # noqa: N815 (http.server's name)

    server = HTTPServer(("127.0.0.1", 0), Elsewhere)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        location = f"http://127.0.0.1:{server.server_port}/"
        stack.zendesk.core.switch_on(Fault(FaultKind.REDIRECT, location=location))
        account = stack.connect("acme")
        waiting = stack.drop(account, resource("1"))

        assert stack.invoke() == [waiting]
        assert stack.account(account).pause_reason == "wrong_address"
        assert visits == []
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_refused_token_is_marked_in_the_table(stack: PushStack) -> None:
    account = stack.connect("acme")
    stack.zendesk.core.rotate_token(account)
    waiting = stack.drop(account, resource("1"))

    assert stack.invoke() == [waiting]
    assert stack.account(account).refused


def test_calls_to_aws_in_the_steady_state(stack: PushStack) -> None:
    """At most ten per 1,000 messages of ten accounts, beside the poller's own."""
    keys = [stack.connect(f"customer{n}") for n in range(10)]
    for key in keys:
        stack.drop(key, resource("first"))
    stack.invoke()
    assert stack.calls == {"BatchGetItem": 2, "GetSecretValue": 10, "UpdateItem": 10}
    records = [
        {
            "messageId": f"m{n}",
            "receiptHandle": f"handle{n}",
            "body": json.dumps({"instance_push_id": keys[n % 10], "external_resources": [resource(f"e{n}")]}),
            "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1800000000000"},
        }
        for n in range(1000)
    ]
    before = len(stack.pushed_bodies)
    stack.calls.clear()

    assert stack.run(records) == []
    assert stack.calls == {"BatchGetItem": 1}
    assert len(stack.pushed_bodies) - before == 10

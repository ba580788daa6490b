"""Agents' answers: onto the queue once, whatever is repeated, at the same time, killed or down; forged ones never."""

import base64
import json
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from integration.admin_callback import aws_faults
from integration.admin_callback.world import TABLE, MotoAdminWorld
from worlds.admin_requests import FORM_TYPE, Answer
from zendesk_channel.clock import Clock

ONE = "one"
DAY = 24 * 3600


class KilledHalfway(BaseException):
    """The function is killed at this moment."""


def _kill() -> None:
    raise KilledHalfway


@pytest.fixture
def replies(world: MotoAdminWorld) -> "Replies":
    return Replies(world)


class Replies:
    """A connected account, and agents who answer in its tickets."""

    def __init__(self, world: MotoAdminWorld) -> None:
        self.world = world
        self.queue_url = world.sqs.create_queue(QueueName="replies")["QueueUrl"]
        self.restart()
        self.metadata = world.connect(account=ONE).metadata

    def restart(self) -> None:
        """Another container: one that meets the faults which were arranged by now."""
        self.world.restart(replies_queue_url=self.queue_url)

    def heal(self) -> None:
        aws_faults.clear()
        self.restart()

    def form(self, **changes: str) -> dict[str, str]:
        return {
            "message": "Thank you!",
            "parent_id": "review-4711",
            "recipient_id": "customer-1",
            "metadata": self.metadata,
            "request_unique_identifier": "d9f9",
            "thread_id": "thread-1",
            **changes,
        }

    def event(self, form: dict[str, str] | str) -> dict[str, Any]:
        text = form if isinstance(form, str) else urlencode(form)
        body = base64.b64encode(text.encode()).decode()
        return self.world.http_event(
            "POST", "/channelback", body, base64_encoded=True, content_type=FORM_TYPE
        )

    def answer(self, **changes: str) -> Answer:
        """An agent answers, and Zendesk passes it on."""
        return self.world.handle(self.event(self.form(**changes)))

    def queued(self) -> list[dict[str, Any]]:
        """What is on the queue, taken off it."""
        found = []
        while messages := self.world.sqs.receive_message(
            QueueUrl=self.queue_url, MaxNumberOfMessages=10, AttributeNames=["All"]
        ).get("Messages"):
            for message in messages:
                self.world.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
                found.append(
                    {**json.loads(message["Body"]), "group": message["Attributes"]["MessageGroupId"]}
                )
        return found

    def remembered(self) -> list[dict[str, Any]]:
        return [item for item in self.world.items() if item["pk"]["S"].startswith("reply#")]


def accepted(answer: Answer) -> str:
    body = json.loads(answer.body)
    assert (answer.status, body["allow_channelback"]) == (200, True), answer.body
    return str(body["external_id"])


def test_an_answer_is_on_the_queue_once(replies: Replies) -> None:
    external_id = accepted(replies.answer())
    [reply] = replies.queued()
    assert reply.pop("received_at").endswith("+00:00")
    assert reply == {
        "v": 1,
        "instance_push_id": ONE,
        "subdomain": "acme",
        "external_id": external_id,
        "message": "Thank you!",
        "parent_id": "review-4711",
        "thread_id": "thread-1",
        "recipient_id": "customer-1",
        "request_unique_identifier": "d9f9",
        "group": ONE,
    }


def test_text_is_exact_to_the_byte(replies: Replies) -> None:
    messages = [
        "😀" * 65_535,
        "a" * 65_535,
        "one\r\ntwo\t\x00\x0b\x85\ufffe ",
        "null",
        '{"v":1} & 100% + é é',
    ]
    for index, message in enumerate(messages):
        accepted(replies.answer(message=message, request_unique_identifier=str(index)))
    assert sorted(reply["message"] for reply in replies.queued()) == sorted(messages)


def test_what_zendesk_leaves_empty_is_null(replies: Replies) -> None:
    accepted(replies.answer(recipient_id="", thread_id="null", parent_id="", request_unique_identifier=""))
    [reply] = replies.queued()
    assert [reply[name] for name in ("recipient_id", "thread_id", "parent_id")] == [None] * 3
    assert reply["request_unique_identifier"] is None


def test_without_the_parameter_there_is_no_such_route(replies: Replies) -> None:
    replies.world.restart(replies_queue_url="")
    answer = replies.answer()
    assert (answer.status, json.loads(answer.body)) == (404, {"error": "not_found"})


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD"])
def test_only_posts(replies: Replies, method: str) -> None:
    answer = replies.world.request(method, "/channelback")
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")


# Repeats


def test_a_repeat_within_a_day_writes_no_second_message(replies: Replies) -> None:
    first = accepted(replies.answer())
    replies.world.clock.time += DAY - 1
    assert accepted(replies.answer(message="and even if its text has changed")) == first
    assert len(replies.queued()) == 1
    [item] = replies.remembered()
    assert float(item["expires_at"]["N"]) - replies.world.clock.time < 5


def test_after_a_day_it_is_forgotten_though_dynamodb_deletes_late(replies: Replies) -> None:
    first = accepted(replies.answer())
    replies.world.clock.time += DAY + 2
    assert accepted(replies.answer()) == first
    assert len(replies.queued()) == 2


def test_two_requests_at_the_same_moment_put_one_message_on_the_queue(replies: Replies) -> None:
    """The second comes while the first is sending, waits for it, and gives the same answer."""
    waits = threading.Event()
    second: list[Answer] = []
    patient = Clock(sleep=lambda _: waits.set())

    def ask_again() -> None:
        second.append(replies.world.handle(replies.event(replies.form()), beside))

    thread = threading.Thread(target=ask_again)

    def meanwhile() -> None:
        thread.start()
        assert waits.wait(20)

    beside = replies.world.build(replies_queue_url=replies.queue_url, clock=patient)
    aws_faults.before("sqs", "SendMessage", meanwhile)
    replies.restart()
    first = replies.answer()
    thread.join(20)
    assert accepted(first) == accepted(second[0])
    assert len(replies.queued()) == 1


# Killed in between


@pytest.mark.parametrize(
    ("service", "operation", "arrange", "messages"),
    [
        ("dynamodb", "PutItem", aws_faults.before, 1),
        ("dynamodb", "PutItem", aws_faults.after, 1),
        ("sqs", "SendMessage", aws_faults.before, 1),
        ("sqs", "SendMessage", aws_faults.after, 2),  # nobody knows that it was sent
        ("dynamodb", "UpdateItem", aws_faults.after, 1),
    ],
)
def test_a_crash_loses_nothing_and_repeats_at_worst(
    replies: Replies,
    service: str,
    operation: str,
    arrange: Callable[[str, str, Callable[[], object]], None],
    messages: int,
) -> None:
    arrange(service, operation, _kill)
    replies.restart()
    with pytest.raises(KilledHalfway):
        replies.answer()
    replies.heal()
    external_id = accepted(replies.answer())
    assert [reply["external_id"] for reply in replies.queued()] == [external_id] * messages


# AWS down


@pytest.mark.parametrize(
    ("service", "operation"), [("dynamodb", "GetItem"), ("dynamodb", "PutItem"), ("sqs", "SendMessage")]
)
def test_while_aws_fails_the_answer_says_so_and_a_repeat_is_sent_at_once(
    replies: Replies, service: str, operation: str
) -> None:
    aws_faults.refuse(service, operation)
    replies.restart()
    answer = replies.answer()
    assert (answer.status, json.loads(answer.body)) == (503, {"error": "unavailable"})
    assert int(answer.headers["Retry-After"]) > 0
    assert replies.queued() == []
    replies.heal()
    replies.world.clock.slept.clear()
    accepted(replies.answer())
    assert replies.world.clock.slept == []
    assert len(replies.queued()) == 1


def test_what_is_on_the_queue_is_answered_so_though_it_cannot_be_remembered(
    replies: Replies, capsys: pytest.CaptureFixture[str]
) -> None:
    aws_faults.refuse("dynamodb", "UpdateItem")
    replies.restart()
    external_id = accepted(replies.answer())
    assert [reply["external_id"] for reply in replies.queued()] == [external_id]
    assert "reply not remembered" in capsys.readouterr().out


# Nobody else's


def _forgeries(replies: Replies) -> dict[str, str]:
    world = replies.world
    other = world.connect("globex", token="b" * 64, account="two").metadata
    mine = json.loads(replies.metadata)
    return {
        "none": "",
        "null": "null",
        "junk": "junk",
        "longest": "x" * 5_000,
        "nested": "[" * 5_000,
        "another account's, renamed": json.dumps({**json.loads(other), "instance_push_id": ONE}),
        "of another subdomain": json.dumps({**mine, "subdomain": "globex"}),
        "of another version": json.dumps({**mine, "v": 99}),
        "never confirmed": world.metadata("three", nonce="n" * 32, issued_at=world.clock.time),
        "of a stranger who had some made": world.metadata(ONE, nonce="n" * 32, issued_at=world.clock.time),
    }


def test_forged_ones_are_refused_before_any_write(replies: Replies) -> None:
    forgeries = _forgeries(replies)
    before = replies.world.items()
    calls: list[str] = []
    aws_faults.record_calls(calls)
    replies.restart()
    for name, metadata in forgeries.items():
        answer = replies.answer(metadata=metadata)
        assert (answer.status, json.loads(answer.body)) == (403, {"error": "forbidden"}), name
    assert set(calls) <= {"dynamodb.GetItem", "secretsmanager.GetSecretValue"}
    assert replies.world.items() == before
    assert replies.queued() == []


def test_another_accounts_metadata_answers_for_that_account_and_no_other(replies: Replies) -> None:
    other = replies.world.connect("globex", token="b" * 64, account="two").metadata
    first, second = accepted(replies.answer()), accepted(replies.answer(metadata=other))
    assert first != second
    assert {reply["instance_push_id"]: reply["external_id"] for reply in replies.queued()} == {
        ONE: first,
        "two": second,
    }


@pytest.mark.parametrize("event", ["deactivate_integration_instance", "destroy_integration_instance"])
def test_an_account_that_is_switched_off_takes_no_answers(replies: Replies, event: str) -> None:
    assert replies.world.event(event, replies.metadata).status == 200
    assert replies.answer().status == 403
    assert replies.queued() == replies.remembered() == []


def test_malformed_ones_cost_no_call(replies: Replies) -> None:
    calls: list[str] = []
    aws_faults.record_calls(calls)
    replies.restart()
    for form, status in [
        ("", 400),
        (urlencode(replies.form(message="")), 400),
        (urlencode(replies.form()) + "&message=twice", 400),
        (urlencode(replies.form()) + "&x=%ED%A0%80", 400),
        (urlencode(replies.form(message="a" * 65_536)), 400),
        ("x" * 10_000_000, 413),
    ]:
        answer = replies.world.handle(replies.event(form))
        assert answer.status == status
        assert json.loads(answer.body).keys() == {"error"}
    assert calls == []


def test_what_agents_write_is_in_no_log_line(replies: Replies, capsys: pytest.CaptureFixture[str]) -> None:
    canary = "canary-4711"
    accepted(replies.answer(message=canary, recipient_id=canary))
    replies.answer(message=f"{canary}x", metadata=canary)
    replies.answer(message=canary, thread_id=f"{canary}\n")
    aws_faults.refuse("sqs", "SendMessage")
    replies.restart()
    replies.answer(message=canary, request_unique_identifier="another")
    output = capsys.readouterr()
    assert canary not in output.out + output.err
    lines = [json.loads(line) for line in output.out.splitlines()]
    outcomes = [line["outcome"] for line in lines if line.get("message") == "channelback"]
    assert outcomes == ["queued", "forged", "refused", "failed"]
    counted = {name for line in lines for name in line if name.startswith("Replies")}
    assert counted == {"RepliesQueued", "RepliesForged", "RepliesRefused", "RepliesFailed"}


def test_what_is_remembered_holds_nothing_but_times(replies: Replies) -> None:
    external_id = accepted(replies.answer())
    item = replies.world.dynamodb.get_item(TableName=TABLE, Key={"pk": {"S": f"reply#{external_id}"}})["Item"]
    assert item.keys() == {"pk", "claimed_until", "expires_at", "sent_at"}

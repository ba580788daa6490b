"""``replies`` and the doctor's lines about the queue: what agents have answered, printed and left, or taken off."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from integration.commands.conftest import Deployed, Ran, new_client, visible
from zendesk_push.commands.replies.reading import RepliesReading
from zendesk_push.deployment import Deployment

REPLY = {
    "v": 1,
    "instance_push_id": "one",
    "subdomain": "acme",
    "external_id": "reply-1",
    "message": "Hello Ann,\n:smile: 🙂 \x1b[31mred",
    "parent_id": "review-1",
    "thread_id": None,
    "recipient_id": "customer-1",
    "request_unique_identifier": "d9f9",
    "received_at": "2026-11-24T12:00:00.000+00:00",
}


class Queues:
    """The replies queue and its dead-letter queue, on moto."""

    def __init__(self, stack: Deployed, ready_file: Path) -> None:
        self.stack = stack
        sqs = stack.client("sqs")
        key = stack.client("kms").create_key()["KeyMetadata"]["Arn"]
        kept = {"MessageRetentionPeriod": "1209600", "KmsMasterKeyId": key}
        self.dead = sqs.create_queue(QueueName="replies-dead", Attributes=kept)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=self.dead, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 10})
        self.url = sqs.create_queue(QueueName="replies", Attributes={**kept, "RedrivePolicy": redrive})[
            "QueueUrl"
        ]
        ready = json.loads(ready_file.read_text())
        ready_file.write_text(json.dumps({**ready, "replies_queue_url": self.url}))

    def send(self, queue_url: str | None = None, **changes: Any) -> None:
        self.stack.client("sqs").send_message(
            QueueUrl=queue_url or self.url, MessageBody=json.dumps({**REPLY, **changes})
        )


@pytest.fixture
def queues(stack: Deployed, ready_file: Path) -> Queues:
    return Queues(stack, ready_file)


def test_they_are_printed_and_left(queues: Queues, command: Callable[..., Ran]) -> None:
    for number in range(23):
        queues.send(external_id=f"reply-{number}")
    ran = command("replies", "--no-wait")
    assert ran.code == 0
    assert all(f"reply-{number}" in ran.out for number in range(23))
    assert "    Hello Ann,\n    :smile: 🙂 \ufffd[31mred\n" in ran.out
    assert "parent_id review-1 recipient_id customer-1" in ran.out
    assert ran.err.endswith("23 answers printed, 23 given back\n")
    assert visible(queues.stack, queues.url) == 23


def test_as_json_lines(queues: Queues, command: Callable[..., Ran]) -> None:
    queues.send()
    ran = command("replies", "--no-wait", "--json")
    [line] = [json.loads(line) for line in ran.out.splitlines()]
    assert line.pop("sqs")["receive_count"] == 1
    assert line == REPLY


def test_deleted_ones_are_gone(queues: Queues, command: Callable[..., Ran]) -> None:
    queues.send()
    assert command("replies", "--no-wait", "--delete").err.endswith("1 answer printed, 1 deleted\n")
    ran = command("replies", "--no-wait")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.endswith("no answers\n")


def test_what_is_no_reply_is_printed_as_it_is(queues: Queues, command: Callable[..., Ran]) -> None:
    queues.stack.client("sqs").send_message(QueueUrl=queues.url, MessageBody="[1]\x1b")
    ran = command("replies", "--no-wait")
    assert "no reply of this project's" in ran.out
    assert "    [1]\ufffd" in ran.out


def test_looks_are_counted(queues: Queues, command: Callable[..., Ran]) -> None:
    queues.send()
    for _ in range(7):
        assert "received" not in command("replies", "--no-wait").err
    assert "received 8 times" in command("replies", "--no-wait").err


def test_dead_ones_instead(queues: Queues, command: Callable[..., Ran]) -> None:
    queues.send(queues.dead, external_id="reply-dead")
    queues.send()
    ran = command("replies", "--dead", "--no-wait")
    assert "reply-dead" in ran.out
    assert "reply-1 " not in ran.out
    assert visible(queues.stack, queues.dead) == 1


def test_they_are_printed_as_they_come(queues: Queues) -> None:
    seen = threading.Event()
    found = []

    def watch() -> None:
        with RepliesReading(queues.stack.client("sqs"), queues.url, wait=True) as reading:
            for reply in reading:
                found.append(reply.reply["external_id"])
                if len(found) == 2:
                    return
                seen.set()

    thread = threading.Thread(target=watch)
    thread.start()
    queues.send(external_id="first")
    assert seen.wait(30)
    queues.send(external_id="second")
    thread.join(30)
    assert found == ["first", "second"]
    assert visible(queues.stack, queues.url) == 2


def test_whoever_watches_for_long_keeps_what_was_shown_hidden(queues: Queues) -> None:
    """Or it would come again and again, until SQS takes it for dead."""
    now = [0.0]
    sqs = new_client("sqs", queues.stack.endpoint_url)
    renewed: list[int] = []
    sqs.meta.events.register(
        "provide-client-params.sqs.ChangeMessageVisibilityBatch",
        lambda params, **_: renewed.extend(entry["VisibilityTimeout"] for entry in params["Entries"]),
    )
    with RepliesReading(sqs, queues.url, wait=False, clock=lambda: now[0]) as reading:
        queues.send()
        shown = [reply.receive_count for reply in reading]
        for _ in range(3):
            now[0] += 60
            shown += [reply.receive_count for reply in reading]
        assert shown == [1]
        assert renewed == [120] * 3
    assert renewed[-1] == 0


def test_an_interruption_gives_back_what_was_shown(queues: Queues) -> None:
    queues.send()
    reading = RepliesReading(queues.stack.client("sqs"), queues.url, wait=True)

    def watch_until_interrupted() -> None:
        with reading:
            next(iter(reading))
            assert visible(queues.stack, queues.url) == 0
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        watch_until_interrupted()
    assert reading.given_back == 1
    assert visible(queues.stack, queues.url) == 1


def test_what_cannot_be_given_back_is_told(
    queues: Queues, command: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    sqs = new_client("sqs", queues.stack.endpoint_url)

    def refuse(**_: Any) -> None:
        raise ClientError(
            {"Error": {"Code": "AccessDenied", "Message": "no"}}, "ChangeMessageVisibilityBatch"
        )

    sqs.meta.events.register("before-call.sqs.ChangeMessageVisibilityBatch", refuse)
    queues.send()
    with RepliesReading(sqs, queues.url, wait=False) as reading:
        assert len(list(reading)) == 1
    assert reading.given_back == 0


def test_without_replies_the_command_says_what_to_do(command: Callable[..., Ran]) -> None:
    ran = command("replies", "--no-wait")
    assert ran.code == 2
    assert "Replies=enabled" in ran.err


# The doctor


def doctor(command: Callable[..., Ran]) -> dict[str, tuple[str, str]]:
    return {
        finding["subject"]: (finding["level"], finding["seen"])
        for finding in command("doctor", "--json").json
        if finding["subject"].startswith("replies")
    }


def test_the_doctor_knows_that_they_are_off(command: Callable[..., Ran]) -> None:
    level, seen = doctor(command)["replies"]
    assert (level, seen.split(":")[0]) == ("ok", "disabled")


def _policy(queues: Queues, *extra: dict[str, Any]) -> None:
    plain = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    for url in (queues.url, queues.dead):
        queues.stack.client("sqs").set_queue_attributes(
            QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [plain, *extra]})}
        )


READ = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["sqs:ReceiveMessage"]}
READER = "arn:aws:iam::123456789012:role/reader"


def test_a_queue_that_is_well(queues: Queues, command: Callable[..., Ran]) -> None:
    _policy(queues, {**READ, "Condition": {"ArnEquals": {"aws:PrincipalArn": [READER]}}})
    found = doctor(command)
    assert {level for level, _ in found.values()} == {"ok"}
    assert f"only {READER}" in found["replies policy"][1]
    assert found["replies kept"][1].startswith("14d, after 10 receipts")


def test_each_thing_that_can_be_wrong_with_it(queues: Queues, command: Callable[..., Ran]) -> None:
    sqs = queues.stack.client("sqs")
    queues.send()
    queues.send(queues.dead)
    sqs.set_queue_attributes(QueueUrl=queues.dead, Attributes={"MessageRetentionPeriod": "345600"})
    _policy(queues, READ)  # after that, as moto forgets it otherwise
    found = doctor(command)
    assert found["replies policy"] == ("fail", "anybody on earth may read the queue")
    assert found["replies kept"][0] == "fail"
    assert found["replies unread"][0] == "warn"
    assert found["replies dead"] == ("warn", "about 1 that no customer has got")
    for url in (queues.url, queues.dead):
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [READ]})})
    assert doctor(command)["replies policy"] == ("fail", "plain HTTP is allowed")


def test_a_queue_that_leads_nowhere(stack: Deployed, ready_file: Path, command: Callable[..., Ran]) -> None:
    url = stack.client("sqs").create_queue(QueueName="alone")["QueueUrl"]
    ready_file.write_text(json.dumps({**json.loads(ready_file.read_text()), "replies_queue_url": url}))
    assert doctor(command)["replies redrive"][0] == "fail"
    ran = command("replies", "--dead")
    assert (ran.code, "has no dead-letter queue" in ran.err) == (1, True)


def test_where_nothing_is_known_it_is_skipped() -> None:
    from zendesk_push.commands.doctor.reply_checks import check_replies

    [finding] = check_replies(Deployment(session=None))  # type: ignore[arg-type]
    assert finding.level == "skip"

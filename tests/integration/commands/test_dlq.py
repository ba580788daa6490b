"""Dead letters are read without losing one, and redriven as they were."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from integration.commands.conftest import Ran, Stack, new_client, visible
from push_content.answers.answer_judge import Rejected
from push_content.messages.sqs_record import Receipt
from push_content.outcomes.dead_letters import dead_letter
from push_content.outcomes.error_codes import ErrorCode
from zendesk_push.dead_letters.reading import Reading
from zendesk_push.dead_letters.redrive import purge, redrive, until_all_are_seen
from zendesk_push.queue_sender import QueueSender

SENT_AT = 1_700_000_000.0
SAID = "Zendesk said no in schema file:///bundle/resource.json#; and no again in schema file:///bundle/resource.json#"


def body(account: str, number: int = 0) -> str:
    return f'{{"instance_push_id": "{account}", "external_resources": [{{"n": 1e400, "number": {number}}}]}}'


def attribute(value: str | bytes, data_type: str = "") -> dict[str, Any]:
    if isinstance(value, bytes):
        return {"DataType": data_type or "Binary", "BinaryValue": value}
    return {"DataType": data_type or "String", "StringValue": value}


def bury(
    stack: Stack,
    account: str,
    reason: ErrorCode = ErrorCode.ZENDESK_400,
    *,
    number: int = 0,
    attributes: dict[str, Any] | None = None,
) -> str:
    """Dead-letter a message as the push function does; returns the dead letter's id."""
    receipt = Receipt(
        message_id=f"source-{account}-{number}",
        receipt_handle="h",
        body=body(account, number),
        attributes=attributes or {},
        group_id=account,
        sent_at=SENT_AT,
    )
    letter = dead_letter(
        receipt,
        Rejected(reason, SAID, 400),
        account_id=account,
        account=None,
        request_id="req",
        failed_at=SENT_AT,
    )
    answer = stack.client("sqs").send_message(
        QueueUrl=stack.dead_letter_queue_url,
        MessageBody=letter.body,
        MessageAttributes=letter.attributes,
        MessageGroupId=account,
    )
    return str(answer["MessageId"])


def test_list_counts_by_reason_and_account_and_gives_everything_back(
    stack: Stack, command: Callable[..., Ran]
) -> None:
    for number in range(12):
        bury(stack, "acc-1", number=number)
    bury(stack, "acc-2", ErrorCode.THROTTLED)
    stack.client("sqs").send_message(QueueUrl=stack.dead_letter_queue_url, MessageBody=body("acc-3"))
    ran = command("dlq", "list", "--limit", "3")
    assert (ran.code, ran.err) == (0, "")
    summary = [line.split()[:3] for line in ran.out.split("\n\n")[0].splitlines()]
    assert summary == [
        ["COUNT", "REASON", "ACCOUNT"],
        ["12", "zendesk_400", "acc-1"],
        ["1", "receive_count", "acc-3"],
        ["1", "throttled", "acc-2"],
        ["14", "in", "all"],
    ]
    assert "... and 11 more, younger than these" in ran.out
    assert "    Zendesk said no; and no again\n" in ran.out
    assert visible(stack, stack.dead_letter_queue_url) == 14


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], {"acc-1", "acc-2", "acc-3"}),
        (["--reason", "throttled"], {"acc-2"}),
        (["--reason", "throttled", "--reason", "receive_count"], {"acc-2", "acc-3"}),
        (["--account", "acc-1"], {"acc-1"}),
        (["--account", "acc-1", "--reason", "throttled"], set()),
        (["--older-than", "1h"], set()),
        (["--newer-than", "1h"], {"acc-1", "acc-2", "acc-3"}),
    ],
)
def test_list_filters(
    stack: Stack, command: Callable[..., Ran], options: list[str], expected: set[str]
) -> None:
    bury(stack, "acc-1")
    bury(stack, "acc-2", ErrorCode.THROTTLED)
    stack.client("sqs").send_message(QueueUrl=stack.dead_letter_queue_url, MessageBody=body("acc-3"))
    assert {entry["account"] for entry in command("dlq", "list", "--json", *options).json} == expected
    assert visible(stack, stack.dead_letter_queue_url) == 3


def test_what_somebody_else_is_reading_is_mentioned(stack: Stack, command: Callable[..., Ran]) -> None:
    bury(stack, "acc-1")
    stack.client("sqs").receive_message(QueueUrl=stack.dead_letter_queue_url, VisibilityTimeout=60)
    ran = command("dlq", "list")
    assert ran.out == "no dead letters\n"
    assert ran.err == "about 1 more are out of sight: somebody else is reading them just now\n"


def test_an_empty_queue_says_so(command: Callable[..., Ran]) -> None:
    assert command("dlq", "list").out == "no dead letters\n"
    assert command("dlq", "list", "--reason", "x").out == "no dead letters like that\n"
    assert command("dlq", "redrive", "--yes").out == "no dead letters: nothing to redrive\n"


@pytest.mark.parametrize("by_source", [False, True])
def test_show_finds_one_by_its_own_or_its_sources_id(
    stack: Stack, command: Callable[..., Ran], *, by_source: bool
) -> None:
    for number in range(15):
        bury(stack, "acc-1", number=number)
    letter_id = bury(stack, "acc-2", attributes={"trace": attribute("t-1"), "raw": attribute(b"\x00\xff")})
    shown = command("dlq", "show", "source-acc-2-0" if by_source else letter_id, "--json").json
    assert shown["id"] == letter_id
    assert shown["reason"] == "zendesk_400"
    assert shown["explanation"] == SAID
    assert shown["body"] == body("acc-2")
    assert shown["attributes"] == {
        "trace": {"type": "String", "value": "t-1"},
        "raw": {"type": "Binary", "value": "00ff"},
    }
    assert shown["context"]["status"] == 400
    assert command("dlq", "show", letter_id, "--body").out == body("acc-2") + "\n"
    assert "reason: zendesk_400\n" in command("dlq", "show", letter_id).out
    assert visible(stack, stack.dead_letter_queue_url) == 16


def test_show_of_what_is_not_there(command: Callable[..., Ran]) -> None:
    ran = command("dlq", "show", "nothing")
    assert ran.code == 1
    assert "there is no dead letter nothing" in ran.err


def test_redrive_restores_the_message_as_it_first_came(stack: Stack, command: Callable[..., Ran]) -> None:
    originals = {f"own-{n}": attribute(str(n), "Number") for n in range(8)} | {
        "raw": attribute(b"\x00\xff"),
        "ErrorCode": attribute("a sender's own"),
    }
    bury(stack, "acc-1", attributes=originals)
    ran = command("dlq", "redrive", "--yes")
    assert (ran.code, ran.out) == (0, "1 of 1 dead letter redriven\n")
    [arrived] = stack.messages(stack.queue_url)
    assert arrived["Body"] == body("acc-1")
    assert arrived["MessageAttributes"] == originals
    assert arrived["Attributes"]["MessageGroupId"] == "acc-1"
    assert visible(stack, stack.dead_letter_queue_url) == 0


def test_redrive_takes_the_selection_and_leaves_the_rest(stack: Stack, command: Callable[..., Ran]) -> None:
    for number in range(25):
        bury(stack, "acc-1", number=number)
        bury(stack, "acc-2", ErrorCode.THROTTLED, number=number)
    ran = command("dlq", "redrive", "--account", "acc-1", "--yes")
    assert (ran.code, ran.out) == (0, "25 of 25 dead letters redriven\n")
    arrived = [entry["Body"] for entry in stack.messages(stack.queue_url)]
    assert sorted(arrived) == sorted(body("acc-1", number) for number in range(25))
    assert visible(stack, stack.dead_letter_queue_url) == 25


def test_redrive_by_id_and_by_limit(stack: Stack, command: Callable[..., Ran]) -> None:
    ids = [bury(stack, "acc-1", number=number) for number in range(5)]
    assert command("dlq", "redrive", ids[3], "--yes").out == "1 of 1 dead letter redriven\n"
    assert [entry["Body"] for entry in stack.messages(stack.queue_url)] == [body("acc-1", 3)]
    assert command("dlq", "redrive", "--limit", "2", "--yes").out == "2 of 2 dead letters redriven\n"
    assert visible(stack, stack.dead_letter_queue_url) == 2


def test_an_id_that_is_not_there_stops_it_all(stack: Stack, command: Callable[..., Ran]) -> None:
    letter_id = bury(stack, "acc-1")
    ran = command("dlq", "purge", letter_id, "nothing", "--yes")
    assert ran.code == 1
    assert "no such dead letter: nothing; nothing was purged" in ran.err
    assert visible(stack, stack.dead_letter_queue_url) == 1


@pytest.mark.parametrize("action", ["redrive", "purge"])
def test_nothing_happens_unconfirmed(stack: Stack, command: Callable[..., Ran], action: str) -> None:
    bury(stack, "acc-1")
    ran = command("dlq", action)
    assert ran.code == 2
    assert "--yes" in ran.err
    assert command("dlq", action, "--dry-run").code == 0
    assert visible(stack, stack.dead_letter_queue_url) == 1
    assert visible(stack, stack.queue_url) == 0


def test_purge_deletes_the_selection_for_good(stack: Stack, command: Callable[..., Ran]) -> None:
    for number in range(12):
        bury(stack, "acc-1", number=number)
    bury(stack, "acc-2")
    ran = command("dlq", "purge", "--account", "acc-1", "--yes")
    assert (ran.code, ran.out) == (0, "12 of 12 dead letters purged\n")
    assert [entry["Body"] for entry in stack.messages(stack.dead_letter_queue_url)] == [body("acc-2")]
    assert visible(stack, stack.queue_url) == 0


def test_if_sending_fails_every_dead_letter_stays(stack: Stack, command: Callable[..., Ran]) -> None:
    for number in range(12):
        bury(stack, "acc-1", number=number)
    ran = command("dlq", "redrive", "--yes", "--queue-url", f"{stack.queue_url}-none")
    assert (ran.code, ran.out) == (1, "0 of 12 dead letters redriven\n")
    assert ran.err.count(": not redriven: ") == 12
    assert visible(stack, stack.dead_letter_queue_url) == 12


def test_if_deleting_fails_it_stops_and_says_what_is_in_both_queues(stack: Stack) -> None:
    """The crash between the two: a second copy, never none."""
    sqs = new_client("sqs", stack.endpoint_url)
    ids = {bury(stack, "acc-1", number=number) for number in range(12)}

    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DeleteMessageBatch")

    sqs.meta.events.register("before-call.sqs.DeleteMessageBatch", refuse)
    with Reading(sqs, stack.dead_letter_queue_url, wait_seconds=0) as reading:
        outcome = redrive(reading, QueueSender(sqs, stack.queue_url), ids, lambda _: None)
    assert outcome.done == set()
    assert (len(outcome.left_behind), len(outcome.failed)) == (10, 2)
    assert outcome.left_behind.keys() | outcome.failed.keys() == ids
    assert visible(stack, stack.queue_url) == 10
    assert visible(stack, stack.dead_letter_queue_url) == 12


def test_what_somebody_else_took_meanwhile_is_reported(stack: Stack) -> None:
    sqs = stack.client("sqs")
    letter_id = bury(stack, "acc-1")
    with Reading(sqs, stack.dead_letter_queue_url, wait_seconds=0) as reading:
        outcome = redrive(reading, QueueSender(sqs, stack.queue_url), {letter_id, "gone"}, lambda _: None)
    assert outcome.done == {letter_id}
    assert outcome.failed == {"gone": "it is gone, or somebody else is reading it just now: look again"}
    assert outcome.unseen == {"gone"}


def test_what_somebody_else_is_reading_is_waited_for(stack: Stack) -> None:
    sqs = stack.client("sqs")
    ids = {bury(stack, "acc-1", number=number) for number in range(3)}
    others = sqs.receive_message(
        QueueUrl=stack.dead_letter_queue_url, MaxNumberOfMessages=2, VisibilityTimeout=1
    )["Messages"]
    assert others
    rounds: list[bool] = []

    def open_reading(patient: bool) -> Reading:
        rounds.append(patient)
        return Reading(sqs, stack.dead_letter_queue_url, wait_seconds=20 if patient else 0)

    outcome = until_all_are_seen(
        open_reading,
        lambda reading, wanted: redrive(reading, QueueSender(sqs, stack.queue_url), wanted, lambda _: None),
        ids,
    )

    assert (outcome.done, outcome.failed, outcome.unseen) == (ids, {}, set())
    assert rounds[0] is False
    assert rounds[1:] == [True] * len(rounds[1:])
    assert visible(stack, stack.dead_letter_queue_url) == 0


def test_what_nobody_gives_back_is_looked_for_once_more_and_not_for_ever(stack: Stack) -> None:
    sqs = stack.client("sqs")
    letter_id = bury(stack, "acc-1")
    rounds: list[bool] = []

    def open_reading(patient: bool) -> Reading:
        rounds.append(patient)
        return Reading(sqs, stack.dead_letter_queue_url, wait_seconds=0)

    outcome = until_all_are_seen(
        open_reading, lambda reading, wanted: purge(reading, wanted, lambda _: None), {letter_id, "gone"}
    )

    assert outcome.done == {letter_id}
    assert outcome.failed.keys() == outcome.unseen == {"gone"}
    assert rounds == [False, True]


def test_a_reading_that_breaks_off_gives_back_what_it_holds(stack: Stack) -> None:
    for number in range(15):
        bury(stack, "acc-1", number=number)

    def break_off() -> None:
        with Reading(stack.client("sqs"), stack.dead_letter_queue_url, wait_seconds=0) as reading:
            for _ in reading:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert visible(stack, stack.dead_letter_queue_url) == 15


def test_what_comes_again_while_it_is_held_is_handed_out_once(stack: Stack) -> None:
    letter_id = bury(stack, "acc-1")
    reading = Reading(stack.client("sqs"), stack.dead_letter_queue_url, wait_seconds=0, hold_seconds=0)
    with reading:
        assert [letter.message_id for letter in reading] == [letter_id]


def test_a_giant_dead_letter_is_redriven_whole(stack: Stack, command: Callable[..., Ran]) -> None:
    text = json.dumps({"instance_push_id": "acc-1", "external_resources": ["x" * 990_000]})
    for _ in range(2):
        stack.client("sqs").send_message(QueueUrl=stack.dead_letter_queue_url, MessageBody=text)
    assert command("dlq", "redrive", "--yes").code == 0
    assert [entry["Body"] for entry in stack.messages(stack.queue_url)] == [text, text]

"""Dead letters are read without losing one, and redriven as they were."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from integration.commands.conftest import Deployed, Ran, new_client, visible
from push_content.messages.sqs_record import SqsRecord
from push_content.outcomes.dead_letters import dead_letter
from push_content.outcomes.outcome import ErrorCode, Rejected
from zendesk_push.dead_letters.dead_letter import original
from zendesk_push.dead_letters.reading import Reading
from zendesk_push.dead_letters.redrive import Pace, purge, redrive
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
    stack: Deployed,
    account: str,
    reason: ErrorCode = ErrorCode.ZENDESK_400,
    *,
    number: int = 0,
    attributes: dict[str, Any] | None = None,
) -> str:
    """Dead-letter a message as the push function does; returns the dead letter's id."""
    receipt = SqsRecord(
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
        subdomain=None,
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
    stack: Deployed, command: Callable[..., Ran]
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
    stack: Deployed, command: Callable[..., Ran], options: list[str], expected: set[str]
) -> None:
    bury(stack, "acc-1")
    bury(stack, "acc-2", ErrorCode.THROTTLED)
    stack.client("sqs").send_message(QueueUrl=stack.dead_letter_queue_url, MessageBody=body("acc-3"))
    assert {entry["account"] for entry in command("dlq", "list", "--json", *options).json} == expected
    assert visible(stack, stack.dead_letter_queue_url) == 3


def test_what_somebody_else_is_reading_is_mentioned(stack: Deployed, command: Callable[..., Ran]) -> None:
    bury(stack, "acc-1")
    stack.client("sqs").receive_message(QueueUrl=stack.dead_letter_queue_url, VisibilityTimeout=60)
    ran = command("dlq", "list")
    assert ran.out == "no dead letters\n"
    assert ran.err == "about 1 more are out of sight: somebody else is reading them just now\n"


def test_an_empty_queue_says_so(command: Callable[..., Ran]) -> None:
    assert command("dlq", "list").out == "no dead letters\n"
    assert command("dlq", "list", "--account", "x").out == "no dead letters like that\n"
    assert (
        command("dlq", "redrive", "--all", "--yes").out == "no dead letters like that: nothing to redrive\n"
    )


@pytest.mark.parametrize("by_source", [False, True])
def test_show_finds_one_by_its_own_or_its_sources_id(
    stack: Deployed, command: Callable[..., Ran], *, by_source: bool
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
        "raw": {"type": "Binary", "base64": "AP8="},
    }
    assert shown["context"]["status"] == 400
    assert command("dlq", "show", letter_id, "--body").out == body("acc-2") + "\n"
    assert "reason: zendesk_400\n" in command("dlq", "show", letter_id).out
    assert visible(stack, stack.dead_letter_queue_url) == 16


def test_show_of_what_is_not_there(command: Callable[..., Ran]) -> None:
    ran = command("dlq", "show", "nothing")
    assert ran.code == 1
    assert "there is no dead letter nothing" in ran.err


def test_redrive_restores_the_message_as_it_first_came(stack: Deployed, command: Callable[..., Ran]) -> None:
    originals = {f"own-{n}": attribute(str(n), "Number") for n in range(8)} | {
        "raw": attribute(b"\x00\xff"),
        "ErrorCode": attribute("a sender's own"),
    }
    bury(stack, "acc-1", attributes=originals)
    ran = command("dlq", "redrive", "--all", "--yes")
    assert (ran.code, ran.out) == (0, "1 of 1 dead letter redriven\n")
    [arrived] = stack.messages(stack.queue_url)
    assert arrived["Body"] == body("acc-1")
    assert arrived["MessageAttributes"] == originals
    assert arrived["Attributes"]["MessageGroupId"] == "acc-1"
    assert visible(stack, stack.dead_letter_queue_url) == 0


def test_redrive_takes_the_selection_and_leaves_the_rest(
    stack: Deployed, command: Callable[..., Ran]
) -> None:
    for number in range(25):
        bury(stack, "acc-1", number=number)
        bury(stack, "acc-2", ErrorCode.THROTTLED, number=number)
    ran = command("dlq", "redrive", "--account", "acc-1", "--yes")
    assert (ran.code, ran.out) == (0, "25 of 25 dead letters redriven\n")
    arrived = [entry["Body"] for entry in stack.messages(stack.queue_url)]
    assert sorted(arrived) == sorted(body("acc-1", number) for number in range(25))
    assert visible(stack, stack.dead_letter_queue_url) == 25


def test_redrive_by_id_and_by_limit(stack: Deployed, command: Callable[..., Ran]) -> None:
    ids = [bury(stack, "acc-1", number=number) for number in range(5)]
    assert command("dlq", "redrive", ids[3], "--yes").out == "1 of 1 dead letter redriven\n"
    assert [entry["Body"] for entry in stack.messages(stack.queue_url)] == [body("acc-1", 3)]
    assert command("dlq", "redrive", "--all", "--limit", "2", "--yes").out == "2 of 2 dead letters redriven\n"
    assert visible(stack, stack.dead_letter_queue_url) == 2


def test_an_id_that_is_not_there_stops_it_all(stack: Deployed, command: Callable[..., Ran]) -> None:
    letter_id = bury(stack, "acc-1")
    ran = command("dlq", "purge", letter_id, "nothing", "--yes")
    assert ran.code == 1
    assert "there is no dead letter nothing" in ran.err
    assert visible(stack, stack.dead_letter_queue_url) == 1


@pytest.mark.parametrize("action", ["redrive", "purge"])
def test_nothing_happens_unconfirmed(stack: Deployed, command: Callable[..., Ran], action: str) -> None:
    bury(stack, "acc-1")
    ran = command("dlq", action, "--all")
    assert ran.code == 2
    assert "--yes" in ran.err
    assert command("dlq", action, "--all", "--dry-run").code == 0
    assert visible(stack, stack.dead_letter_queue_url) == 1
    assert visible(stack, stack.queue_url) == 0


def test_purge_deletes_the_selection_for_good(
    stack: Deployed, command: Callable[..., Ran], tmp_path: Path
) -> None:
    for number in range(12):
        bury(stack, "acc-1", number=number)
    bury(stack, "acc-2")
    ran = command("dlq", "purge", "--account", "acc-1", "--yes", "--output", str(tmp_path / "gone"))
    assert (ran.code, ran.out) == (0, "12 of 12 dead letters purged\n")
    assert [entry["Body"] for entry in stack.messages(stack.dead_letter_queue_url)] == [body("acc-2")]
    assert visible(stack, stack.queue_url) == 0


def test_if_sending_fails_every_dead_letter_stays(stack: Deployed, command: Callable[..., Ran]) -> None:
    for number in range(12):
        bury(stack, "acc-1", number=number)
    ran = command("dlq", "redrive", "--all", "--yes", "--queue-url", f"{stack.queue_url}-none")
    assert (ran.code, ran.out) == (1, "0 of 12 dead letters redriven\n")
    assert ran.err.count(": not redriven: ") == 12
    assert visible(stack, stack.dead_letter_queue_url) == 12


def test_if_deleting_fails_it_stops_and_says_what_is_in_both_queues(stack: Deployed) -> None:
    """The crash between the two: a second copy, never none."""
    sqs = new_client("sqs", stack.endpoint_url)
    ids = {bury(stack, "acc-1", number=number) for number in range(12)}

    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DeleteMessageBatch")

    sqs.meta.events.register("before-call.sqs.DeleteMessageBatch", refuse)
    with Reading(sqs, stack.dead_letter_queue_url, wait_seconds=0) as reading:
        tally = redrive(reading, QueueSender(sqs, stack.queue_url), list(reading), original, Pace())
    assert tally.done == set()
    assert (len(tally.left_behind), len(tally.failed)) == (10, 2)
    assert tally.left_behind.keys() | tally.failed.keys() == ids
    assert visible(stack, stack.queue_url) == 10
    assert visible(stack, stack.dead_letter_queue_url) == 12


@pytest.mark.parametrize("act", ["redrive", "purge"])
def test_whoever_stops_it_has_what_was_not_done_given_back(stack: Deployed, act: str) -> None:
    sqs = stack.client("sqs")
    for number in range(25):
        bury(stack, "acc-1", number=number)
    steps: list[int] = []
    pace = Pace(steps.append, lambda: len(steps) == 1)
    with Reading(sqs, stack.dead_letter_queue_url, wait_seconds=0) as reading:
        if act == "purge":
            tally = purge(reading, list(reading), pace)
        else:
            tally = redrive(reading, QueueSender(sqs, stack.queue_url), list(reading), original, pace)
    assert (len(tally.done), tally.failed, tally.stopped) == (10, {}, True)
    assert visible(stack, stack.dead_letter_queue_url) == 15


def test_what_was_held_for_too_long_is_left_alone(stack: Deployed) -> None:
    """Somebody thought about the question for so long that others may be at the same letters."""
    bury(stack, "acc-1")
    reading = Reading(stack.client("sqs"), stack.dead_letter_queue_url, wait_seconds=0, hold_seconds=1)
    with reading:
        tally = purge(reading, list(reading), Pace())
    assert tally.done == set()
    assert list(tally.failed.values()) == [
        "others may have it by now: it was held for too long. Run the command again"
    ]


def test_an_id_that_somebody_else_is_reading_is_waited_for(
    stack: Deployed, command: Callable[..., Ran]
) -> None:
    letter_id = bury(stack, "acc-1")
    sqs = stack.client("sqs")
    sqs.receive_message(QueueUrl=stack.dead_letter_queue_url, VisibilityTimeout=1)
    assert command("dlq", "redrive", letter_id, "--yes").out == "1 of 1 dead letter redriven\n"


@pytest.mark.parametrize("action", ["redrive", "purge", "export"])
@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ([], "Give an ID, a filter or --all"),
        (["--limit", "3"], "Give an ID, a filter or --all"),
        ([""], "an ID is empty"),
        (["--account", ""], "--account is empty"),
        (
            ["--reason", "zendesk_40"],
            "--reason zendesk_40 is none that a dead letter can have; did you mean zendesk_400?",
        ),
        (["--all", "--account", "acc-1"], "not both"),
        (["--older-than", ""], "is not a span of time"),
    ],
)
def test_what_changes_something_needs_a_selection(
    stack: Deployed, command: Callable[..., Ran], action: str, options: list[str], complaint: str
) -> None:
    """An unset variable of a script once deleted everything."""
    bury(stack, "acc-1")
    ran = command("dlq", action, *options, *([] if action == "export" else ["--yes"]))
    assert (ran.code, ran.out) == (2, "")
    assert complaint in ran.err
    assert visible(stack, stack.dead_letter_queue_url) == 1


def test_a_beginning_of_an_id_is_enough_if_it_is_only_ones(
    stack: Deployed, command: Callable[..., Ran]
) -> None:
    letter_id = bury(stack, "acc-1", number=1)
    bury(stack, "acc-1", number=2)
    assert command("dlq", "show", letter_id[:30], "--json").json["id"] == letter_id
    ran = command("dlq", "purge", "source-", "--yes")
    assert ran.code == 1
    assert "2 dead letters have an id that begins with 'source-'" in ran.err
    assert visible(stack, stack.dead_letter_queue_url) == 2


def test_by_external_id(stack: Deployed, command: Callable[..., Ran]) -> None:
    for name in ("a", "b"):
        stack.client("sqs").send_message(
            QueueUrl=stack.dead_letter_queue_url,
            MessageBody=json.dumps(
                {"instance_push_id": "acc", "external_resources": [{"external_id": name}]}
            ),
        )
    [found] = command("dlq", "list", "--external-id", "b", "--json").json
    assert found["external_ids"] == ["b"]
    assert "    b\n" in command("dlq", "list", "--external-id", "b").out


def test_purge_leaves_a_file_that_sends_it_all_again(
    stack: Deployed, command: Callable[..., Ran], tmp_path: Path
) -> None:
    attributes = {"raw": attribute(b"\x00\xff"), "ErrorCode": attribute("a sender's own")}
    bury(stack, "acc-1", attributes=attributes)
    path = tmp_path / "gone.jsonl"
    assert command("dlq", "purge", "--all", "--yes", "--output", str(path)).code == 0
    assert visible(stack, stack.dead_letter_queue_url) == 0
    assert path.stat().st_mode & 0o777 == 0o600
    assert command("send", "--exported", str(path)).code == 0
    [arrived] = stack.messages(stack.queue_url)
    assert arrived["Body"] == body("acc-1")
    assert arrived["MessageAttributes"] == attributes
    assert arrived["Attributes"]["MessageGroupId"] == "acc-1"


def test_nothing_is_purged_where_the_file_cannot_be_written(
    stack: Deployed, command: Callable[..., Ran], tmp_path: Path
) -> None:
    bury(stack, "acc-1")
    there = tmp_path / "there"
    there.write_text("mine")
    for path in (there, tmp_path / "no" / "folder"):
        assert command("dlq", "purge", "--all", "--yes", "--output", str(path)).code == 1
    assert there.read_text() == "mine"
    assert visible(stack, stack.dead_letter_queue_url) == 1


def test_export_writes_and_leaves_everything(
    stack: Deployed, command: Callable[..., Ran], tmp_path: Path
) -> None:
    for number in range(12):
        bury(stack, "acc-1", number=number)
    path = tmp_path / "letters.jsonl"
    ran = command("dlq", "export", "--all", "--output", str(path))
    assert (ran.code, ran.out) == (0, f"12 dead letters written to {path}\n")
    bodies = {json.loads(line)["body"] for line in path.read_text().splitlines()}
    assert bodies == {body("acc-1", number) for number in range(12)}
    assert visible(stack, stack.dead_letter_queue_url) == 12


def test_edit_sends_the_corrected_body_with_its_attributes(
    stack: Deployed, command: Callable[..., Ran], tmp_path: Path
) -> None:
    letter_id = bury(stack, "acc-1", attributes={"trace": attribute("t-1")})
    path = tmp_path / "body.json"
    path.write_text(body("acc-1") + "\n")
    assert command("dlq", "edit", letter_id, "--yes", "--body-file", str(path)).out == (
        "unchanged: nothing was sent\n"
    )
    path.write_text(body("acc-1", 7))
    ran = command("dlq", "edit", letter_id, "--yes", "--body-file", str(path))
    assert (ran.code, ran.out) == (0, "sent, and the dead letter removed\n")
    [arrived] = stack.messages(stack.queue_url)
    assert (arrived["Body"], arrived["MessageAttributes"]) == (body("acc-1", 7), {"trace": attribute("t-1")})
    assert visible(stack, stack.dead_letter_queue_url) == 0


def test_edit_sends_nothing_that_is_still_no_message(
    stack: Deployed, command: Callable[..., Ran], tmp_path: Path
) -> None:
    letter_id = bury(stack, "acc-1")
    path = tmp_path / "body.json"
    path.write_text("{")
    ran = command("dlq", "edit", letter_id, "--yes", "--body-file", str(path))
    assert ran.code == 2
    assert "this is still no message" in ran.err
    assert visible(stack, stack.dead_letter_queue_url) == 1


def test_an_edited_body_is_not_lost_where_it_cannot_be_sent(
    stack: Deployed, command: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter_id = bury(stack, "acc-1")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.StringIO(body("acc-1", 7) + "\n"))
    ran = command(
        "dlq", "edit", letter_id, "--yes", "--body-file", "-", "--queue-url", f"{stack.queue_url}-none"
    )
    assert (ran.code, ran.out) == (1, "the dead letter is still there\n")
    [kept] = tmp_path.glob("message-*.json")
    assert kept.read_text() == body("acc-1", 7)
    assert visible(stack, stack.dead_letter_queue_url) == 1


def test_results_as_json(stack: Deployed, command: Callable[..., Ran]) -> None:
    bury(stack, "acc-1")
    expected = {"selected": 1, "redriven": 1, "failed": {}, "left_behind": {}, "interrupted": False}
    assert command("dlq", "redrive", "--all", "--yes", "--json").json == expected


def test_a_reading_that_breaks_off_gives_back_what_it_holds(stack: Deployed) -> None:
    for number in range(15):
        bury(stack, "acc-1", number=number)

    def break_off() -> None:
        with Reading(stack.client("sqs"), stack.dead_letter_queue_url, wait_seconds=0) as reading:
            for _ in reading:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert visible(stack, stack.dead_letter_queue_url) == 15


def test_what_comes_again_while_it_is_held_is_handed_out_once(stack: Deployed) -> None:
    letter_id = bury(stack, "acc-1")
    reading = Reading(stack.client("sqs"), stack.dead_letter_queue_url, wait_seconds=0, hold_seconds=0)
    with reading:
        assert [letter.message_id for letter in reading] == [letter_id]


def test_a_giant_dead_letter_is_redriven_whole(stack: Deployed, command: Callable[..., Ran]) -> None:
    text = json.dumps({"instance_push_id": "acc-1", "external_resources": ["x" * 990_000]})
    for _ in range(2):
        stack.client("sqs").send_message(QueueUrl=stack.dead_letter_queue_url, MessageBody=text)
    assert command("dlq", "redrive", "--all", "--yes").code == 0
    assert [entry["Body"] for entry in stack.messages(stack.queue_url)] == [text, text]

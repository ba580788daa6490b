"""Following messages: from the queue to a ticket, back to the queue, or into the dead letters."""

import io
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from rich.text import Text

from push_content.outcomes.dead_letters import VERSION
from zendesk_push.dead_letters.dead_letter import ReceivedDeadLetter, received_dead_letter
from zendesk_push.local.display import PlainLines, open_display
from zendesk_push.local.event_source import BatchOutcome
from zendesk_push.local.tracker import MessageTracker, State, TrackedMessage


def dead(code: str | None, explanation: str = "") -> ReceivedDeadLetter:
    """A dead letter with a reason; without one it is SQS's own doing."""
    context = json.dumps({"v": VERSION, "message_id": "m"})
    texts = {"ErrorCode": code, "ErrorMessage": explanation, "RequestID": "r", "Context": context}
    attributes = {name: {"DataType": "String", "StringValue": text} for name, text in texts.items() if code}
    return received_dead_letter(
        {"MessageId": "d", "ReceiptHandle": "h", "Body": "x", "MessageAttributes": attributes}
    )


REASON = dead(
    "zendesk_400", "'#/a' is missing in schema file:///x.json#; '#/b' too in schema file:///x.json#"
)


class LookedUp:
    """What the tracker looks up."""

    def __init__(self) -> None:
        self.reasons: dict[str, ReceivedDeadLetter] = {}
        self.waiting: dict[str, str] = {}

    def dead_letters(self, message_ids: frozenset[str]) -> Mapping[str, ReceivedDeadLetter]:
        return {one: self.reasons[one] for one in self.reasons.keys() & message_ids}

    def waiting_reasons(self, message_ids: frozenset[str]) -> Mapping[str, str]:
        return {one: self.waiting[one] for one in self.waiting.keys() & message_ids}

    def account_name(self, instance_push_id: str) -> str:
        return f"name of {instance_push_id}"

    def tickets(self, instance_push_id: str, external_ids: Iterable[str]) -> tuple[int, ...]:
        base = {"p-1": 1000, "": 0}[instance_push_id]
        return tuple(base + len(external_id) for external_id in external_ids)


class Recorded:
    def __init__(self) -> None:
        self.world = LookedUp()
        self.steps: list[TrackedMessage] = []
        self.tracker = MessageTracker(self.world, self.steps.append)

    def message(self, message_id: str) -> TrackedMessage:
        [found] = [one for one in self.tracker.messages() if one.message_id == message_id]
        return found


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


def body(*external_ids: Any) -> str:
    resources = [{"external_id": one} for one in external_ids]
    return json.dumps({"instance_push_id": "p-1", "external_resources": resources})


def record(message_id: str, text: str = "", receive_count: int = 1) -> dict[str, Any]:
    return {
        "messageId": message_id,
        "body": text or body("e1"),
        "attributes": {"ApproximateReceiveCount": str(receive_count)},
    }


def outcome(
    *, deleted: Iterable[str] = (), left: Iterable[str] = (), error: str | None = None
) -> BatchOutcome:
    ids = [*deleted, *left]
    return BatchOutcome([record(one) for one in ids], frozenset(deleted), frozenset(left), error)


def test_a_message_goes_from_the_queue_to_its_tickets(recorded: Recorded) -> None:
    recorded.tracker.dropped("m", "A title", body("e1", "e22", "e3"))
    recorded.tracker.batch([record("m")])
    recorded.tracker.outcome(outcome(deleted=["m"]))

    assert [step.state for step in recorded.steps] == [State.QUEUED, State.PUSHING, State.DELIVERED]
    assert recorded.steps[-1].title == "A title"
    assert recorded.steps[-1].account == "name of p-1"
    assert recorded.steps[-1].outcome == "ticket #1002, #1003"


def test_a_message_that_is_left_waits_with_the_reason(recorded: Recorded) -> None:
    recorded.tracker.batch([record("m", receive_count=3)])
    recorded.tracker.outcome(outcome(left=["m"], error="ValueError: x"))

    assert recorded.message("m").state is State.WAITING
    assert recorded.message("m").outcome == "received 3 times, will be tried again (ValueError: x)"


def test_a_dead_letter_says_why_without_the_schema_s_address(recorded: Recorded) -> None:
    recorded.world.reasons["m"] = REASON
    recorded.tracker.batch([record("m"), record("n")])
    recorded.tracker.outcome(outcome(deleted=["m", "n"]))

    assert recorded.message("m").state is State.DEAD
    assert recorded.message("m").outcome == "zendesk_400: '#/a' is missing; '#/b' too"
    assert recorded.message("n").state is State.DELIVERED


def test_a_dead_letter_that_sqs_moved_has_the_name_the_tools_give_it(recorded: Recorded) -> None:
    recorded.world.reasons["m"] = dead(None)
    recorded.tracker.batch([record("m")])
    recorded.tracker.outcome(outcome(deleted=["m"]))

    assert recorded.message("m").outcome == "receive_count"


def test_a_function_that_is_faster_than_the_sender_loses_no_title(recorded: Recorded) -> None:
    recorded.tracker.batch([record("m")])
    recorded.tracker.outcome(outcome(deleted=["m"]))
    recorded.tracker.dropped("m", "A title", body("e1"))

    assert recorded.message("m").state is State.DELIVERED
    assert recorded.message("m").title == "A title"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (body("e1"), "e1"),
        (body("e1", "e2"), "e1 and 1 more"),
        (body(7), body(7)[:60]),
        ("not\njson", "not json"),
        ("[" * 100_000, "[" * 60),
        ("null", "null"),
    ],
)
def test_a_message_of_somebody_else_s_is_named_by_what_it_holds(
    recorded: Recorded, text: str, title: str
) -> None:
    recorded.tracker.batch([record("m", text)])

    assert recorded.message("m").title == title


def test_waiting_for_messages_ends_when_all_are_at_their_end(recorded: Recorded) -> None:
    recorded.tracker.batch([record("m"), record("n")])
    recorded.tracker.outcome(outcome(deleted=["m"]))

    assert recorded.tracker.wait_until(frozenset({"m"}), 0)
    assert not recorded.tracker.wait_until(frozenset({"m", "n"}), 0)
    assert not recorded.tracker.wait_until(frozenset({"unheard of"}), 0)


def test_the_oldest_that_are_at_their_end_make_room(recorded: Recorded) -> None:
    recorded.tracker.batch([record("waiting")])
    ids = [f"m{number}" for number in range(1_005)]
    recorded.tracker.batch([record(one) for one in ids])
    recorded.tracker.outcome(outcome(deleted=ids))

    kept = [message.message_id for message in recorded.tracker.messages()]
    assert len(kept) == 1_000
    assert kept[0] == "waiting"
    assert kept[-1] == ids[-1]


def test_elsewhere_than_on_a_terminal_each_step_is_a_line(recorded: Recorded) -> None:
    out = io.StringIO()
    display = open_display(recorded.tracker.messages, out)
    assert isinstance(display, PlainLines)
    recorded.tracker.dropped("m", "A [title]", body("e1"))
    recorded.tracker.outcome(outcome(deleted=["m"]))
    for step in recorded.steps:
        display.changed(step)
    display.note("and done")
    display.close()

    lines = [line.split("  ", 1)[1] for line in out.getvalue().splitlines()]
    assert lines == [
        "queued      [name of p-1] A [title]",
        "delivered   [name of p-1] A [title] -> ticket #1002",
        "and done",
    ]


def test_a_message_that_waits_says_why_as_far_as_it_is_known(recorded: Recorded) -> None:
    recorded.world.waiting["m"] = "throttled"
    recorded.tracker.batch([record("m"), record("n")])
    recorded.tracker.outcome(outcome(left=["m", "n"]))

    assert recorded.message("m").outcome == "received once, will be tried again (throttled)"
    assert recorded.message("n").outcome == "received once, will be tried again"

    recorded.tracker.outcome(outcome(deleted=["m"]))
    assert recorded.message("m").outcome == "ticket #1002"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_there_is_a_table(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal()
    display = open_display(recorded.tracker.messages, out)
    recorded.world.reasons["n"] = dead("invalid_message", "[red]not markup[/red]")
    recorded.tracker.batch([record("m"), record("n")])
    recorded.tracker.outcome(outcome(deleted=["m", "n"]))
    display.changed(recorded.steps[-1])
    display.note("something [bold]failed")
    display.close()
    display.note("the verdict")
    display.close()

    text = out.getvalue()
    assert text.rstrip().endswith("the verdict")
    assert "something [bold]failed" in text
    assert "ticket #1002" in text
    assert "[red]not" in text


EXPLANATION = "'#/external_resources/1/created_at' is none " * 9
UUID = "3cd1d2a5-aaf2-41fe-a9f1-519499605854"
DRAWN = re.compile(r"\x1b\[\d+F\x1b\[J")


def table_on(
    recorded: Recorded,
    monkeypatch: pytest.MonkeyPatch,
    columns: int = 80,
    lines: int = 24,
    messages: int = 40,
) -> list[str]:
    """The lines that are left on a terminal of that size."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("LINES", str(lines))
    out = Terminal()
    display = open_display(recorded.tracker.messages, out)
    recorded.world.reasons["m0"] = dead("zendesk_400", EXPLANATION)
    for number in range(messages):
        recorded.tracker.batch([record(f"m{number}", body(UUID))])
    recorded.tracker.outcome(outcome(deleted=[f"m{number}" for number in range(messages)]))
    for step in recorded.steps:
        display.changed(step)
    display.close()
    return Text.from_ansi(DRAWN.split(out.getvalue())[-1]).plain.splitlines()


def test_at_80_columns_each_message_is_a_line_with_its_whole_id(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = table_on(recorded, monkeypatch)
    rows = [line for line in lines if UUID in line]
    assert len(rows) == 20, "the newest that fit, not the oldest"
    assert all(len(line) <= 80 for line in lines)
    assert all("ticket #1036" in row for row in rows)
    assert lines[-1] == "39 delivered, 1 dead letter.  Ctrl-C stops"


@pytest.mark.parametrize("columns", [20, 40, 60, 200])
def test_no_width_breaks_a_line(recorded: Recorded, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    lines = table_on(recorded, monkeypatch, columns=columns, messages=3)
    assert len(lines) == 5  # head, rows, foot
    assert all(len(line) <= columns for line in lines)


def test_what_a_dead_letter_says_stands_above_the_table_in_full(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal()
    display = open_display(recorded.tracker.messages, out)
    recorded.world.reasons["m"] = dead("zendesk_400", EXPLANATION)
    recorded.tracker.batch([record("m")])
    recorded.tracker.outcome(outcome(deleted=["m"]))
    display.changed(recorded.steps[-1])
    display.close()
    assert f"zendesk_400: {EXPLANATION.strip()}\n" in out.getvalue()


def test_texts_are_shown_as_they_are(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal()
    display = open_display(recorded.tracker.messages, out)
    recorded.tracker.batch([record("m", body(":smile: [red]:100:"))])
    display.changed(recorded.steps[-1])
    display.note(":smile: \x1b[2J")
    display.close()
    assert out.getvalue().count(":smile:") >= 2
    assert ":smile: [red]:100:" in out.getvalue()
    assert "\x1b[2J" not in out.getvalue()


def test_a_terminal_that_can_t_draw_gets_lines(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(open_display(recorded.tracker.messages, Terminal()), PlainLines)

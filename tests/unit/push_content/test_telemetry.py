"""What the function says: every request and every death, and never a token or a message's text."""

import json
from typing import Any

import pytest

from push_content.outcomes.outcome import ErrorCode
from push_content.telemetry import METRICS, METRICS_BY_REASON
from worlds.messages import resource
from worlds.push_memory import PushWorld
from zendesk_channel.contract import InstancePushId, PushToken
from zendesk_push.simulator import Fault, FaultKind

TEXT = "text that nobody but Zendesk may see"


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    printed: list[dict[str, Any]] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return printed


def metrics(printed: list[dict[str, Any]]) -> dict[str, Any]:
    """Name or name/reason → sum."""
    found: dict[str, Any] = {}
    for line in printed:
        for block in line.get("_aws", {}).get("CloudWatchMetrics", []):
            assert block["Namespace"] == "ZendeskPush"
            for each in block["Metrics"]:
                name = each["Name"]
                assert METRICS[name].value == each["Unit"]
                by_reason = name in METRICS_BY_REASON
                assert block["Dimensions"] == [["service", "reason"] if by_reason else ["service"]]
                found[f"{name}/{line['reason']}" if by_reason else name] = sum(line[name])
    return found


def test_a_line_for_each_request_and_for_each_dead_letter(capsys: pytest.CaptureFixture[str]) -> None:
    world = PushWorld()
    account = world.connect("acme")
    good = world.drop(account, resource("1"), resource("2"), request_id="r-1")
    bad = world.drop(account, resource("", message=TEXT), request_id="r-1")
    world.invoke()

    printed = lines(capsys)
    requests = [line for line in printed if line.get("message") == "push request"]
    (dead,) = [line for line in printed if line.get("message") == "dead letter"]
    assert [line["status"] for line in requests] == [400, 200]
    assert [line["outcomes"] for line in requests] == [{"rejected": 1, "again": 1}, {"delivered": 1}]
    assert [line["message_ids"] for line in requests] == [[good, bad], [good]]
    assert requests[1]["results"] == {"success": 2}
    assert [line["external_ids"] for line in requests] == [[["1", "2"], [""]], [["1", "2"]]]
    assert [line["undelivered"] for line in requests] == [{"again": [good], "zendesk_400": [bad]}, {}]
    assert all(line["oldest_s"] == 0 for line in requests)
    for line in [*requests, dead]:
        assert (line["account"], line["subdomain"], line["request_id"]) == (account, "acme", "r-1")
        assert line["function_request_id"] == "lambda-1"
    assert all(line["duration_ms"] == 0 for line in requests)
    assert (dead["reason"], dead["message_ids"], dead["receive_count"]) == ("zendesk_400", [bad], 1)


def test_a_line_for_each_account_that_nothing_is_sent_for(capsys: pytest.CaptureFixture[str]) -> None:
    world = PushWorld()
    account = world.connect("acme")
    world.change(account, paused_until=world.clock() + 60, pause_reason="wrong_address")
    ids = [world.drop(account, resource("1")), world.drop(account, resource("2"))]
    unknown = world.drop("unknown", resource("1"))
    world.invoke()

    said = [line for line in lines(capsys) if line.get("message") == "not sent"]
    assert [(line["account"], line["reason"], line["message_ids"]) for line in said] == [
        (account, "wrong_address", ids),
        ("unknown", "unknown_account", [unknown]),
    ]


def test_what_waits_behind_another_in_its_conversation_has_its_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    world = PushWorld()
    account = world.connect("acme")
    world.zendesk.switch_on(Fault(FaultKind.PROCESSING_ERROR, external_id="1"))
    first = world.drop(account, resource("1", thread_id="t"))
    behind = world.drop(account, resource("2", thread_id="t"))
    world.invoke()

    told: dict[str, str] = {}
    for line in lines(capsys):
        for reason, those in line.get("undelivered", {}).items():
            told |= dict.fromkeys(those, reason)
        if line.get("message") == "not sent":
            told |= dict.fromkeys(line["message_ids"], line["reason"])
    assert told == {first: "processing_error", behind: "processing_error"}


def test_a_line_fits_into_cloudwatch_however_much_is_not_sent(capsys: pytest.CaptureFixture[str]) -> None:
    world = PushWorld()
    ids = [
        world.drop("unknown", *(resource("\U0001f600" * 200) for _ in range(4)), request_id=str(number))
        for number in range(600)
    ]
    world.invoke()
    printed = capsys.readouterr().out.splitlines()
    assert max(map(len, printed)) < 256 * 1024
    said = [line for line in map(json.loads, printed) if line.get("message") == "not sent"]
    assert [one for line in said for one in line["message_ids"]] == ids


def test_the_largest_request_is_one_line_that_cloudwatch_takes(capsys: pytest.CaptureFixture[str]) -> None:
    world = PushWorld()
    account = world.connect("acme")
    for number in range(256):
        world.drop(account, resource(f"{number}" + "\U0001f600" * 500))
    world.invoke()
    assert max(map(len, capsys.readouterr().out.splitlines())) < 256 * 1024


def test_what_has_an_alarm_of_its_own_is_not_late_besides(capsys: pytest.CaptureFixture[str]) -> None:
    world = PushWorld()
    refused, unknown = world.connect("acme"), "unknown"
    world.zendesk.rotate_token(refused)
    world.drop(refused, resource("1"))
    world.clock.advance(50)
    world.drop(unknown, resource("1"))
    world.clock.advance(5)
    world.invoke()
    assert metrics(lines(capsys))["OldestRetriedMessageAge"] == 5


def test_what_is_not_sent_behind_a_failure_has_its_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    """Or nobody could say why it waits."""
    world = PushWorld()
    account = world.connect("acme")
    world.zendesk.switch_on(Fault(FaultKind.STATUS, status=500))
    ids = [world.drop(account, resource(str(number)), request_id=str(number)) for number in range(3)]
    world.invoke()

    told: dict[str, str] = {}
    for line in lines(capsys):
        if line.get("message") == "push request":
            told |= {one: reason for reason, those in line["undelivered"].items() for one in those}
        elif line.get("message") == "not sent":
            told |= dict.fromkeys(line["message_ids"], line["reason"])
    assert told == dict.fromkeys(ids, "unavailable")


def test_metrics_of_a_mixed_day(capsys: pytest.CaptureFixture[str]) -> None:
    world = PushWorld()
    account = world.connect("acme")
    refused, wrong, throttled = (world.connect(name) for name in ("refused", "wrong", "throttled"))
    world.zendesk.rotate_token(refused)
    world.zendesk.switch_on(Fault(FaultKind.NOT_FOUND, subdomain="wrong"))
    world.zendesk.switch_on(Fault(FaultKind.THROTTLED, subdomain="throttled"))
    world.drop(account, resource("1"), resource("2"))
    world.invoke()
    world.drop(account, resource("2"), resource("3"))
    world.send("not JSON")
    world.drop("unknown", resource("1"))
    world.clock.advance(5)
    for key in (refused, wrong, throttled):
        world.drop(key, resource("1"))
    capsys.readouterr()
    world.invoke()

    found = metrics(lines(capsys))
    assert found.pop("PushLatency") == 0
    assert found == {
        "ResourcesPushed": 1,
        "ResourcesAlreadyImported": 1,
        "PushRequests": 4,
        "Throttled": 1,
        "CredentialsRefused": 1,
        "WrongAddress": 1,
        "MessagesDelivered": 1,
        "OldestRetriedMessageAge": 5,
        "MessagesRetried/unknown_account": 1,
        "MessagesRetried/unauthorized": 1,
        "MessagesRetried/wrong_address": 1,
        "MessagesRetried/throttled": 1,
        "MessagesDeadLettered/invalid_message": 1,
    }


def test_an_invocation_without_anything_to_say_of_pushes_still_flushes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    world = PushWorld()
    world.send("not JSON")
    world.invoke()

    assert metrics(lines(capsys)) == {"MessagesDeadLettered/invalid_message": 1}


@pytest.mark.parametrize("requests", [99, 100, 101, 250])
def test_any_number_of_latencies_is_printed(capsys: pytest.CaptureFixture[str], requests: int) -> None:
    """Powertools prints by itself at a hundred values, and warns when it has nothing to print."""
    world = PushWorld(MAX_RESOURCES_PER_REQUEST="1", RATE_LIMIT_RESERVE_PERCENT="0")
    account = world.connect("acme")
    for number in range(requests):
        world.drop(account, resource(str(number)))
    world.invoke()

    printed = [line for line in lines(capsys) if "PushLatency" in line]
    assert sum(len(line["PushLatency"]) for line in printed) == requests


def test_neither_tokens_nor_messages_are_in_any_line(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    world = PushWorld(LOG_LEVEL="DEBUG", RETRY_WINDOW_SECONDS="3000")
    tokens = []
    accounts = [world.connect(name) for name in ("acme", "globex", "initech", "umbrella")]
    for account in accounts:
        tokens.append(world.zendesk.accounts.get(account).token)
        for value in (resource("1", message=TEXT), resource("", message=TEXT), TEXT, {TEXT: TEXT}):
            world.drop(account, value)
        world.send(TEXT)
        world.send(f'{{"instance_push_id": "{account}", "external_resources": "{TEXT}"}}')
    world.zendesk.switch_on(Fault(FaultKind.PROCESSING_ERROR, subdomain="acme", description=TEXT))
    world.zendesk.switch_on(Fault(FaultKind.SERVER_ERROR, subdomain="globex", body=TEXT))
    tokens.append(world.zendesk.rotate_token(accounts[2]))
    pending = PushToken("pending-token-0123456789")
    tokens.append(pending.reveal())
    version = world.credentials.store(InstancePushId(accounts[2]), pending, pending=True)
    world.change(accounts[2], pending_version=version, pending_since=world.clock())
    world.client.spill = "umbrella"
    world.surprises_expected = True
    for _ in range(12):
        world.invoke()
        world.clock.advance(1000)

    assert world.waits() == {}
    said = capsys.readouterr()
    everything = said.out + said.err + caplog.text + repr([vars(record) for record in caplog.records])
    assert "push request" in everything
    assert "dead letter" in everything
    assert TEXT not in everything
    assert not [token for token in tokens if token and token in everything]
    assert not [token for token in tokens if token and token in repr(world.dead())]


def test_every_metric_by_reason_has_a_unit_and_reasons_are_a_closed_list() -> None:
    assert set(METRICS_BY_REASON) <= set(METRICS)
    assert len(ErrorCode) == 13


def test_a_request_id_that_has_no_utf_8_is_printed_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    world = PushWorld()
    account = world.connect()
    world.send(f'{{"instance_push_id": "{account}", "request_id": "\\ud800", "external_resources": [1]}}')
    world.invoke()

    said = capsys.readouterr()
    assert said.out.count('"request_id":"\\ud800"') == 2
    assert said.err == ""


def test_an_account_becomes_unreachable_once(capsys: pytest.CaptureFixture[str]) -> None:
    """An alarm reads it: each further try would ring again."""
    world = PushWorld()
    world.drop(world.connect("acme"), resource("1"))
    world.zendesk.switch_on(Fault(FaultKind.NOT_FOUND))
    for _ in range(3):
        world.invoke()
        world.clock.advance(100)

    assert [line["WrongAddress"] for line in lines(capsys) if "WrongAddress" in line] == [[1]]

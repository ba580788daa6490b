"""The commands beside a running ``zendesk-push local``, which they find by themselves."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from worlds.running_local import SECONDS, RunningLocal, running_local
from zendesk_push.simulator.admin_center import connect_account


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLocal]:
    with running_local(tmp_path_factory.mktemp("runtime")) as local:
        yield local


def test_a_message_is_followed_to_its_ticket(local: RunningLocal) -> None:
    ran = local.run("send", "--to", "acme", "--message", "Hello", "--check", "--wait", "60s")
    assert ran.code == 0, ran.err
    line, summary = ran.out.splitlines()
    found = re.fullmatch(r"(\S+)  (\S+)  ticket #(\d+)", line)
    assert found, line
    assert summary == "1 of 1 message sent"
    assert "local stack at http://" in ran.err
    message_id, external_id, ticket = found.groups()
    for asked in (message_id, external_id):
        traced = local.run("trace", asked, "--json")
        assert traced.code == 0, traced.err
        [message] = traced.json["messages"]
        assert (message["message_id"], message["state"]) == (message_id, "delivered")
        assert traced.json["tickets"] == {external_id: [int(ticket)]}
    assert (
        local.run("trace", external_id).out.splitlines()[-1] == f"{message_id}  delivered: ticket #{ticket}"
    )


def test_a_refusal_is_told_in_zendesks_words(local: RunningLocal, tmp_path: Path) -> None:
    path = tmp_path / "message.json"
    path.write_text('{"external_resources": [{"external_id": "bad-1"}]}')
    ran = local.run("send", str(path), "--to", "globex", "--wait", "60s")
    assert ran.code == 1
    assert "refused: zendesk_400: The property '#/external_resources/0' did not contain" in ran.out
    traced = local.run("trace", "bad-1")
    assert traced.code == 1
    assert "dead letter: zendesk_400, after 1 receipts" in traced.out
    assert local.run("dlq", "list", "--external-id", "bad-1", "--json").json[0]["reason"] == "zendesk_400"


def test_status_says_what_waits_and_why(local: RunningLocal) -> None:
    local.fault(kind="server_error", subdomain="globex")
    sent = local.run("send", "--to", "globex", "--message", "waits", "--json").json
    assert local.run("accounts", "pause", "acme").code == 0
    deadline = time.monotonic() + SECONDS
    waiting: list[Any] = []
    while not waiting and time.monotonic() < deadline:
        status = local.run("status", "--json").json
        waiting = [group for group in status["waiting"] if group["reason"] == "unavailable"]
    assert [(group["subdomain"], group["messages"]) for group in waiting] == [("globex", 1)]
    assert any("paused by an operator: acme" in need["what"] for need in status["needs_a_person"])
    assert local.run("status").code == 1
    assert local.run("trace", sent[0]["message_id"], "--json").json["messages"][0]["reason"] == "unavailable"
    assert local.run("trace", sent[0]["external_ids"][0]).code == 0
    assert "waits: unavailable" in local.run("trace", sent[0]["external_ids"][0]).out
    assert local.run("accounts", "resume", "acme").code == 0


def test_nothing_is_delivered_to_an_address_that_a_customer_has_left(local: RunningLocal) -> None:
    zendesk_url = local.ready["zendesk_url"]
    account = connect_account(zendesk_url, "moving", "Moving").instance_push_id
    renaming = {"rename": "moving", "to": "moved"}
    assert urllib3.request("POST", f"{zendesk_url}/simulator/subdomains", json=renaming).status == 200
    ran = local.run("send", "--to", account, "--message", "too late", "--json")
    assert ran.code == 0, ran.err
    deadline = time.monotonic() + SECONDS
    reason = ""
    while not reason and time.monotonic() < deadline:
        [message] = local.run("trace", ran.json[0]["message_id"], "--json").json.get("messages") or [{}]
        assert message.get("state") != "delivered"
        reason = message.get("reason") or ""
    assert reason == "wrong_address"


def test_what_nobody_knows_is_said(local: RunningLocal) -> None:
    ran = local.run("trace", "never-sent")
    assert (ran.code, ran.out) == (1, "")
    assert "nothing is known of never-sent" in ran.err


def test_zendesk_is_asked_about_a_token_by_the_function_that_reads_it(local: RunningLocal) -> None:
    ran = local.run("accounts", "revalidate", "acme")
    assert (ran.code, ran.err.count("\n")) == (0, 1), ran.err
    assert ran.out.endswith(": Zendesk says: confirmed\n")

"""Push without sockets: what becomes of resources, and who is refused how."""

from __future__ import annotations

import json
from typing import Any

import pytest

from unit.simulator.worlds import SimulatorWorld, codes, messages, resource


def test_resources_become_tickets_and_comments(world: SimulatorWorld) -> None:
    answer = world.push(resource("1"), resource("2", parent_id="1"), resource("3"), request_id="r")
    assert codes(answer) == ["success"] * 3
    first, second, third = (world.zendesk.ticket_of("account-1", each) for each in "123")
    assert first is second is not third
    assert first is not None
    assert [comment.external_id for comment in first.comments] == ["1", "2"]
    assert first.subject == "Text of 1"
    assert answer.headers[-2:] == (("X-Rate-Limit", "700"), ("X-Rate-Limit-Remaining", "699"))


def test_results_come_in_the_order_of_the_resources(world: SimulatorWorld) -> None:
    answer = world.push(*(resource(str(index)) for index in range(256)))
    results = json.loads(answer.body)["results"]
    assert [result["external_resource_id"] for result in results] == [str(index) for index in range(256)]


def test_a_repeat_makes_no_second_ticket(world: SimulatorWorld) -> None:
    world.push(resource("1"))
    assert codes(world.push(resource("1"), resource("1", message="other"), resource("2"), resource("2"))) == [
        "already_imported",
        "already_imported",
        "success",
        "already_imported",
    ]
    assert len(list(world.zendesk.tickets)) == 2


def test_an_unknown_parent_halts_what_follows(world: SimulatorWorld) -> None:
    answer = world.push(resource("1"), resource("2", parent_id="later"), resource("3"), resource("1"))
    assert json.loads(answer.body)["results"] == [
        {"external_resource_id": "1", "status": {"code": "success"}},
        {
            "external_resource_id": "2",
            "status": {"code": "could_not_locate_parent_external_resource", "description": "later"},
        },
        {"external_resource_id": "3", "status": {"code": "halted"}},
        {"external_resource_id": "1", "status": {"code": "halted"}},
    ]
    assert world.zendesk.ticket_of("account-1", "3") is None
    assert codes(world.push(resource("later"), resource("2", parent_id="later"))) == ["success", "success"]


def test_a_thread_is_one_ticket(world: SimulatorWorld) -> None:
    world.push(resource("1", thread_id="t"), resource("2", thread_id="u"), resource("3", thread_id="t"))
    assert world.zendesk.ticket_of("account-1", "1") is world.zendesk.ticket_of("account-1", "3")
    assert world.zendesk.ticket_of("account-1", "1") is not world.zendesk.ticket_of("account-1", "2")


def test_external_ids_are_each_accounts_own(world: SimulatorWorld) -> None:
    other = world.zendesk.create_account("acme")
    world.push(resource("1"))
    assert codes(world.push(resource("1"), account=other)) == ["success"]
    assert codes(world.push(resource("2", parent_id="1"), account=other)) == ["success"]
    assert world.zendesk.ticket_of("account-1", "1") is not world.zendesk.ticket_of("account-2", "1")


def test_a_reply_to_a_closed_ticket_opens_a_follow_up(world: SimulatorWorld) -> None:
    world.push(resource("1"))
    ticket = world.zendesk.ticket_of("account-1", "1")
    assert ticket is not None
    world.zendesk.close_ticket(ticket.id)
    world.push(resource("2", parent_id="1"), request_id="r")
    follow_up = world.zendesk.ticket_of("account-1", "2")
    assert follow_up is not None
    assert follow_up.follow_up_of == ticket.id
    [event] = world.zendesk.events.log[-1]["data"]["resource_events"]
    assert (event["type_id"], event["ticket_id"], event["follow_up_ticket_id"]) == (
        "comment_on_follow_up_ticket",
        ticket.id,
        follow_up.id,
    )


def test_created_resources_are_reported_once(world: SimulatorWorld) -> None:
    world.push(resource("1"), resource("2", parent_id="1"), resource("3", parent_id="?"), request_id="r-7")
    world.push(resource("1"), request_id="r-8")
    [event] = world.zendesk.events.log
    assert event["type_id"] == "resources_created_from_external_ids"
    assert (event["subdomain"], event["timestamp"]) == ("acme", "2025-11-24T16:00:00Z")
    assert event["data"]["request_id"] == "r-7"
    assert [(each["type_id"], each["external_id"]) for each in event["data"]["resource_events"]] == [
        ("comment_on_new_ticket", "1"),
        ("comment_on_existing_ticket", "2"),
    ]


def test_one_bad_resource_refuses_the_request(world: SimulatorWorld) -> None:
    [message] = messages(world.push(resource("1"), resource("")))
    assert message.startswith("The property '#/external_resources/1/external_id'")
    assert list(world.zendesk.tickets) == []


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[NaN]", b"[" * 50_000])
def test_unparsable_bodies_are_a_400_of_another_shape(world: SimulatorWorld, body: bytes) -> None:
    answer = world.zendesk.push(None, f"Bearer {world.account.token}", body)
    assert answer.status == 400
    assert not isinstance(json.loads(answer.body)["error"]["message"], list)


def test_null_is_json_but_no_object(world: SimulatorWorld) -> None:
    answer = world.zendesk.push(None, f"Bearer {world.account.token}", b"null")
    assert messages(answer)[0].startswith("The property '#/' of type null did not match")


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer ", "Bearer unknown", "Basic {token}", "{token}"]
)
def test_401_without_a_good_token(world: SimulatorWorld, authorization: str | None) -> None:
    header = authorization and authorization.format(token=world.account.token)
    answer = world.zendesk.push(None, header, b"{}")
    assert answer.status == 401
    assert json.loads(answer.body)["error"] == "invalid_token"


def test_403_for_another_accounts_id(world: SimulatorWorld) -> None:
    other = world.zendesk.create_account("acme")
    assert world.push(resource("1"), instance_push_id=other.instance_push_id).status == 403
    assert world.push(resource("1"), instance_push_id="nobody").status == 403
    assert world.validate(world.account.token, other.instance_push_id).status == 403


def test_a_host_serves_its_own_subdomain_only(world: SimulatorWorld) -> None:
    stranger = world.zendesk.create_account("globex")
    assert world.push(resource("1"), host="acme").status == 200
    assert world.push(resource("1"), host="globex").status == 401
    assert world.push(resource("1"), host="acme", account=stranger).status == 401
    answer = world.push(resource("1"), host="nobody")
    assert answer.status == 404
    assert answer.body.startswith(b"<html>")


def test_413_above_the_limit() -> None:
    small = SimulatorWorld(max_body_bytes=1_000)
    assert small.push(resource("1")).status == 200
    assert small.push(resource("2", message="x" * 1_000)).status == 413
    assert small.zendesk.ticket_of("account-1", "2") is None


def test_a_renamed_subdomain_stops_at_once(world: SimulatorWorld) -> None:
    world.zendesk.accounts.rename_subdomain("acme", "acme-new")
    assert world.push(resource("1"), host="acme").status == 404
    assert world.push(resource("1")).status == 404, "a client that was told of no other address"
    assert world.push(resource("1"), host="acme-new").status == 200
    with pytest.raises(ValueError, match="acme"):
        world.zendesk.accounts.rename_subdomain("acme", "other")


def test_the_rate_limit_is_shared_by_a_subdomains_accounts_and_ends_with_the_minute() -> None:
    world = SimulatorWorld(rate_limit=3)
    other = world.zendesk.create_account("acme")
    elsewhere = world.zendesk.create_account("globex")
    world.now += 10.5
    assert world.push(resource("1")).status == 200
    assert world.push(resource("2"), account=other).status == 200
    assert world.validate(world.account.token, "account-1").status == 200
    answer = world.push(resource("3"))
    assert answer.status == 429
    assert dict(answer.headers) == {
        "Content-Type": "text/plain; charset=utf-8",
        "Retry-After": "50",
        "X-Rate-Limit": "3",
        "X-Rate-Limit-Remaining": "0",
    }
    assert world.push(resource("1"), account=elsewhere).status == 200
    world.now += 49.5
    answer = world.push(resource("3"))
    assert (answer.status, answer.headers[-1]) == (200, ("X-Rate-Limit-Remaining", "2"))


def test_other_integrations_use_up_the_quota(world: SimulatorWorld) -> None:
    world.zendesk.rate_limits.leave("acme", 1, world.now)
    assert world.push(resource("1")).headers[-1] == ("X-Rate-Limit-Remaining", "0")
    assert world.push(resource("2")).status == 429


def test_every_request_is_recorded_with_its_bytes(world: SimulatorWorld) -> None:
    raw = b'{"instance_push_id": "account-1", "external_resources": [ {"a":1e400} ]}'
    world.zendesk.push("acme", f"Bearer {world.account.token}", raw, NOW, headers=[("X-Trace", "7")])
    [request] = world.zendesk.requests
    assert (request.endpoint, request.subdomain, request.instance_push_id) == ("push", "acme", "account-1")
    assert (request.body, request.at, request.headers) == (raw, NOW, (("X-Trace", "7"),))
    assert (request.status, request.outcome, request.resources) == (400, "answered", 1)
    assert json.loads(json.dumps(request.as_json()))["body"] == raw.decode()


NOW = 1_800_000_000.0


def test_recorded_results_are_those_of_the_import(world: SimulatorWorld) -> None:
    world.push(resource("1"), resource("2"), resource("3", parent_id="?"))
    assert world.zendesk.requests[-1].summary == "2 success, 1 could_not_locate_parent_external_resource"


def test_what_is_stored_is_the_resource_as_it_came(world: SimulatorWorld) -> None:
    sent: dict[str, Any] = resource("1", html_message="<b>x</b>", custom={"deep": [1, None]})
    world.push(sent)
    ticket = world.zendesk.ticket_of("account-1", "1")
    assert ticket is not None
    assert ticket.comments[0].resource == sent


def test_reset_forgets_everything(world: SimulatorWorld) -> None:
    world.push(resource("1"))
    world.zendesk.reset()
    assert world.zendesk.requests == []
    assert not any([*world.zendesk.tickets, *world.zendesk.accounts, *world.zendesk.events.log])
    assert world.push(resource("1")).status == 401

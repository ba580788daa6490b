"""Agents' answers: the box on a ticket's page, what goes to the integration, and what the agent sees of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from integration.simulator.client import Client, codes, push_body
from zendesk_push.simulator import Fault, FaultKind, Simulator
from zendesk_push.simulator.agent_replies import AgentReply, ReplyState
from zendesk_push.simulator.agent_workspace import AnswerError, answer_ticket

if TYPE_CHECKING:
    from integration.simulator.example_integration import ExampleIntegration

METADATA = '{"of": "acme"}'


class Desk:
    """A ticket whose customer may be answered, and the agent at it."""

    def __init__(self, zendesk: Simulator, integration: ExampleIntegration, client: Client) -> None:
        self.zendesk, self.integration, self.client = zendesk, integration, client
        integration.manifest["urls"]["channelback_url"] = f"{integration.url}/channelback"
        client.account.metadata = METADATA
        self.push("question-1", thread_id="thread-1")
        ticket = zendesk.core.ticket_of(client.account.instance_push_id, "question-1")
        assert ticket is not None
        self.ticket = ticket

    def push(self, external_id: str, **resource: Any) -> list[str]:
        body = push_body(self.client.account, external_id)
        body["external_resources"][0] |= {"allow_channelback": True, **resource}
        return codes(self.client.post("/api/v2/any_channel/push.json", body))

    def answer(self, text: str = "Hello Ann") -> AgentReply:
        answer_ticket(self.zendesk.url, self.ticket.id, text)
        return self.ticket.replies[-1]

    @property
    def page(self) -> str:
        response = self.client.get(f"/tickets/{self.ticket.id}")
        assert response.status == 200
        return response.data.decode()


@pytest.fixture
def desk(zendesk: Simulator, integration: ExampleIntegration, client: Client) -> Desk:
    return Desk(zendesk, integration, client)


def test_what_zendesk_sends(desk: Desk) -> None:
    reply = desk.answer("Hello Ann,\nall good 🙂 & <b>")
    assert (reply.state, reply.external_id, reply.attempts) == (ReplyState.SENT, "reply-1", 1)
    [form] = desk.integration.channelbacks
    assert dict(form) == {
        "message": "Hello Ann,\nall good 🙂 & <b>",
        "parent_id": "question-1",
        "recipient_id": "author-1",
        "metadata": METADATA,
        "request_unique_identifier": reply.request_unique_identifier,
        "thread_id": "thread-1",
    }
    assert "all good 🙂 &amp; &lt;b&gt;" in desk.page
    assert ">sent<" in desk.page


def test_the_newest_that_allows_an_answer_is_answered(desk: Desk) -> None:
    desk.push("question-2", parent_id="question-1")
    desk.push("note-1", parent_id="question-2", allow_channelback=False)
    assert desk.answer().parent_id == "question-2"


def test_there_is_no_box_where_nothing_allows_an_answer(desk: Desk) -> None:
    desk.push("other", allow_channelback=False)
    other = desk.zendesk.core.ticket_of(desk.client.account.instance_push_id, "other")
    assert other is not None
    with pytest.raises(AnswerError, match="no box"):
        answer_ticket(desk.zendesk.url, other.id, "Hello")
    desk.zendesk.core.close_ticket(desk.ticket.id)
    with pytest.raises(AnswerError, match="no box"):
        desk.answer()


def test_content_may_name_an_answer_as_its_parent(desk: Desk) -> None:
    desk.answer()
    assert desk.push("question-2", parent_id="reply-1") == ["success"]
    assert [comment.external_id for comment in desk.ticket.comments] == ["question-1", "question-2"]
    assert desk.push("reply-1") == ["already_imported"]
    [event] = [
        each
        for event in desk.zendesk.core.events.log
        for each in event["data"].get("resource_events", [])
        if each["type_id"] == "external_id_associated_with_channelback"
    ]
    assert (event["external_id"], event["ticket_id"]) == ("reply-1", desk.ticket.id)


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (503, "{}", "answered with status 503"),
        (403, "{}", "answered with status 403"),
        (302, "", "answered with status 302"),
        (200, "<html>", "is not JSON"),
        (200, "[]", "has no external_id"),
        (200, '{"external_id": 1}', "has no external_id"),
        (200, '{"external_id": "r"}', "does not say allow_channelback"),
    ],
)
def test_an_agent_sees_why_it_failed_and_tries_again(desk: Desk, status: int, body: str, why: str) -> None:
    good = desk.integration.channelback_status, desk.integration.channelback_body
    desk.integration.channelback_status, desk.integration.channelback_body = status, body
    reply = desk.answer()
    assert (reply.state, reply.external_id) == (ReplyState.FAILED, None)
    assert why in reply.why
    assert why in desk.page
    assert "Try again" in desk.page

    desk.integration.channelback_status, desk.integration.channelback_body = good
    again = desk.client.pool.request(
        "POST", f"/tickets/{desk.ticket.id}/answers/{reply.id}/repeat", redirect=False
    )
    assert again.status == 303
    assert (reply.state, reply.why, reply.attempts) == (ReplyState.SENT, "", 2)
    first, second = desk.integration.channelbacks
    assert first == second


def test_an_integration_without_a_channelback_url_takes_no_answers(desk: Desk) -> None:
    del desk.integration.manifest["urls"]["channelback_url"]
    assert "has no channelback_url" in desk.answer().why
    assert desk.integration.channelbacks == []


def test_an_integration_that_is_gone(desk: Desk) -> None:
    desk.integration.manifest["urls"]["channelback_url"] = "http://127.0.0.1:1/channelback"
    assert "can't be reached" in desk.answer().why


@pytest.mark.parametrize(
    ("kind", "state", "sent"),
    [
        (FaultKind.DROP_CONNECTION, ReplyState.FAILED, 0),
        (FaultKind.REPLY_LOST, ReplyState.FAILED, 1),
        (FaultKind.REPEATED, ReplyState.SENT, 2),
    ],
)
def test_faults(desk: Desk, kind: FaultKind, state: ReplyState, sent: int) -> None:
    desk.zendesk.core.switch_on(Fault(kind, endpoint="channelback", count=1))
    reply = desk.answer()
    assert reply.state is state
    assert len(desk.integration.channelbacks) == sent
    assert desk.answer("And again").state is ReplyState.SENT


def test_a_forged_one_has_no_accounts_metadata(desk: Desk) -> None:
    desk.zendesk.core.switch_on(Fault(FaultKind.FORGED, endpoint="channelback"))
    desk.answer()
    assert dict(desk.integration.channelbacks[0])["metadata"] == "{}"


def test_by_the_control_api(desk: Desk) -> None:
    text = "x" * 65_535
    reply = desk.client.control("POST", f"tickets/{desk.ticket.id}/answers", {"message": text})
    assert (reply["state"], reply["external_id"]) == ("sent", "reply-1")
    again = desk.client.control("POST", f"tickets/{desk.ticket.id}/answers/{reply['id']}/repeat")
    assert again == {**reply, "attempts": 2}
    [ticket] = desk.client.control("GET", "tickets")["tickets"]
    assert ticket["answers"] == [again]
    desk.client.control("POST", f"tickets/{desk.ticket.id}/answers", {"message": "\ud83d alone"})
    assert dict(desk.integration.channelbacks[-1])["message"] == "\ud83d alone"
    requests = desk.client.control("GET", "requests?endpoint=channelback")["requests"]
    assert [request["status"] for request in requests] == [200, 200, 200]


@pytest.mark.parametrize("message", ["", "  ", "x" * 65_536])
def test_what_is_no_answer_is_refused(desk: Desk, message: str) -> None:
    path = f"/simulator/tickets/{desk.ticket.id}/answers"
    assert desk.client.post(path, {"message": message}).status == 409
    with pytest.raises(AnswerError, match="takes no answer"):
        answer_ticket(desk.zendesk.url, desk.ticket.id, message)
    assert desk.integration.channelbacks == []


def test_an_account_that_is_switched_off_takes_no_answers(desk: Desk) -> None:
    desk.zendesk.core.deactivate(desk.client.account.instance_push_id)
    with pytest.raises(AnswerError):
        desk.answer()


def test_a_page_of_another_origin_answers_nothing(desk: Desk) -> None:
    for path in ("answers", "answers/1/repeat"):
        response = desk.client.pool.request(
            "POST", f"/tickets/{desk.ticket.id}/{path}", headers={"Origin": "https://evil.example"}
        )
        assert response.status == 403
    assert desk.client.pool.request("POST", "/tickets/99/answers").status == 404
    assert desk.client.pool.request("POST", f"/tickets/{desk.ticket.id}/answers/99/repeat").status == 404

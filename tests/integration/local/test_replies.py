"""With Replies: from the agent's box on the simulator's page through the real function to the queue."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from zendesk_push.local.sample_reply import ANSWERED, TEXT, SampleReply
from zendesk_push.local.stack import LocalStack
from zendesk_push.simulator import Fault, FaultKind, Simulator
from zendesk_push.simulator.admin_center import connect_account
from zendesk_push.simulator.agent_replies import AgentReply, ReplyState
from zendesk_push.simulator.agent_workspace import answer_ticket


class LocalDesk:
    """The real stack, one account, one ticket in which agents may answer."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        assert stack.simulator is not None
        self.zendesk: Simulator = stack.simulator
        self.account = connect_account(stack.zendesk_url, "acme", "Acme")
        core = self.zendesk.core
        resource = {
            "external_id": ANSWERED,
            "message": "Where is my order?",
            "author": {"external_id": "customer-88", "name": "Mira"},
            "created_at": "2026-01-12T09:26:14Z",
            "allow_channelback": True,
        }
        account = core.accounts.get(self.account.instance_push_id)
        core.tickets.import_resource(account, resource, None, core.clock())
        ticket = core.ticket_of(self.account.instance_push_id, ANSWERED)
        assert ticket is not None
        self.ticket = ticket

    def answer(self, text: str) -> AgentReply:
        answer_ticket(self.stack.zendesk_url, self.ticket.id, text)
        return self.ticket.replies[-1]

    def queued(self) -> list[dict[str, Any]]:
        """What is on the queue, taken off it."""
        sqs, url = self.stack.client("sqs"), self.stack.replies_queue_url
        found = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0).get(
            "Messages"
        ):
            for message in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                found.append(json.loads(message["Body"]))
        return found


@pytest.fixture(scope="module")
def running() -> Iterator[LocalDesk]:
    with LocalStack(parameters={"Replies": "enabled"}) as stack:
        yield LocalDesk(stack)


@pytest.fixture
def desk(running: LocalDesk) -> LocalDesk:
    running.zendesk.core.switch_off()
    running.queued()
    return running


def test_the_sample(desk: LocalDesk) -> None:
    line, differences = SampleReply(desk.stack, desk.account.instance_push_id).answer()
    assert differences == []
    [reply] = desk.queued()
    assert reply["external_id"] in line
    assert reply["message"] == TEXT


def test_the_ready_file_names_the_queue(desk: LocalDesk) -> None:
    assert desk.stack.addresses()["replies_queue_url"] == desk.stack.replies_queue_url


@pytest.mark.parametrize("message", ["😀" * 65_535, "one\n\ttwo \x00\x0b\ufffe\x85 é é 100% + & =", "null"])
def test_what_the_agent_wrote_is_on_the_queue(desk: LocalDesk, message: str) -> None:
    assert desk.answer(message).state is ReplyState.SENT
    assert [reply["message"] for reply in desk.queued()] == [message]


def test_a_request_that_zendesk_sends_twice_at_once_is_one_message(desk: LocalDesk) -> None:
    desk.zendesk.core.switch_on(Fault(FaultKind.REPEATED, endpoint="channelback"))
    reply = desk.answer("Twice")
    assert reply.state is ReplyState.SENT
    assert [queued["external_id"] for queued in desk.queued()] == [reply.external_id]


def test_an_answer_that_is_lost_and_repeated_is_one_message(desk: LocalDesk) -> None:
    desk.zendesk.core.switch_on(Fault(FaultKind.REPLY_LOST, endpoint="channelback", count=1))
    reply = desk.answer("Lost")
    assert reply.state is ReplyState.FAILED
    desk.zendesk.channelbacks.send(reply)
    assert (reply.state, reply.attempts) == (ReplyState.SENT, 2)
    assert [queued["external_id"] for queued in desk.queued()] == [reply.external_id]


def test_a_forged_one_is_refused(desk: LocalDesk) -> None:
    desk.zendesk.core.switch_on(Fault(FaultKind.FORGED, endpoint="channelback"))
    assert (desk.answer("Forged").status, desk.queued()) == (403, [])


def test_half_a_surrogate_pair_is_no_text(desk: LocalDesk) -> None:
    reply = desk.zendesk.core.answer_ticket(desk.ticket.id, "\ud83d alone")
    desk.zendesk.channelbacks.send(reply)
    assert (reply.status, desk.queued()) == (400, [])

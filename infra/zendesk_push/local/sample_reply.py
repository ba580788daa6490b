"""With ``Replies``: an agent answers a sample ticket on its page, and the answer is looked for on the queue."""

import json
from typing import Any, Final

from urllib3.exceptions import HTTPError

from zendesk_push.local.stack import LocalStack
from zendesk_push.simulator.agent_workspace import AnswerError, answer_ticket

ANSWERED: Final = "shop-4711-1"  # the sample whose ticket it is
TEXT: Final = "Good to hear that it has turned up, Mira.\nEnjoy your order! 🙂"
_RECEIVES: Final = 5  # an empty one does not prove an empty queue


class SampleReply:
    """One agent's answer. ``account`` is the instance_push_id of the account that the sample was for."""

    def __init__(self, stack: LocalStack, account: str) -> None:
        self._stack = stack
        self._account = account

    def answer(self) -> tuple[str, list[str]]:
        """Answer, and look; returns a line about it, and what is not as it has to be."""
        simulator = self._stack.simulator
        assert simulator is not None, "samples need the simulator"  # noqa: S101
        ticket = simulator.core.ticket_of(self._account, ANSWERED)
        if ticket is None:
            return "", [f"an agent's answer: there is no ticket of {ANSWERED} to answer in"]
        try:
            answer_ticket(self._stack.zendesk_url, ticket.id, TEXT)
        except (AnswerError, HTTPError) as error:
            return "", [f"an agent's answer: {error}"]
        [answer] = ticket.replies[-1:]
        if answer.why:
            return "", [f"an agent's answer was not passed on: {answer.why}"]
        expected = {
            "v": 1,
            "instance_push_id": self._account,
            "external_id": answer.external_id,
            "message": TEXT,
            "parent_id": ANSWERED,
            "recipient_id": "customer-88",
            "request_unique_identifier": answer.request_unique_identifier,
        }
        reply = self._queued(str(answer.external_id))
        if reply is None:
            return "", [f"an agent's answer: {answer.external_id} is not on the replies queue"]
        differences = [
            f"an agent's answer: {name} is {reply.get(name)!r} on the queue, not {value!r}"
            for name, value in expected.items()
            if reply.get(name) != value
        ]
        where = f"ticket #{ticket.id} is on the replies queue as {answer.external_id}"
        return f"an agent's answer to {where}: {' '.join(TEXT.split())}", differences

    def _queued(self, external_id: str) -> dict[str, Any] | None:
        """The reply, which stays on the queue for whoever tries a reader."""
        sqs = self._stack.client("sqs")
        for _ in range(_RECEIVES):
            answer = sqs.receive_message(
                QueueUrl=self._stack.replies_queue_url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=0,
                WaitTimeSeconds=1,
            )
            for message in answer.get("Messages", []):
                reply: dict[str, Any] = json.loads(message["Body"])
                if reply.get("external_id") == external_id:
                    return reply
        return None

"""Answers a ticket of the simulated Zendesk over HTTP, by the box on its page, as an agent's browser does."""

from __future__ import annotations

from urllib.parse import urlencode, urljoin

import urllib3

TIMEOUT = urllib3.Timeout(connect=5, read=80)  # an answer may be tried twice, side by side, 30 s each


class AnswerError(Exception):
    """The page has no box, or says that there is no answering."""


def answer_ticket(simulator_url: str, ticket_id: int, message: str) -> None:
    """Write ``message`` into the box of the ticket's page and send it; the ticket shows whether it was passed on.

    Raises:
        AnswerError: the page has no such box, or does not take the message.
    """
    page = urljoin(simulator_url, f"/tickets/{ticket_id}")
    action = f"/tickets/{ticket_id}/answers"
    with urllib3.PoolManager(timeout=TIMEOUT, retries=False) as pool:
        shown = pool.request("GET", page)
        if shown.status != 200 or f'action="{action}"'.encode() not in shown.data:
            raise AnswerError(f"ticket {ticket_id} has no box to answer in (status {shown.status})")
        answer = pool.request(
            "POST",
            urljoin(simulator_url, action),
            body=urlencode({"message": message}),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            redirect=False,
        )
        if answer.status != 303:
            raise AnswerError(f"ticket {ticket_id} takes no answer (status {answer.status})")

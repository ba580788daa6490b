"""Passes agents' answers on to the integration over HTTP, as Zendesk does, with what can go wrong on the way."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import urllib3

from zendesk_push.simulator.agent_replies import ReplyResult
from zendesk_push.simulator.faults import FaultKind
from zendesk_push.simulator.integration import ManifestError

if TYPE_CHECKING:
    from zendesk_push.simulator.agent_replies import AgentReply
    from zendesk_push.simulator.core import ZendeskState
    from zendesk_push.simulator.integration import Integration

TIMEOUT = urllib3.Timeout(connect=5, read=35)  # an HTTP API answers within 30 s
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class ChannelbackSender:
    """One attempt at a time of each answer, by the thread that asks for it."""

    def __init__(self, core: ZendeskState, integration: Integration) -> None:
        self._core = core
        self._integration = integration
        self._pool = urllib3.PoolManager(num_pools=2, maxsize=8, timeout=TIMEOUT, retries=False)

    def send(self, reply: AgentReply) -> None:
        """Try once to pass it on; how that went is noted on it."""
        try:
            url = self._integration.manifest().channelback_url
        except ManifestError as error:
            return self._core.end_channelback(reply, ReplyResult(None, error=str(error)))
        if url is None:
            reason = "The integration takes no answers: its manifest has no channelback_url."
            return self._core.end_channelback(reply, ReplyResult(None, error=reason))
        attempt = self._core.begin_channelback(reply)
        if FaultKind.DROP_CONNECTION in attempt.faults:
            return self._core.end_channelback(reply, ReplyResult(None, error="The connection broke."))
        if (delay := attempt.faults.get(FaultKind.DELAY)) is not None:
            time.sleep(delay.seconds)
        if FaultKind.REPEATED in attempt.faults:
            with ThreadPoolExecutor(2) as both:
                first, second = both.map(lambda _: self._post(url, attempt.form), range(2))
            result = first if first == second else ReplyResult(None, error="Two answers to one request.")
        else:
            result = self._post(url, attempt.form)
        if FaultKind.REPLY_LOST in attempt.faults:
            result = ReplyResult(None, error="The integration did not answer in time.")
        self._core.end_channelback(reply, result, attempt.form)
        return None

    def close(self) -> None:
        self._pool.clear()

    def _post(self, url: str, form: bytes) -> ReplyResult:
        try:
            response = self._pool.request("POST", url, body=form, headers=FORM, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            return ReplyResult(None, error=f"The integration can't be reached ({type(error).__name__}).")
        return ReplyResult(response.status, response.data)

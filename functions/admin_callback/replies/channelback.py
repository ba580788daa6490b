"""What becomes of an agent's answer: believed or not, and put on the queue once."""

import enum
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from admin_callback.accounts.account_authentication import AccountAuthentication
from admin_callback.accounts.sealed_metadata import MetadataVersionError
from admin_callback.http.channelback_form import Channelback
from admin_callback.replies.replies_queue import RepliesQueue
from admin_callback.replies.reply import Reply, reply_of
from admin_callback.replies.reply_log import CLAIM_SECONDS, Claim, ReplyLog
from zendesk_channel.accounts import AccountState
from zendesk_channel.clock import Clock
from zendesk_channel.errors import StoreError, StoreUnavailableError
from zendesk_channel.telemetry import Telemetry

_FIRST_WAIT: Final = 0.25  # seconds; doubles
_LONGEST_WAIT: Final = 1.0


class ReplyOutcome(enum.Enum):
    """What became of one channelback."""

    QUEUED = "queued"
    REPEATED = "repeated"  # it is on the queue since an earlier request
    FORGED = "forged"  # nothing authenticates it
    INACTIVE = "inactive"  # the account is switched off
    FAILED = "failed"  # AWS failed: a repeat may help


_METRICS: Final = {
    ReplyOutcome.QUEUED: "RepliesQueued",
    ReplyOutcome.REPEATED: "RepliesRepeated",
    ReplyOutcome.FORGED: "RepliesForged",
    ReplyOutcome.INACTIVE: "RepliesRefused",
    ReplyOutcome.FAILED: "RepliesFailed",
}


@dataclass(frozen=True)
class ReplyAnswer:
    """``external_id`` is there for what is on the queue."""

    outcome: ReplyOutcome
    external_id: str = ""


class Channelbacks:
    """Takes what Zendesk posts to the channelback URL."""

    def __init__(
        self,
        authentication: AccountAuthentication,
        log: ReplyLog,
        queue: RepliesQueue,
        telemetry: Telemetry,
        clock: Clock,
    ) -> None:
        self._authentication = authentication
        self._log = log
        self._queue = queue
        self._telemetry = telemetry
        self._clock = clock

    def take(self, channelback: Channelback) -> ReplyAnswer:
        """Put a reply on the queue, unless it is there already, or nothing shows that the account's Zendesk sent it."""
        fields: dict[str, str] = {}
        try:
            answer = self._take(channelback, fields)
        except (StoreError, MetadataVersionError) as error:
            answer = ReplyAnswer(ReplyOutcome.FAILED)
            self._telemetry.error("channelback", outcome=answer.outcome.value, problem=str(error), **fields)
        else:
            self._telemetry.info("channelback", outcome=answer.outcome.value, **fields)
        self._telemetry.count(_METRICS[answer.outcome])
        return answer

    def _take(self, channelback: Channelback, fields: dict[str, str]) -> ReplyAnswer:
        account = self._authentication.account_of(channelback.metadata)
        if account is None:
            return ReplyAnswer(ReplyOutcome.FORGED)
        fields |= {"subdomain": account.subdomain, "instance_push_id": account.instance_push_id}
        if account.state is not AccountState.ACTIVE:
            return ReplyAnswer(ReplyOutcome.INACTIVE)
        reply = reply_of(channelback, account, self._clock.now())
        fields["external_id"] = reply.external_id
        claimed_at = self._claim(reply)
        if claimed_at is None:
            return ReplyAnswer(ReplyOutcome.REPEATED, reply.external_id)
        self._send(reply, claimed_at)
        return ReplyAnswer(ReplyOutcome.QUEUED, reply.external_id)

    def _claim(self, reply: Reply) -> float | None:
        """When it was claimed (epoch seconds), perhaps once another's claim has run out; None if it was sent."""
        began = self._clock.monotonic()
        wait = _FIRST_WAIT
        while True:
            now = self._clock.now()
            claim = self._log.claim(reply.external_id, now)
            if claim is not Claim.BUSY:
                return now if claim is Claim.OURS else None
            if self._clock.monotonic() - began > CLAIM_SECONDS:
                raise StoreUnavailableError("PutItem", "ClaimedByAnother")
            self._clock.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)

    def _send(self, reply: Reply, claimed_at: float) -> None:
        try:
            self._queue.send(reply)
        except StoreUnavailableError:
            # So that a repeat need not wait for the claim's end; if this fails too, it ends by itself.
            with suppress(StoreUnavailableError):
                self._log.give_up(reply.external_id, claimed_at)
            raise
        try:
            self._log.note_sent(reply.external_id, self._clock.now())
        except StoreUnavailableError as error:
            # It is on the queue, so Zendesk hears that all is well, and has no reason to repeat it.
            self._telemetry.warning("reply not remembered", external_id=reply.external_id, problem=str(error))

"""Agents, Zendesk's repeats, AWS's failures and the function's end in any order, one in the middle of another.

Whatever happens: an answer that Zendesk is told is taken is on the queue, as the agent wrote it; it is there once,
and once more at most for each time that a function ended, or was not told by SQS, in the middle of it; what is forged
leaves no trace; and when all is well again, a repeat brings every answer to the queue.
"""

import json
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from admin_callback.accounts.account_authentication import AccountAuthentication
from admin_callback.accounts.metadata_keys import MetadataKeys
from admin_callback.accounts.sealed_metadata import MetadataSealer
from admin_callback.http.channelback_form import Channelback
from admin_callback.replies.channelback import Channelbacks, ReplyAnswer, ReplyOutcome
from admin_callback.replies.replies_queue import RepliesQueue
from admin_callback.replies.reply import Reply
from admin_callback.replies.reply_log import CLAIM_SECONDS, Claim, ReplyLog
from admin_callback.telemetry import METRICS
from unit.delivery.stage import Actor, Stage
from worlds.sealing_in_memory import KmsInMemory, MetadataKeySecret
from worlds.set_clock import SetClock
from zendesk_channel.accounts import Account, AccountState
from zendesk_channel.clock import Clock
from zendesk_channel.contract import InstancePushId, Subdomain
from zendesk_channel.errors import StoreUnavailableError
from zendesk_channel.telemetry import Telemetry
from zendesk_push.in_memory.accounts import InMemoryAccounts, InMemoryTable
from zendesk_push.in_memory.clock import ManualClock
from zendesk_push.in_memory.replies import InMemoryReplyLog
from zendesk_push.in_memory.sqs import InMemorySqs

ACCOUNTS = [InstancePushId("one"), InstancePushId("two")]
TAKEN = (ReplyOutcome.QUEUED, ReplyOutcome.REPEATED)
REFUSED, LOST = "refused", "lost"  # nothing was done; it was done, and nobody is told


class StagedLog(ReplyLog):
    """Each call is an effect, which may fail."""

    def __init__(self, world: "AgentsAtRandom") -> None:
        self._world = world
        self._log = InMemoryReplyLog()

    def claim(self, external_id: str, now: float) -> Claim:
        found: Claim = self._world.effect("claim", lambda: self._log.claim(external_id, now))
        return found

    def note_sent(self, external_id: str, now: float) -> None:
        self._world.effect("note", lambda: self._log.note_sent(external_id, now))

    def give_up(self, external_id: str, claimed_at: float) -> None:
        self._world.effect("give up", lambda: self._log.give_up(external_id, claimed_at))


class StagedQueue(RepliesQueue):
    """The same of the queue."""

    def __init__(self, world: "AgentsAtRandom", url: str) -> None:
        super().__init__(world.sqs.client, url)
        self._world = world

    def send(self, reply: Reply) -> None:
        self._world.effect("send", lambda: super(StagedQueue, self).send(reply))


@dataclass
class Answered:
    """What one agent wrote, as Zendesk sends it, and what has become of it."""

    account: InstancePushId
    channelback: Channelback
    external_id: str = ""
    disturbed: int = 0
    """How often it may be on the queue once more: ended in the middle, SQS's word lost, or not remembered."""


class AgentsAtRandom(RuleBasedStateMachine):
    """Each request is an actor of its own; the rules say which one moves."""

    log_class: type[StagedLog] = StagedLog
    channelbacks_class: type[Channelbacks] = Channelbacks

    def __init__(self) -> None:
        super().__init__()
        self.now = ManualClock(1_800_000_000.0)
        self.stage = Stage(self.now)
        self.sqs = InMemorySqs(self.now)
        self.url: str = self.sqs.client.create_queue(QueueName="replies")["QueueUrl"]
        self.table = InMemoryTable()
        self.armed: Counter[tuple[str, str]] = Counter()
        self.answers: list[Answered] = []
        self.underway: dict[Actor, Answered] = {}
        self.read: list[dict[str, Any]] = []
        clock = Clock(self.now, self.now, self.stage.sleep)
        keys = MetadataKeys(MetadataKeySecret(SetClock().now), "key", clock)  # type: ignore[arg-type]
        self.sealer = MetadataSealer(KmsInMemory(), "key", keys)  # type: ignore[arg-type]
        self.channelbacks = self.channelbacks_class(
            AccountAuthentication(InMemoryAccounts(self.table), self.sealer),
            self.log_class(self),
            StagedQueue(self, self.url),
            Telemetry("admin-callback", "Test", "CRITICAL", METRICS),
            clock,
        )
        for account in ACCOUNTS:
            self.register(account, "nonce-1")

    def register(self, account: InstancePushId, nonce: str) -> None:
        self.table.put(Account(account, Subdomain("acme"), AccountState.ACTIVE, 1, nonce=nonce))

    def metadata(self, account: InstancePushId, nonce: str) -> str:
        return self.sealer.write(account, Subdomain("acme"), nonce=nonce, issued_at=self.now())

    def effect(self, label: str, work: Any) -> Any:
        """Do it when the director says so, if it does not fail."""
        self.stage.before_effect(label)
        if self.stage.current() is not None:
            for kind in (REFUSED, LOST):
                if self.armed[label, kind]:
                    self.armed[label, kind] -= 1
                    if kind == LOST:
                        work()
                    if (
                        kind == LOST or label == "note"
                    ):  # what is not remembered is sent again when it is repeated
                        self._disturb(self.stage.current())
                    raise StoreUnavailableError(label, kind)
        return work()

    def _disturb(self, actor: Actor | None) -> None:
        if actor in self.underway:
            self.underway[actor].disturbed += 1

    def begin(self, answered: Answered) -> None:
        outcome: list[ReplyAnswer] = []

        def work() -> None:
            outcome.append(self.channelbacks.take(answered.channelback))
            if outcome[0].outcome in TAKEN:
                answered.external_id = outcome[0].external_id

        actor = self.stage.spawn(f"request {len(self.underway)}", work)
        self.underway[actor] = answered

    # What may happen

    @rule(account=st.sampled_from(ACCOUNTS), message=st.sampled_from(["Hello", "😀\n", "null"]))
    def an_agent_answers(self, account: InstancePushId, message: str) -> None:
        number = len(self.answers)
        metadata = self.metadata(account, self.table.accounts[account].nonce or "")
        channelback = Channelback(message, metadata, f"parent-{number}", None, None, f"request-{number}", [])
        self.answers.append(Answered(account, channelback))
        self.begin(self.answers[-1])

    @precondition(lambda self: self.answers)
    @rule(data=st.data())
    def zendesk_repeats(self, data: st.DataObject) -> None:
        self.begin(data.draw(st.sampled_from(self.answers)))

    @precondition(lambda self: self.stage.ready())
    @rule(data=st.data(), steps=st.integers(1, 6))
    def requests_move(self, data: st.DataObject, steps: int) -> None:
        for _ in range(steps):
            if ready := self.stage.ready():
                self.stage.step(ready[data.draw(st.integers(0, len(ready) - 1))])

    @precondition(lambda self: self.stage.actors)
    @rule(data=st.data())
    def a_function_ends(self, data: st.DataObject) -> None:
        actor = data.draw(st.sampled_from(self.stage.actors))
        self._disturb(actor)
        self.stage.kill(actor.worker)

    @rule(label=st.sampled_from(["claim", "send", "note", "give up"]), kind=st.sampled_from([REFUSED, LOST]))
    def aws_fails(self, label: str, kind: str) -> None:
        self.armed[label, kind] += 1

    @rule(seconds=st.sampled_from([0.3, 2.0, CLAIM_SECONDS + 1]))
    def time_passes(self, seconds: float) -> None:
        """Longer than a claim lasts, it is as if whoever is in the middle had ended: no call to AWS takes so long."""
        self.now.advance(seconds)
        if seconds > CLAIM_SECONDS:
            for actor in self.stage.actors:
                self._disturb(actor)

    @rule(account=st.sampled_from(ACCOUNTS), state=st.sampled_from(AccountState))
    def the_administrator_switches(self, account: InstancePushId, state: AccountState) -> None:
        record = self.table.accounts[account]
        nonce = None if state is AccountState.DELETED else record.nonce or f"nonce-{self.now()}"
        self.table.put(replace(record, state=state, nonce=nonce))

    @rule(account=st.sampled_from(ACCOUNTS), nonce=st.sampled_from(["", "nonce-0", "invented"]))
    def a_stranger_tries(self, account: InstancePushId, nonce: str) -> None:
        before = self.on_queue()
        for metadata in ("", "junk", self.metadata(account, nonce)):
            forged = Channelback("Forged", metadata, None, None, None, "forged", [])
            assert self.channelbacks.take(forged).outcome is ReplyOutcome.FORGED
        assert self.on_queue() == before

    @rule()
    def a_reader_reads(self) -> None:
        messages = self.sqs.client.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get(
            "Messages", []
        )
        for message in messages:
            self.sqs.client.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
            self.read.append(json.loads(message["Body"]))

    # What must hold

    def on_queue(self) -> list[dict[str, Any]]:
        """All that ever came onto the queue."""
        return [*self.read, *(json.loads(each.body) for each in self.sqs.queue(self.url).messages())]

    @invariant()
    def nothing_is_lost_or_there_too_often(self) -> None:
        there = Counter(reply["external_id"] for reply in self.on_queue())
        written = {reply["external_id"]: reply for reply in self.on_queue()}
        by_request = {reply["request_unique_identifier"]: reply["external_id"] for reply in written.values()}
        assert len(by_request) == len(written), "two ids for one answer"
        for answered in self.answers:
            external_id = by_request.get(answered.channelback.request_unique_identifier or "", "")
            if answered.external_id:
                assert external_id == answered.external_id, "taken, and not on the queue"
            assert there[external_id] <= 1 + answered.disturbed or not external_id, "too often on the queue"
            if external_id:
                reply = written[external_id]
                assert reply["message"] == answered.channelback.message
                assert reply["instance_push_id"] == answered.account

    def teardown(self) -> None:
        """All is well again, and Zendesk, or the agent, has everything repeated."""
        self.armed.clear()
        try:
            self._finish()
            for account in ACCOUNTS:
                self.register(account, "nonce-last")
            for answered in self.answers:
                answered.channelback = replace(
                    answered.channelback, metadata=self.metadata(answered.account, "nonce-last")
                )
                self.begin(answered)
                self._finish()
                assert answered.external_id, "lost"
            self.nothing_is_lost_or_there_too_often()
        finally:
            self.stage.kill()

    def _finish(self) -> None:
        while self.stage.actors:
            if ready := self.stage.ready():
                self.stage.step(ready[0])
            elif (wakes_at := self.stage.next_wake()) is not None:
                self.now.advance(max(0.0, wakes_at - self.now()))
            else:
                break


LIVES = settings(max_examples=400, stateful_step_count=30, deadline=None, derandomize=True)
FOUND = settings(LIVES, report_multiple_bugs=False, phases=[Phase.generate])
TestAgents = AgentsAtRandom.TestCase
TestAgents.settings = LIVES


class _NobodyWaits(StagedLog):
    """Every request takes the reply for its own."""

    def claim(self, external_id: str, now: float) -> Claim:
        found = super().claim(external_id, now)
        return Claim.OURS if found is Claim.BUSY else found


class _NothingIsRemembered(StagedLog):
    def note_sent(self, external_id: str, now: float) -> None:
        pass


class _NothingIsGivenUpOn(StagedLog):
    """Whoever claimed it counts as having sent it."""

    def claim(self, external_id: str, now: float) -> Claim:
        found = super().claim(external_id, now)
        return Claim.SENT if found is Claim.BUSY else found


class _NotesFirst(Channelbacks):
    def _send(self, reply: Reply, claimed_at: float) -> None:
        self._log.note_sent(reply.external_id, claimed_at)
        self._queue.send(reply)


class _BelievesEverybody(Channelbacks):
    def take(self, channelback: Channelback) -> ReplyAnswer:
        answer = super().take(channelback)
        return ReplyAnswer(ReplyOutcome.QUEUED, "x") if answer.outcome is ReplyOutcome.FORGED else answer


@pytest.mark.parametrize("log", [_NobodyWaits, _NothingIsRemembered, _NothingIsGivenUpOn])
def test_a_broken_log_is_found(log: type[StagedLog]) -> None:
    class Broken(AgentsAtRandom):
        log_class = log

    with pytest.raises(AssertionError):
        run_state_machine_as_test(Broken, settings=FOUND)


@pytest.mark.parametrize("channelbacks", [_NotesFirst, _BelievesEverybody])
def test_a_broken_order_is_found(channelbacks: type[Channelbacks]) -> None:
    class Broken(AgentsAtRandom):
        channelbacks_class = channelbacks

    with pytest.raises(AssertionError):
        run_state_machine_as_test(Broken, settings=FOUND)

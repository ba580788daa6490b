"""The proof of delivery: everything happens to everybody at the worst moments, and nothing is lost.

A normal run plays some dozens of lives, always the same ones. ``DELIVERY_EXAMPLES=2000`` plays so many new ones;
``DELIVERY_SHRINK=no`` shows a failure as it was found, without looking for a shorter one.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterable
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from unit.delivery import checks
from unit.delivery.effects import Failing
from unit.delivery.traffic import ATTRIBUTES, REQUEST_IDS
from unit.delivery.watch import SUBDOMAINS
from unit.delivery.world import MAX_RESOURCES, RETENTION, VISIBILITY, WINDOW, DeliveryWorld
from zendesk_channel.accounts import AccountState
from zendesk_push.bench.traffic import INVALID, POISONS, Sent, message, no_message
from zendesk_push.simulator.faults import Fault, FaultKind

PHASES = (Phase.generate,) if os.environ.get("DELIVERY_SHRINK") == "no" else (Phase.generate, Phase.shrink)
EXAMPLES = int(os.environ.get("DELIVERY_EXAMPLES", "0"))
WORKERS = ("w1", "w2", "w3")
ACCOUNTS = st.sampled_from(sorted(SUBDOMAINS))
SIZES = st.sampled_from([1, 1, 1, 2, 3, MAX_RESOURCES, MAX_RESOURCES + 3])
BATCHES = st.sampled_from([3, 10, 40, 1000])

# What a call to AWS is named on the stage; "*" is any.
CALL_NAMES = (
    "sqs.send_message_batch",
    "sqs.change_message_visibility_batch",
    "pauses.snapshot",
    "pauses.pause_subdomain",
    "pauses.pause_account",
    "pauses.clear_pause",
    "accounts.get",
    "accounts.save",
    "accounts.mark_refused",
    "credentials.read",
    "pauses.note",
    "sqs.delete_message_batch",
)
CALLS = st.sampled_from([*["*"] * 8, *CALL_NAMES])
VAGUE = (FaultKind.BAD_REQUEST, FaultKind.TOO_LARGE)
# What is more than a status: those are let_zendesk_answer's. The first two are where most can go wrong.
FAULTS = st.sampled_from(
    [
        *[FaultKind.HANG] * 3,
        *[FaultKind.PROCESSING_ERROR] * 2,
        *VAGUE,
        FaultKind.DROP_CONNECTION,
        FaultKind.THROTTLED,
        FaultKind.UNAVAILABLE,
        FaultKind.HTML,
        FaultKind.REPLY_LOST,
        FaultKind.NO_RESULTS,
        FaultKind.FEW_RESULTS,
        FaultKind.REORDERED_RESULTS,
        FaultKind.UNKNOWN_CODE,
    ]
)
LONGEST_PAUSES = 300  # seconds: of a subdomain by Retry-After, and by what its own messages use up
AFTER_HEALING = 2_500  # seconds until everything has an outcome, once nothing fails any more
CULPRIT = "<script>"
TOTALS: Counter[str] = Counter()


Work = tuple[str, dict[str, Any]]


def works(name: str, **arguments: Any) -> st.SearchStrategy[Work]:
    """Calls of one of the machine's methods."""
    return st.tuples(st.just(name), st.fixed_dictionaries(arguments))


DROPS = st.one_of(
    works("drop_a_good_one", account=ACCOUNTS, size=SIZES, request_id=REQUEST_IDS, attributes=ATTRIBUTES),
    works("drop_many", account=ACCOUNTS, number=st.integers(2, 12)),
    works(
        "drop_a_bad_one",
        account=ACCOUNTS,
        size=SIZES,
        offences=st.dictionaries(st.integers(0, 10), st.sampled_from(POISONS), min_size=1, max_size=3),
        request_id=REQUEST_IDS,
        attributes=ATTRIBUTES,
    ),
    works("drop_what_is_no_message", text=st.sampled_from(INVALID)),
    works("drop_a_reply", account=ACCOUNTS, which=st.integers(0, 20), request_id=REQUEST_IDS),
    works("drop_a_reply_before_its_parent", account=ACCOUNTS),
    works("drop_a_thread", account=ACCOUNTS, number=st.integers(2, 4), request_id=REQUEST_IDS),
    works("drop_a_culprit", account=ACCOUNTS),
)
AWS_TROUBLE = works(
    "let_aws_fail", call=CALLS, failing=st.sampled_from(sorted(Failing)), times=st.integers(1, 4)
)
ZENDESK_TROUBLE = works(
    "let_zendesk_fail",
    kind=FAULTS,
    account=ACCOUNTS,
    endpoint=st.sampled_from(["push", "push", "any", "validate_token"]),
    count=st.sampled_from([1, 2, 5, None]),
    retry_after=st.sampled_from([None, 0, 5, 90, "never"]),
    after_import=st.booleans(),
    min_resources=st.sampled_from([None, None, 2]),
)
TROUBLES = st.one_of(
    AWS_TROUBLE,
    AWS_TROUBLE,
    ZENDESK_TROUBLE,
    ZENDESK_TROUBLE,
    works(
        "let_zendesk_answer",
        account=ACCOUNTS,
        status=st.sampled_from([201, 204, 302, 401, 403, 404, 409, 422, 429, 451, 500, 502, 504]),
    ),
    works("let_content_fail", account=ACCOUNTS, status=st.sampled_from([403, 500, 599])),
    works("let_zendesk_take_its_time", account=ACCOUNTS, seconds=st.sampled_from([0.5, 3, 7])),
    works("let_others_use_the_limit", account=ACCOUNTS, remaining=st.integers(0, 8)),
    works("let_zendesk_recover"),
    works("rotate_token", account=ACCOUNTS, announced=st.just(False)),
)
ADMINISTRATION = st.one_of(
    works("rotate_token", account=ACCOUNTS, announced=st.booleans()),
    works("register", account=ACCOUNTS),
    works("edit_without_confirmation", account=ACCOUNTS, saved=st.booleans(), old_ends=st.booleans()),
    works("deactivate", account=ACCOUNTS, told=st.booleans()),
    works("activate", account=ACCOUNTS),
    works("pause_by_operator", account=ACCOUNTS, paused=st.booleans()),
    works("remove", account=st.sampled_from(["a2", "b1"])),
)

CHANCES = st.one_of(
    works("pass_time", seconds=st.sampled_from([0.5, 2, 15])),
    works("pass_time", seconds=st.sampled_from([61, 200, 400, 1_000])),
    works("deliver_again", which=st.integers(0, 50)),
    works("redrive", unpacked=st.booleans()),
)
# Who goes on, one octal digit after the other. One number instead of a list: Hypothesis bounds how much an
# example may draw, and would prefer the examples in which nobody works.
PICKS = st.integers(0, 8**20 - 1) | st.integers(0, 8**6 - 1) | st.just(0)
ENDINGS = st.sampled_from([*["finish"] * 5, "leave", "leave", "kill"])
TWICE = st.sampled_from([False, False, False, True])


class Delivery(RuleBasedStateMachine):
    """One world, and everything that can happen to it."""

    def __init__(self, broken: Any = None, **settings: str) -> None:
        super().__init__()
        self.world = DeliveryWorld(broken, **settings)
        self.world.on_ended = partial(checks.ended, self.world)
        self.letters = checks.LetterCheck(self.world)
        self.requests = checks.RequestCheck(self.world)
        self.numbers = 0
        self.ids: dict[str, list[str]] = {key: [] for key in SUBDOMAINS}
        self.broken = False

    def teardown(self) -> None:
        try:
            if not self.broken:
                self.heal()
        finally:
            self.world.close()
            TOTALS.update(self.world.totals())

    # Upstream ---------------------------------------------------------------------------------------------

    def do(self, work: Work) -> None:
        name, arguments = work
        getattr(self, name)(**arguments)

    def key(self) -> str:
        self.numbers += 1
        return f"m{self.numbers}"

    def drop(self, sent: Sent) -> None:
        self.world.send(sent)
        if sent.account:
            self.ids[sent.account] += [external_id for external_id, _ in sent.resources if external_id]

    @rule(work=DROPS, more=DROPS)
    def upstream(self, work: Work, more: Work) -> None:
        self.do(work)
        self.do(more)

    def drop_a_good_one(
        self, account: str, size: int, request_id: str | None, attributes: dict[str, Any]
    ) -> None:
        self.drop(message(self.key(), account, size=size, request_id=request_id, attributes=attributes))

    def drop_many(self, account: str, number: int) -> None:
        for _ in range(number):
            self.drop(message(self.key(), account))

    def drop_a_bad_one(
        self,
        account: str,
        size: int,
        offences: dict[int, Any],
        request_id: str | None,
        attributes: dict[str, Any],
    ) -> None:
        poison = {index % size: offence for index, offence in offences.items()}
        self.drop(
            message(
                self.key(), account, size=size, poison=poison, request_id=request_id, attributes=attributes
            )
        )

    def drop_what_is_no_message(self, text: str) -> None:
        self.drop(no_message(self.key(), text))

    def drop_a_reply(self, account: str, which: int, request_id: str | None) -> None:
        known = self.ids[account]
        parent = known[which % len(known)] if known and which else "nobody's"
        self.drop(message(self.key(), account, parent=parent, request_id=request_id))

    def drop_a_reply_before_its_parent(self, account: str) -> None:
        reply, parent = self.key(), self.key()
        self.drop(message(reply, account, parent=f"{parent}.0"))
        self.drop(message(parent, account))

    def drop_a_thread(self, account: str, number: int, request_id: str | None) -> None:
        thread = f"thread of {self.numbers}"
        for _ in range(number):
            self.drop(message(self.key(), account, thread=thread, request_id=request_id))

    def drop_a_culprit(self, account: str) -> None:
        self.drop(message(self.key(), account, text=CULPRIT))

    # Workers ----------------------------------------------------------------------------------------------

    @rule(worker=st.sampled_from(WORKERS), batch=BATCHES, twice=TWICE, picks=PICKS, ending=ENDINGS)
    def work(self, worker: str, batch: int, twice: bool, picks: int, ending: str) -> None:
        """A worker gets a batch and begins; others may be at work, and go on in between."""
        if worker not in self.world.running and self.world.start(worker, batch, twice=twice):
            invocation = self.world.running[worker]
            if invocation.undisturbed:
                invocation.deliverable = checks.deliverable(self.world, invocation)
        self.go_on(worker, picks, ending)

    @rule(
        account=ACCOUNTS,
        first=DROPS,
        second=DROPS,
        trouble=TROUBLES,
        worker=st.sampled_from(WORKERS),
        twice=TWICE,
        picks=PICKS,
        ending=ENDINGS,
    )
    def scene(
        self, account: str, first: Work, second: Work, trouble: Work, worker: str, **acting: Any
    ) -> None:
        """Messages of an account arrive, it has trouble, and a worker is at it: what matters most."""
        if worker in self.world.running:
            self.world.finish(worker)
        for name, arguments in (first, second, trouble):
            self.do((name, arguments | ({"account": account} if "account" in arguments else {})))
        self.work(worker, 1000, **acting)

    @precondition(lambda self: self.world.running)
    @rule(which=st.integers(0, 2), picks=PICKS, ending=ENDINGS)
    def work_on(self, which: int, picks: int, ending: str) -> None:
        running = sorted(self.world.running)
        self.go_on(running[which % len(running)], picks, ending)

    def go_on(self, worker: str, picks: int, ending: str) -> None:
        while picks and self.world.move(picks % 8):
            picks //= 8
        if ending == "finish":
            self.world.finish(worker)
        elif ending == "kill":
            self.world.kill(worker)

    @rule(work=CHANCES)
    def chance(self, work: Work) -> None:
        self.do(work)

    def pass_time(self, seconds: float) -> None:
        oldest = min((each.sent_at for each in self.world.live.messages()), default=self.world.clock())
        if self.world.clock() - oldest + seconds > RETENTION / 2:
            self.heal()  # nobody can keep what no worker is ever started for
        self.world.pass_time(seconds)

    def deliver_again(self, which: int) -> None:
        messages = self.world.live.messages()
        if messages:
            self.world.live.redeliver(messages[which % len(messages)].message_id)
            self.world.disturb()

    def redrive(self, unpacked: bool) -> None:
        self.world.disturb()
        self.world.redrive(unpacked=unpacked)

    @rule(work=TROUBLES, more=TROUBLES)
    def trouble(self, work: Work, more: Work) -> None:
        self.do(work)
        self.do(more)

    @rule(work=ADMINISTRATION)
    def administrator(self, work: Work) -> None:
        self.do(work)

    # Faults -----------------------------------------------------------------------------------------------

    def let_aws_fail(self, call: str, failing: Failing, times: int) -> None:
        self.world.disturb()
        self.world.effects.armed[call, failing] = times

    def let_zendesk_fail(self, kind: FaultKind, account: str, **conditions: Any) -> None:
        self.world.disturb()
        if kind in VAGUE:
            self.letters.vague.add(account)
        self.world.zendesk.switch_on(Fault(kind, instance_push_id=account, **conditions))

    def let_zendesk_answer(self, status: int, account: str) -> None:
        self.world.disturb()
        if status == 422:
            self.letters.vague.add(account)
        self.world.zendesk.switch_on(
            Fault(FaultKind.STATUS, instance_push_id=account, status=status, body="?", count=1)
        )

    def let_content_fail(self, account: str, status: int) -> None:
        """Something in front of Zendesk, or in it, fails requests for what one message holds."""
        self.world.disturb()
        fault = Fault(FaultKind.STATUS, instance_push_id=account, status=status, body="?", text=CULPRIT)
        self.world.zendesk.switch_on(fault)

    def let_zendesk_take_its_time(self, account: str, seconds: float) -> None:
        self.world.disturb()
        self.world.zendesk.switch_on(Fault(FaultKind.DELAY, instance_push_id=account, seconds=seconds))

    def let_zendesk_recover(self) -> None:
        self.world.disturb()
        self.world.zendesk.switch_off()

    def let_others_use_the_limit(self, account: str, remaining: int) -> None:
        self.world.disturb()
        with self.world.zendesk.lock:
            self.world.zendesk.rate_limits.leave(SUBDOMAINS[account], remaining, self.world.clock())

    # Administrators ---------------------------------------------------------------------------------------

    def exists(self, account: str) -> bool:
        return account in SUBDOMAINS and self.world.zendesk.accounts.get(account).state in (
            "active",
            "inactive",
        )

    def rotate_token(self, account: str, announced: bool) -> None:
        if self.exists(account):
            self.world.disturb()
            self.world.zendesk.rotate_token(account)
            if announced:
                self.world.register(account)

    def register(self, account: str) -> None:
        if self.exists(account) and self.world.zendesk.accounts.get(account).token:
            self.world.register(account)

    def edit_without_confirmation(self, account: str, saved: bool, old_ends: bool) -> None:
        """Zendesk hands out a token that it confirms only once the administrator has saved."""
        if not self.exists(account) or self.world.record(account) is None:
            return
        self.world.disturb()
        editor = self.world.zendesk.open_existing(account, new_token=True)
        token = editor.token.value
        self.world.keep_pending(account, token)
        if saved:
            editor.token.saved = True
            self.world.confirmed[account].add(token)
            if old_ends:
                for other in list(self.world.zendesk.accounts.get(account).tokens):
                    if other.value != token:
                        self.world.zendesk.revoke_token(account, other.value)

    def deactivate(self, account: str, told: bool) -> None:
        if self.exists(account):
            self.world.disturb()
            self.world.zendesk.deactivate(account)
            if told and self.world.record(account):
                self.world.set_state(account, AccountState.INACTIVE)

    def activate(self, account: str) -> None:
        if self.exists(account):
            self.world.disturb()
            self.world.zendesk.activate(account)
            if self.world.record(account):
                self.world.set_state(account, AccountState.ACTIVE)

    def pause_by_operator(self, account: str, paused: bool) -> None:
        self.world.pause_by_operator(account, paused)

    def remove(self, account: str) -> None:
        if self.exists(account) and self.numbers > 20:
            self.world.disturb()
            self.world.zendesk.remove(account)
            self.world.remove(account)

    # What must hold ---------------------------------------------------------------------------------------

    @invariant()
    def everything_is_somewhere(self) -> None:
        self.report(checks.lost(self.world))

    @invariant()
    def every_dead_letter_has_its_reason(self) -> None:
        self.report(self.letters())

    @invariant()
    def every_request_is_right(self) -> None:
        self.report(self.requests())

    @invariant()
    def every_invocation_did_what_it_may_and_must(self) -> None:
        self.report(self.world.violations)

    @invariant()
    def nothing_is_told(self) -> None:
        self.report(checks.told(self.world))

    def report(self, broken: Iterable[str]) -> None:
        sentences = list(broken)
        self.broken = self.broken or bool(sentences)
        assert not sentences, "; ".join(sentences)

    def waits_in_vain(self, body: str) -> bool:
        """Its parent is not coming, or its account is gone: there is nothing to see before its time is over."""
        sent = self.world.sent[body]
        return bool(sent.parents) or not self.exists(sent.account or "")

    def heal(self) -> None:
        """Everything works again: soon every message has its outcome, and all that can be delivered is."""
        world = self.world
        for worker in WORKERS:
            world.finish(worker)
        world.zendesk.switch_off()
        world.effects.armed.clear()
        for account in SUBDOMAINS:
            world.pause_by_operator(account, False)
            if self.exists(account):
                world.zendesk.activate(account)
                world.zendesk.rotate_token(account)
                world.register(account)
        # What is older may find the account paused still, and no time to wait for it.
        deliverable = [
            world.sent[each.body]
            for each in world.live.messages()
            if world.clock() - each.sent_at < WINDOW - VISIBILITY - LONGEST_PAUSES
        ]
        end = world.clock() + AFTER_HEALING
        while world.live.messages() and world.clock() < end:
            self.work(WORKERS[0], 1000, False, 0, "finish")
            waiting = world.live.next_change_at()
            oldest = min((each.sent_at for each in world.live.messages()), default=world.clock())
            in_vain = waiting is not None and all(map(self.waits_in_vain, world.on_queue()))
            if in_vain and world.clock() - oldest < WINDOW:
                world.pass_time(WINDOW)
            elif waiting is not None:
                world.pass_time(max(20.0, waiting - world.clock()))
        self.report(f"{world.sent[body].key} was not served" for body in world.on_queue())
        self.report(
            f"{sent.key} was not delivered"
            for sent in deliverable
            if sent.good
            and not sent.parents
            and sent.account not in self.letters.vague
            and self.exists(sent.account or "")
            and not world.delivered(sent)
        )
        self.report(checks.in_order(world))
        for check in (
            self.everything_is_somewhere,
            self.every_dead_letter_has_its_reason,
            self.nothing_is_told,
        ):
            check()
        self.every_request_is_right()
        self.every_invocation_did_what_it_may_and_must()


def test_nothing_is_lost_delayed_or_unexplained(capsys: pytest.CaptureFixture[str]) -> None:
    run_state_machine_as_test(
        Delivery,
        settings=settings(
            max_examples=EXAMPLES or 200,
            stateful_step_count=40,
            deadline=None,
            derandomize=not EXAMPLES,
            phases=PHASES,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    if EXAMPLES:
        with capsys.disabled():
            sys.stdout.write(f"\n{dict(TOTALS)}\n")

"""One invocation: records in, the ids of those that stay on the queue out.

Read the records, take a snapshot of the table, push accounts side by side, decide about every message, apply what was
decided (dead letters first, because only then a message may be deleted; then waiting times), report.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from push_content.accounts.account_pusher import AccountPusher, Pushed, PusherDeps, wait_together
from push_content.accounts.delivery_notes import DeliveryNotes
from push_content.accounts.pauses import AccountStanding, InvocationPauses
from push_content.begun_work import BegunWork
from push_content.invocation_deadlines import InvocationDeadlines
from push_content.messages.message import InvalidMessageError, Message, parse
from push_content.messages.sqs_record import SqsRecord, sqs_records
from push_content.outcomes import retry_policy
from push_content.outcomes.dead_letters import DeadLetter, chunks, dead_letter
from push_content.outcomes.outcome import (
    NO_TIME,
    Delivered,
    ErrorCode,
    Outcome,
    Rejected,
    Retry,
    aws_failed,
    unforeseen,
)
from push_content.outcomes.queues import ContentQueue, DeadLetterQueue
from push_content.outcomes.retry_policy import PressureGauge, Wait, WaitingRules
from push_content.outcomes.sqs_limits import BATCH
from push_content.requests.conversations import Conversations
from push_content.requests.push_request import by_account
from push_content.telemetry import TOLD_OTHERWISE
from push_content.turn_executor import TurnExecutor
from zendesk_channel.contract import InstancePushId, Subdomain
from zendesk_channel.errors import StoreError
from zendesk_channel.push_state import SharedPauses, Snapshot

_PARSED_TOGETHER = 50  # messages: of so many it is written down that they are begun
_DEADLY = Retry(ErrorCode.UNAVAILABLE, "the function's process died while it was at work on this message")


@dataclass(frozen=True)
class _Received:
    """What came in one record: a message, or what was decided about it when it was read.

    Attributes:
        request_id: its own, or the Lambda request's.
        account_id: as the body says, None where that cannot be told.
    """

    record: SqsRecord
    request_id: str
    account_id: InstancePushId | None = None
    message: Message | None = None
    decided: Rejected | Retry | None = None


@dataclass(frozen=True)
class _Decided:
    """What becomes of one record. ``wait``: how long it stays invisible; None if it does not stay on the queue."""

    received: _Received
    outcome: Outcome
    subdomain: Subdomain | None = None
    wait: Wait | None = None


class PushInvocation:
    """The function's work, once composed; keeps nothing between invocations but what its collaborators remember.

    ``uniform`` draws a number from a range.
    """

    def __init__(
        self,
        *,
        deps: PusherDeps,
        shared_pauses: SharedPauses,
        delivery_notes: DeliveryNotes,
        content_queue: ContentQueue,
        dead_letter_queue: DeadLetterQueue,
        turn_executor: TurnExecutor,
        begun_work: BegunWork,
        rules: WaitingRules,
        uniform: Callable[[float, float], float],
    ) -> None:
        self._deps = deps
        self._telemetry = deps.telemetry
        self._clock = deps.clock
        self._shared_pauses = shared_pauses
        self._delivery_notes = delivery_notes
        self._content_queue = content_queue
        self._dead_letter_queue = dead_letter_queue
        self._turn_executor = turn_executor
        self._begun_work = begun_work
        self._rules = rules
        self._uniform = uniform
        self._pressure = PressureGauge()

    def run(
        self, records: Iterable[Mapping[str, Any]], *, time_left: Callable[[], float], request_id: str
    ) -> list[str]:
        """Give every record's message its outcome.

        Args:
            records: of Lambda's SQS event.
            time_left: seconds until Lambda ends the invocation.
            request_id: Lambda's.

        Returns:
            The ids of the messages that stay on the queue; Lambda deletes the others.
        """
        self._telemetry.begin(request_id)
        all_records = sqs_records(records)
        suspects = self._begun_work.suspects
        if not suspects:
            return self._process(all_records, time_left, request_id)
        deadlines = InvocationDeadlines(time_left)
        alone = [record for record in all_records if record.message_id in suspects]
        others = [record for record in all_records if record.message_id not in suspects]
        staying = self._process(others, time_left, request_id)
        if alone and self._delete(others, staying, deadlines):
            staying += self._process_alone(alone, time_left, request_id)
        else:
            staying += [record.message_id for record in alone]
        return staying

    def _process(
        self,
        records: Sequence[SqsRecord],
        time_left: Callable[[], float],
        request_id: str,
        *,
        untouched: bool = False,
    ) -> list[str]:
        """``untouched``: nothing but the records' dates is looked at."""
        begun = self._clock.monotonic()
        deadlines = InvocationDeadlines(time_left)
        if untouched:
            received = [_Received(record, request_id, decided=_DEADLY) for record in records]
        else:
            received = self._read(records, request_id)
        messages = by_account(each.message for each in received if each.message)
        pauses = self._snapshot(messages, deadlines) if messages else None
        if pauses:
            pushed = self._push(messages, pauses, deadlines)
        else:
            pushed = {account_id: _unread(own, deadlines) for account_id, own in messages.items()}
        decided = self._decide(received, pushed, deadlines)
        decided = self._apply(decided, pushed, deadlines)
        self._report(decided, self._clock.monotonic() - begun)
        return [each.received.record.message_id for each in decided if each.wait is not None]

    def _process_alone(
        self, records: Sequence[SqsRecord], time_left: Callable[[], float], request_id: str
    ) -> list[str]:
        """Messages that may have killed a process: one at a time, once nothing else can be lost by it."""
        staying: list[str] = []
        for record in sorted(records, key=lambda record: record.receive_count):
            if InvocationDeadlines(time_left).for_requests() <= self._deps.push_timeout:
                staying.append(record.message_id)
                continue
            untouched = record.message_id in self._begun_work.deadly and bool(
                retry_policy.waited_enough(record, self._rules, self._clock.now())
            )
            staying += self._process([record], time_left, request_id, untouched=untouched)
            self._begun_work.cleared(record.message_id)
        return staying

    # Read -------------------------------------------------------------------------------------------------

    def _read(self, records: Sequence[SqsRecord], request_id: str) -> list[_Received]:
        received: list[_Received] = []
        for start in range(0, len(records), _PARSED_TOGETHER):
            together = records[start : start + _PARSED_TOGETHER]
            with self._begun_work.begun(record.message_id for record in together):
                received += [self._received(record, request_id) for record in together]
        return received

    def _received(self, record: SqsRecord, lambda_request_id: str) -> _Received:
        try:
            message = parse(record)
        except InvalidMessageError as error:
            invalid = Rejected(ErrorCode.INVALID_MESSAGE, str(error))
            return _Received(
                record, error.request_id or lambda_request_id, error.instance_push_id, decided=invalid
            )
        except Exception as error:  # noqa: BLE001 (a message's surprise costs that message a retry, and no other anything)
            self._telemetry.unforeseen(error)
            return _Received(record, lambda_request_id, decided=unforeseen())
        return _Received(record, message.request_id or lambda_request_id, message.instance_push_id, message)

    # Push -------------------------------------------------------------------------------------------------

    def _snapshot(
        self, accounts: Iterable[InstancePushId], deadlines: InvocationDeadlines
    ) -> InvocationPauses | None:
        """What the table says; None if it does not answer in time: then everything waits."""

        def read() -> Snapshot | None:
            try:
                return self._shared_pauses.snapshot(accounts)
            except StoreError as error:
                self._telemetry.store_failed(error)
                return None

        (snapshot,) = self._turn_executor.gather([read], deadlines.for_requests, None)
        if snapshot is None:
            return None
        return InvocationPauses(
            self._shared_pauses,
            snapshot,
            first_pause=self._rules.base_delay,
            longest_pause=self._rules.max_delay,
            clock=self._clock.now,
            store_failed=self._telemetry.store_failed,
        )

    def _push(
        self,
        messages: Mapping[InstancePushId, Sequence[Message]],
        pauses: InvocationPauses,
        deadlines: InvocationDeadlines,
    ) -> dict[InstancePushId, Pushed]:
        pushers = [
            AccountPusher(account_id, own, self._deps, pauses, deadlines, self._begun_work)
            for account_id, own in messages.items()
        ]
        pushers.sort(key=lambda pusher: pusher.in_trouble)
        deadlines.start_sending()
        self._turn_executor.run([pusher.turn for pusher in pushers], deadlines.for_answers)
        return {pusher.account_id: pusher.close() for pusher in pushers}

    # Decide -----------------------------------------------------------------------------------------------

    def _decide(
        self,
        received: Sequence[_Received],
        pushed: Mapping[InstancePushId, Pushed],
        deadlines: InvocationDeadlines,
    ) -> list[_Decided]:
        """Who waits how long, and who has waited enough."""
        outcomes = {each.record.message_id: _outcome(each, pushed) for each in received}
        retries = sum(isinstance(outcome, Retry) for outcome in outcomes.values())
        pressed, shares = False, dict[str, float]()
        if retries:
            pressed = self._pressure.pressed(retries, self._clock.now(), partial(self._in_flight, deadlines))
            shares = _shares_of_requests(received, outcomes, self._deps.max_resources)
        decided: dict[str, _Decided] = {}
        for each in received:
            key = each.record.message_id
            standing = _standing(each, pushed)
            try:
                decided[key] = self._decision(each, outcomes[key], standing, shares.get(key, 0.0), pressed)
            except Exception as error:  # noqa: BLE001 (as when it is read)
                self._telemetry.unforeseen(error)
                decided[key] = _Decided(each, unforeseen(), wait=Wait(retry_policy.SOON))
        return [_waiting_with_others(each, decided) for each in decided.values()]

    def _in_flight(self, deadlines: InvocationDeadlines) -> int | None:
        asked = [self._content_queue.in_flight]
        return self._turn_executor.gather(asked, deadlines.for_rejecting, None)[0]

    def _decision(
        self, received: _Received, outcome: Outcome, standing: AccountStanding, share: float, pressed: bool
    ) -> _Decided:
        subdomain = standing.account.subdomain if standing.account else None
        if not isinstance(outcome, Retry):
            return _Decided(received, outcome, subdomain)
        now = self._clock.now()
        not_before = standing.paused_until
        if outcome.nobodys and subdomain:
            within = retry_policy.SOON if outcome.soon else self._rules.max_delay
            not_before = self._deps.rate_limit_turns.take(subdomain, share, max(now, not_before), within)
        turn = retry_policy.next_turn(
            received.record,
            outcome,
            self._rules,
            now=now,
            not_before=not_before,
            uniform=self._uniform,
            pressed=pressed,
        )
        if isinstance(turn, Wait):
            return _Decided(received, outcome, subdomain, turn)
        return _Decided(received, turn, subdomain)

    # Apply ------------------------------------------------------------------------------------------------

    def _apply(
        self,
        decided: Sequence[_Decided],
        pushed: Mapping[InstancePushId, Pushed],
        deadlines: InvocationDeadlines,
    ) -> list[_Decided]:
        """Send dead letters, set waiting times, note deliveries. What is not dead for certain stays."""
        applied = decided
        if any(isinstance(each.outcome, Rejected) for each in decided):
            sent = self._send_dead_letters(decided, deadlines)
            applied = [self._kept_unless_sent(each, sent) for each in decided]
        waits = {each.received.record.receipt_handle: each.wait.seconds for each in applied if each.wait}
        calls: list[Callable[[], None]] = [
            partial(self._change_visibility, dict(chunk)) for chunk in _tens(list(waits.items()))
        ]
        calls += self._delivery_notes.calls(pushed.values(), self._clock.now())
        if calls:
            self._turn_executor.gather(calls, deadlines.for_effects, None)
        return list(applied)

    def _send_dead_letters(self, decided: Sequence[_Decided], deadlines: InvocationDeadlines) -> set[str]:
        """The ids of the messages whose dead letters are on their queue for certain."""
        now = self._clock.now()
        letters = [letter for each in decided if (letter := self._dead_letter(each, now))]
        calls = [partial(self._send_chunk, chunk) for chunk in chunks(letters)]
        sent = self._turn_executor.gather(calls, deadlines.for_rejecting, set[str]())
        return set[str]().union(*sent)

    def _dead_letter(self, decided: _Decided, now: float) -> DeadLetter | None:
        if not isinstance(decided.outcome, Rejected):
            return None
        received = decided.received
        try:
            return dead_letter(
                received.record,
                decided.outcome,
                account_id=received.account_id,
                subdomain=decided.subdomain,
                request_id=received.request_id,
                failed_at=now,
            )
        except Exception as error:  # noqa: BLE001 (as when it is read)
            self._telemetry.unforeseen(error, received.account_id)
            return None

    def _send_chunk(self, letters: Sequence[DeadLetter]) -> set[str]:
        try:
            failed = self._dead_letter_queue.send(letters)
        except Exception as error:  # noqa: BLE001 (as when it is read)
            self._telemetry.unforeseen(error)
            return set()
        for problem in failed.values():
            self._telemetry.store_failed(problem)
        return {letter.id for letter in letters if letter.id not in failed}

    def _kept_unless_sent(self, decided: _Decided, sent: set[str]) -> _Decided:
        record = decided.received.record
        if not isinstance(decided.outcome, Rejected) or record.message_id in sent:
            return decided
        wait = retry_policy.after_failed_rejection(
            record, self._rules, now=self._clock.now(), uniform=self._uniform
        )
        return replace(decided, wait=wait)

    def _change_visibility(self, waits: Mapping[str, int]) -> None:
        """Where that fails, the queue's own visibility timeout is the waiting time."""
        try:
            for problem in self._content_queue.change_visibility(waits):
                self._telemetry.store_failed(problem)
        except Exception as error:  # noqa: BLE001 (as when it is read)
            self._telemetry.unforeseen(error)

    def _delete(
        self, records: Sequence[SqsRecord], staying: Iterable[str], deadlines: InvocationDeadlines
    ) -> bool:
        """Delete now what Lambda would delete at the end of the invocation, in case there is none.

        False: there was no time for all of it.
        """
        kept = set(staying)
        handles = [record.receipt_handle for record in records if record.message_id not in kept]
        calls = [partial(self._delete_chunk, chunk) for chunk in _tens(handles)]
        return all(self._turn_executor.gather(calls, deadlines.for_effects, False))

    def _delete_chunk(self, receipt_handles: Sequence[str]) -> bool:
        """Where that fails, Lambda deletes them."""
        try:
            for problem in self._content_queue.delete(receipt_handles):
                self._telemetry.store_failed(problem)
        except Exception as error:  # noqa: BLE001 (as when it is read)
            self._telemetry.unforeseen(error)
        return True

    # Report -----------------------------------------------------------------------------------------------

    def _report(self, decided: Sequence[_Decided], seconds: float) -> None:
        now = self._clock.now()
        outcomes: Counter[str] = Counter()
        retried: Counter[ErrorCode] = Counter()
        for each in decided:
            if each.wait is not None and not isinstance(each.outcome, Delivered):
                outcomes["retried"] += 1
                retried[each.outcome.reason] += 1
            elif isinstance(each.outcome, Rejected):
                outcomes["dead_lettered"] += 1
                received = each.received
                self._telemetry.dead_lettered(
                    received.record,
                    received.account_id,
                    each.subdomain,
                    each.outcome,
                    received.request_id,
                    now,
                )
            else:
                outcomes["delivered"] += 1
        late = [
            each.received.record
            for each in decided
            if each.wait is not None and getattr(each.outcome, "reason", None) not in TOLD_OTHERWISE
        ]
        oldest = retry_policy.oldest(late, now) if late else 0.0
        self._telemetry.finished(outcomes, retried, oldest, seconds)


def _outcome(received: _Received, pushed: Mapping[InstancePushId, Pushed]) -> Outcome:
    if received.message is not None:
        return pushed[received.message.instance_push_id].outcomes[received.record.message_id]
    return received.decided or NO_TIME


def _unread(messages: Sequence[Message], deadlines: InvocationDeadlines) -> Pushed:
    """What becomes of an account's messages if the table does not say anything about it."""
    in_time = deadlines.for_requests() > 0
    outcomes: dict[str, Outcome] = {}
    retry = aws_failed("the accounts could not be read") if in_time else NO_TIME
    wait_together(messages, Conversations(messages), retry, outcomes)
    return Pushed(outcomes, AccountStanding(None))


def _standing(received: _Received, pushed: Mapping[InstancePushId, Pushed]) -> AccountStanding:
    found = pushed.get(received.account_id) if received.account_id else None
    return found.standing if found else AccountStanding(None)


def _shares_of_requests(
    received: Sequence[_Received], outcomes: Mapping[str, Outcome], largest: int
) -> dict[str, float]:
    """How much of a request each message takes that waits through nobody's failure, by message id."""
    sizes: Counter[tuple[str, str | None]] = Counter()
    waiting: list[tuple[tuple[str, str | None], Message]] = []
    for each in received:
        outcome = outcomes[each.record.message_id]
        if each.message is not None and isinstance(outcome, Retry) and outcome.nobodys:
            kind = (each.message.instance_push_id, each.message.request_id)
            sizes[kind] += len(each.message.resources)
            waiting.append((kind, each.message))
    return {
        message.id: -(-sizes[kind] // largest) * len(message.resources) / sizes[kind]
        for kind, message in waiting
    }


def _waiting_with_others(each: _Decided, decided: Mapping[str, _Decided]) -> _Decided:
    """What waits behind another message in their conversation comes again with it, not before."""
    behind = each.outcome.behind if isinstance(each.outcome, Retry) else None
    first = decided.get(behind) if behind else None
    if each.wait is None or first is None or first.wait is None:
        return each
    return replace(each, wait=first.wait)


def _tens(items: Sequence[Any]) -> list[Any]:
    return [items[start : start + BATCH] for start in range(0, len(items), BATCH)]

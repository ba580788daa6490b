"""One invocation: records in, the ids of those that stay on the queue out.

Parse, look up accounts and pauses, push accounts side by side, then carry out what was decided: dead letters
first, because only then a message may be deleted; then the waiting times of the rest.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from push_content.accounts.account_pusher import NO_TIME, AccountPusher, Collaborators
from push_content.accounts.pauses import InvocationPauses
from push_content.accounts.push_notes import PushNotes
from push_content.answers.answer_judge import Delivered, Outcome, Rejected, Retry, before_sending
from push_content.invocation_deadlines import InvocationDeadlines
from push_content.messages.message import InvalidMessageError, Message, parse
from push_content.messages.sqs_record import Receipt, receipts
from push_content.outcomes import retry_policy
from push_content.outcomes.dead_letters import DeadLetter, dead_letter
from push_content.outcomes.error_codes import ErrorCode
from push_content.outcomes.queues import BATCH, ContentQueue, DeadLetterQueue, chunks
from push_content.outcomes.retry_policy import Wait, WaitingRules
from push_content.requests.push_request import by_account
from push_content.turn_executor import TurnExecutor
from zendesk_channel.accounts import Account
from zendesk_channel.contract import InstancePushId
from zendesk_channel.errors import StoreError
from zendesk_channel.push_state import SharedPauses, Standing


@dataclass
class _Case:
    """One message on its way to its end.

    Attributes:
        request_id: its own, or the Lambda request's.
        account_id: as the body says, None where that cannot be told.
        message: None if its body is not one.
        wait: how long it stays invisible; None if it does not stay on the queue.
    """

    receipt: Receipt
    request_id: str
    outcome: Outcome
    account_id: str | None
    message: Message | None = None
    account: Account | None = None
    paused_until: float = 0
    wait: Wait | None = None

    @property
    def stays(self) -> bool:
        """It stays on the queue."""
        return self.wait is not None

    def dead_letter(self, now: float) -> DeadLetter:
        """Of a rejected message."""
        if not isinstance(self.outcome, Rejected):
            raise TypeError("only what is rejected is dead")
        return dead_letter(
            self.receipt,
            self.outcome,
            account_id=self.account_id,
            account=self.account,
            request_id=self.request_id,
            failed_at=now,
        )


class PushInvocation:
    """The function's work, once composed; keeps nothing between invocations but what its collaborators cache.

    ``uniform`` draws a number from a range.
    """

    def __init__(
        self,
        *,
        collaborators: Collaborators,
        pauses: SharedPauses,
        push_notes: PushNotes,
        content_queue: ContentQueue,
        dead_letter_queue: DeadLetterQueue,
        turn_executor: TurnExecutor,
        rules: WaitingRules,
        uniform: Callable[[float, float], float],
    ) -> None:
        self._with = collaborators
        self._telemetry = collaborators.telemetry
        self._clock = collaborators.clock
        self._pauses = pauses
        self._push_notes = push_notes
        self._content_queue = content_queue
        self._dead_letter_queue = dead_letter_queue
        self._turn_executor = turn_executor
        self._rules = rules
        self._uniform = uniform

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
        begun = self._with.stopwatch()
        self._telemetry.begin(request_id)
        timetable = InvocationDeadlines(time_left)
        unread = Retry(ErrorCode.UNAVAILABLE, "the accounts could not be read")
        at_first = unread if timetable.for_requests() > 0 else NO_TIME
        cases = [_case(receipt, request_id, at_first) for receipt in receipts(records)]
        reached = self._push(cases, timetable)
        self._decide(cases, timetable)
        self._reject(cases, timetable)
        self._hide(cases, timetable)
        if reached:
            self._do([lambda: self._push_notes.note(reached, self._clock())], timetable.for_effects)
        self._report(cases, self._with.stopwatch() - begun)
        return [case.receipt.message_id for case in cases if case.stays]

    def _push(self, cases: Sequence[_Case], timetable: InvocationDeadlines) -> list[Account]:
        """Give every message the outcome of its pushing; returns the accounts that took something."""
        messages = {case.message.id: case for case in cases if case.message}
        accounts = by_account(case.message for case in messages.values() if case.message)
        standing = self._standing(accounts, timetable) if accounts else None
        if standing is None:
            return []
        board = InvocationPauses(
            self._pauses,
            standing,
            first_pause=self._rules.base_delay,
            longest_pause=self._rules.max_delay,
            store_failed=self._telemetry.store_failed,
        )
        runs = []
        for account_id, own in accounts.items():
            account = standing.accounts.get(account_id)
            paused_until = board.paused_until(account) if account else 0.0
            retry = before_sending(account, paused_until, self._clock())
            for message in own:
                messages[message.id].account = account
                messages[message.id].paused_until = paused_until
                if retry:
                    messages[message.id].outcome = retry
            if retry:
                self._telemetry.not_sent(account_id, account, retry.reason, [message.id for message in own])
            elif account:
                runs.append(AccountPusher(account, own, self._with, board, timetable))
        # Who was slow or failing the last time takes turns last.
        runs.sort(key=lambda run: bool(run.account.pause_seconds or run.account.request_limit))
        self._turn_executor.run([run.step for run in runs], timetable.for_answers)
        for run in runs:
            for key, outcome in run.close().items():
                messages[key].account = run.account
                messages[key].outcome = outcome
                messages[key].paused_until = board.paused_until(run.account)
        return [run.account for run in runs if run.reached_zendesk]

    def _standing(
        self, accounts: Iterable[InstancePushId], timetable: InvocationDeadlines
    ) -> Standing | None:
        """What the table says; None if it does not say it in time: then everything waits."""
        found: list[Standing] = []

        def look() -> None:
            try:
                found.append(self._pauses.standing(accounts))
            except StoreError as error:
                self._telemetry.store_failed(error)

        self._do([look], timetable.for_requests)
        return found[0] if found else None

    def _decide(self, cases: Sequence[_Case], timetable: InvocationDeadlines) -> None:
        """Who waits how long, and who has waited enough."""
        retries = [(case, case.outcome) for case in cases if isinstance(case.outcome, Retry)]
        pressed = retry_policy.under_pressure(len(retries), lambda: self._in_flight(timetable))
        now = self._clock()
        for case, retry in retries:
            turn = retry_policy.next_turn(
                case.receipt,
                retry,
                self._rules,
                now=now,
                paused_until=case.paused_until,
                uniform=self._uniform,
                pressed=pressed,
            )
            if isinstance(turn, Wait):
                case.wait = turn
            else:
                case.outcome = turn

    def _in_flight(self, timetable: InvocationDeadlines) -> int | None:
        found: list[int | None] = []
        self._do([lambda: found.append(self._content_queue.in_flight())], timetable.for_rejecting)
        return found[0] if found else None

    def _reject(self, cases: Sequence[_Case], timetable: InvocationDeadlines) -> None:
        """Send dead letters. A message whose dead letter is not there for certain stays, for a short while."""
        rejected = {case.receipt.message_id: case for case in cases if isinstance(case.outcome, Rejected)}
        now = self._clock()
        letters = [case.dead_letter(now) for case in rejected.values()]
        sent: list[str] = []

        def send(chunk: Sequence[DeadLetter]) -> None:
            failed = self._dead_letter_queue.send(chunk)
            sent.extend(letter.id for letter in chunk if letter.id not in failed)
            for error in failed.values():
                self._telemetry.store_failed(error)

        self._do([partial(send, chunk) for chunk in chunks(letters)], timetable.for_rejecting)
        for key in rejected.keys() - set(sent):
            rejected[key].wait = retry_policy.after_failed_rejection(
                rejected[key].receipt, self._rules, self._uniform
            )

    def _hide(self, cases: Sequence[_Case], timetable: InvocationDeadlines) -> None:
        """Set the waiting times. Where that fails, the queue's own visibility timeout is the waiting time."""
        waits = [(case.receipt.receipt_handle, case.wait.seconds) for case in cases if case.wait]

        def hide(chunk: Sequence[tuple[str, int]]) -> None:
            for error in self._content_queue.hide(chunk):
                self._telemetry.store_failed(error)

        tens = [waits[start : start + BATCH] for start in range(0, len(waits), BATCH)]
        self._do([partial(hide, chunk) for chunk in tens], timetable.for_effects)

    def _do(self, tasks: Sequence[Callable[[], object]], time_left: Callable[[], float]) -> None:
        """Calls to AWS, side by side, without waiting longer for them than there is time."""

        def once(task: Callable[[], object]) -> bool:
            if time_left() > 0:
                task()
            return False

        self._turn_executor.run([partial(once, task) for task in tasks], time_left)

    def _report(self, cases: Sequence[_Case], seconds: float) -> None:
        now = self._clock()
        counts: Counter[str] = Counter()
        for case in cases:
            if case.stays:
                counts["retried"] += 1
            elif isinstance(case.outcome, Rejected):
                counts["dead_lettered"] += 1
                self._telemetry.dead_lettered(
                    case.receipt, case.account_id, case.account, case.outcome, case.request_id, now
                )
            else:
                counts["delivered"] += 1
        staying = [case for case in cases if case.stays]
        self._telemetry.count("MessagesDelivered", counts["delivered"])
        self._telemetry.retried(
            [case.outcome.reason for case in staying if not isinstance(case.outcome, Delivered)],
            retry_policy.oldest([case.receipt for case in staying], now),
        )
        self._telemetry.finished({"messages": len(cases), **counts, "duration_ms": round(seconds * 1000)})


def _case(receipt: Receipt, lambda_request_id: str, at_first: Retry) -> _Case:
    try:
        message = parse(receipt)
    except InvalidMessageError as error:
        rejected = Rejected(ErrorCode.INVALID_MESSAGE, str(error))
        return _Case(receipt, error.request_id or lambda_request_id, rejected, error.instance_push_id)
    return _Case(
        receipt, message.request_id or lambda_request_id, at_first, message.instance_push_id, message
    )

"""One account's turns in an invocation: its requests, one after the other, until all its messages have an outcome.

A failure that names nobody may be the account's or come of one message's content. So after one the account pauses, its
requests are halved from the size that failed, and double with each success. What fails alone after others have
succeeded is a message's own failure, and pauses nobody.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from push_content.accounts.credential_recovery import CredentialRecovery, GiveUp, TryAgain, not_confirmed
from push_content.accounts.pauses import AccountStanding, InvocationPauses
from push_content.accounts.push_history import PushHistory
from push_content.answers.answer_judge import AccountSignal, Decision, before_sending, judge
from push_content.begun_work import BegunWork
from push_content.invocation_deadlines import InvocationDeadlines
from push_content.messages.message import Message
from push_content.outcomes.outcome import (
    NO_TIME,
    Delivered,
    ErrorCode,
    Outcome,
    Retry,
    aws_failed,
    unforeseen,
)
from push_content.outcomes.rate_limit_turns import RateLimitTurns
from push_content.requests.conversations import Conversations
from push_content.requests.push_request import PushRequest
from push_content.requests.request_queue import RequestQueue
from push_content.telemetry import PushTelemetry
from zendesk_channel.accounts import Account
from zendesk_channel.client import Response, ZendeskClient
from zendesk_channel.clock import Clock
from zendesk_channel.contract import InstancePushId, PushToken
from zendesk_channel.errors import CredentialMissingError, StoreError, ZendeskError, ZendeskTimeoutError

_SHORTEST_TURN: Final = 1.0  # seconds: what is cut off sooner was begun for nothing
_LATELY: Final = 3600  # seconds
_IN_A_ROW: Final = 4  # requests behind halted ones, or of single messages that fail


@dataclass(frozen=True)
class PusherDeps:
    """What an account's turns need, the same for all of them. ``push_timeout`` in seconds."""

    zendesk: ZendeskClient
    read_token: Callable[[InstancePushId, str], PushToken]
    credential_recovery: CredentialRecovery
    history: PushHistory
    rate_limit_turns: RateLimitTurns
    telemetry: PushTelemetry
    clock: Clock
    push_timeout: float
    max_resources: int
    reserve_percent: float


@dataclass(frozen=True)
class Pushed:
    """What became of an account's messages, by their ids, and what is known of the account by now."""

    outcomes: dict[str, Outcome]
    standing: AccountStanding


def wait_together(
    messages: Iterable[Message], conversations: Conversations, retry: Retry, outcomes: dict[str, Outcome]
) -> None:
    """Give what has no outcome yet, in the order of its arrival, the same one.

    The first of a conversation leads: all that is behind it comes again with it, and so in order.
    """
    for message in messages:
        if message.id not in outcomes:
            outcomes[message.id] = retry
            for other in conversations.behind([message.id]):
                outcomes.setdefault(other, replace(retry, behind=message.id))


class AccountPusher:
    """Sends one account's messages. ``turn`` is called by one thread at a time, ``close`` by any.

    What is decided after ``close`` no longer changes anything.
    """

    def __init__(
        self,
        account_id: InstancePushId,
        messages: Sequence[Message],
        deps: PusherDeps,
        pauses: InvocationPauses,
        deadlines: InvocationDeadlines,
        begun_work: BegunWork,
    ) -> None:
        self.account_id = account_id
        self._messages = {message.id: message for message in messages}
        self._deps = deps
        self._pauses = pauses
        self._deadlines = deadlines
        self._begun_work = begun_work
        self._standing = pauses.known(account_id)
        account = self._standing.account
        self.in_trouble = account is not None and bool(account.pause_seconds or account.request_limit)
        self._limit = deps.max_resources
        if account is not None and account.request_limit is not None:
            self._limit = min(max(1, account.request_limit), deps.max_resources)
        self._failed_before = deps.history.failures(self._messages)
        # It has failed lately and works all the same: a failure may come of a message, and is looked into at once.
        self._suspicious = (
            account is not None
            and account.last_failure_reason == ErrorCode.UNAVAILABLE
            and deps.clock.now() - (account.last_failure_at or 0.0) < _LATELY
        )
        self._queue = RequestQueue(
            messages,
            deps.max_resources,
            last=self._failed_before,
            least_received_first=self.in_trouble,
        )
        self._outcomes: dict[str, Outcome] = {}
        self._told: set[str] = set()  # whose outcome is in the log
        self._delivered: Counter[str] = Counter()  # resources of messages that are sent in several parts
        self._refused_versions: list[str] = []
        self._confirmed_versions: set[str] = set()  # that validate_token did not refuse, whatever push says
        self._succeeded = False
        self._halts = 0
        self._lone_failures = 0
        self._slowest = 0.0
        self._closed = False
        self._lock = threading.Lock()

    def turn(self) -> bool:
        """Send one request and act on its answer; True: there is more to do."""
        try:
            return self._turn()
        except CredentialMissingError as error:
            # As a 5xx: without a pause, each invocation would ask for it again.
            self._deps.telemetry.store_failed(error)
            self._back_off(ErrorCode.UNAVAILABLE)
            self._end(Retry(ErrorCode.UNAVAILABLE, f"the account's token is not there ({error.code})"))
        except StoreError as error:
            self._deps.telemetry.store_failed(error)
            self._end(aws_failed(str(error)))
        except Exception as error:  # noqa: BLE001 (the unforeseen costs this account a retry, and no other anything)
            self._deps.telemetry.unforeseen(error, self.account_id)
            self._end(unforeseen())
        return False

    def close(self) -> Pushed:
        """The outcome of every message, as far as it is known by now."""
        with self._lock:
            self._closed = True
            self._decide_rest(NO_TIME)
            outcomes = dict(self._outcomes)
            untold: dict[ErrorCode, list[Message]] = {}
            for key, outcome in outcomes.items():
                if isinstance(outcome, Retry) and key not in self._told:
                    untold.setdefault(outcome.reason, []).append(self._messages[key])
        for reason, messages in untold.items():  # such as what waits behind another in its conversation
            self._tell(reason, messages)
        return Pushed(outcomes, self._pauses.known(self.account_id))

    def _turn(self) -> bool:
        with self._lock:
            request = None if self._closed else self._queue.next(self._limit, self._outcomes)
        if request is None:
            self._settle()
            return False
        self._standing = self._pauses.standing(self.account_id)
        account = self._standing.account
        obstacle = before_sending(account, self._standing.subdomain_paused_until, self._deps.clock.now())
        # A request that is likely to be cut off is not begun.
        most = self._deps.push_timeout
        timeout = self._deadlines.for_next_request(most, min(max(_SHORTEST_TURN, 2 * self._slowest), most))
        if obstacle is None and timeout is None:
            obstacle = NO_TIME
        if obstacle is not None or account is None or timeout is None:
            self._end(obstacle or unforeseen())
            return False
        with self._begun_work.begun(part.message.id for part in request.parts):
            goes_on = self._send(request, account, timeout)
        if goes_on and self._queue.empty:
            self._settle()
            return False
        return goes_on

    def _send(self, request: PushRequest, account: Account, timeout: float) -> bool:
        token = self._deps.read_token(account.instance_push_id, account.token_version)
        clock = self._deps.clock
        body = request.body()
        sent_at, begun = clock.now(), clock.monotonic()
        try:
            answer: Response | ZendeskError = self._deps.zendesk.push(
                account.subdomain, token, body, timeout=timeout
            )
        except ZendeskError as error:
            answer = error
        seconds = clock.monotonic() - begun
        self._slowest = max(self._slowest, seconds)
        if isinstance(answer, ZendeskTimeoutError) and timeout < self._deps.push_timeout:
            # Cut short by the invocation's end: nobody's failure.
            decision = Decision({part.message.id: NO_TIME for part in request.parts})
        else:
            decision = self._unless_halved(request, self._judged(request, answer, sent_at))
        self._record(request, decision, token)
        status = answer.status if isinstance(answer, Response) else None
        self._deps.telemetry.pushed(request, account, decision, status, seconds, self._deps.clock.now())
        self._told.update(decision.outcomes)
        self._note_rate_limit(account, decision)
        return self._follow(request, account, decision, status)

    def _judged(self, request: PushRequest, answer: Response | ZendeskError, sent_at: float) -> Decision:
        try:
            return judge(
                request,
                answer,
                sent_at=sent_at,
                now=self._deps.clock.now(),
                reserve_percent=self._deps.reserve_percent,
            )
        except Exception as error:  # noqa: BLE001 (an answer that nobody foresaw is found by halving, as a 5xx is)
            self._deps.telemetry.unforeseen(error, self.account_id)
            retry = unforeseen()
            return Decision({part.message.id: retry for part in request.parts}, signal=AccountSignal.FAILED)

    def _unless_halved(self, request: PushRequest, decision: Decision) -> Decision:
        """Where others succeed and single messages are known to fail, one of the request's is to blame.

        On with half of them at once, without a pause.
        """
        if decision.signal is AccountSignal.FAILED:
            if self._halves(request):
                return Decision(again=request.parts)
            outcomes = {
                key: replace(outcome, accounts=len(request.parts) > 1)
                if isinstance(outcome, Retry)
                else outcome
                for key, outcome in decision.outcomes.items()
            }
            return replace(decision, outcomes=outcomes)
        return decision

    def _halves(self, request: PushRequest) -> bool:
        """Whether a failed request goes on in halves, without a pause."""
        halves = len(request.parts) > 1 and self._suspicious and self._others_succeed()
        if halves:
            self._limit = max(1, len(request) // 2)
        return halves

    def _record(self, request: PushRequest, decision: Decision, token: PushToken) -> None:
        sizes = {part.message.id: len(part) for part in request.parts}
        # First what is delivered: it does not wait behind what is not.
        in_order = sorted(decision.outcomes.items(), key=lambda each: not isinstance(each[1], Delivered))
        with self._lock:
            for key, outcome in in_order:
                if isinstance(outcome, Delivered):
                    self._delivered[key] += sizes[key]
                    if self._delivered[key] == len(self._messages[key].resources):
                        self._outcomes.setdefault(key, outcome)
                        if key in self._failed_before:
                            self._deps.history.ended(key)
                    continue
                masked = outcome.masked(token)
                self._outcomes.setdefault(key, masked)
                if isinstance(masked, Retry):
                    self._hold_what_is_behind(key, masked)
                    if masked.reason in (ErrorCode.PROCESSING_ERROR, ErrorCode.MISSING_PARENT):
                        self._deps.history.failed_by_itself(key, masked.reason)

    def _hold_what_is_behind(self, key: str, retry: Retry) -> None:
        """What is behind a message in its conversation waits with it."""
        waits = replace(
            retry,
            text="waits for what is before it in its conversation",
            status=None,
            results={},
            behind=key,
        )
        for other in self._queue.conversations.behind([key]):
            self._outcomes.setdefault(other, waits)

    def _note_rate_limit(self, account: Account, decision: Decision) -> None:
        if decision.requests_per_minute is not None:
            self._deps.rate_limit_turns.seen(account.subdomain, decision.requests_per_minute)
        if decision.subdomain_paused_until is not None:
            self._pauses.pause_subdomain(account.subdomain, decision.subdomain_paused_until)

    def _follow(self, request: PushRequest, account: Account, decision: Decision, status: int | None) -> bool:
        """What the answer means for the account's next requests; True: there may be some."""
        self._put_back(decision)
        match decision.signal:
            case AccountSignal.HEALTHY:
                if not self._succeeded:
                    self._succeeded = True
                    self._deps.history.works(self.account_id, True)
                self._limit = min(2 * self._limit, self._deps.max_resources)
            case AccountSignal.THROTTLED:
                self._deps.telemetry.count("Throttled")
            case AccountSignal.FAILED:
                return self._failed(request)
            case AccountSignal.WRONG_ADDRESS:
                if account.pause_reason != ErrorCode.WRONG_ADDRESS:
                    self._deps.telemetry.count("WrongAddress")
                self._back_off(ErrorCode.WRONG_ADDRESS)
                self._end(Retry(ErrorCode.WRONG_ADDRESS, "not sent: the account's address is wrong"))
                return False
            case AccountSignal.CREDENTIALS:
                return self._recover(request, account, status)
        if request.first.id in self._queue.alone and self._too_many_lone_failures(request):
            self._leave_those_that_failed_before()
        return True

    def _put_back(self, decision: Decision) -> None:
        """Put back what goes out again; behind failures only a few times, as each costs one more request."""
        self._halts = self._halts + 1 if decision.halted else 0
        with self._lock:
            if self._halts > _IN_A_ROW:
                self._halts = 0
                text = f"halted behind other messages' failures, {_IN_A_ROW + 1} times in a row"
                for part in decision.again:
                    self._outcomes.setdefault(part.message.id, Retry(ErrorCode.PROCESSING_ERROR, text))
            elif decision.halved:
                self._queue.put_back_halves(decision.halved)
            elif decision.again:
                self._queue.put_back(decision.again)

    def _failed(self, request: PushRequest) -> bool:
        """A failure that names nobody; True: it is one message's, and others go on."""
        alone = len(request.parts) == 1
        if alone:
            self._deps.history.failed_by_itself(request.first.id, ErrorCode.UNAVAILABLE)
        if alone and self._others_succeed():
            if not self._too_many_lone_failures(request):
                return True
            if request.first.id in self._queue.alone:
                self._leave_those_that_failed_before()
                return True
        self._back_off(ErrorCode.UNAVAILABLE, max(1, len(request) // 2))
        self._end(Retry(ErrorCode.UNAVAILABLE, "not sent: the request before it failed", accounts=True))
        return False

    def _others_succeed(self) -> bool:
        """Zendesk takes what this account sends, but for the request at hand."""
        known = self._pauses.known(self.account_id).account
        return self._succeeded or (
            self._deps.history.worked_last(self.account_id) and known is not None and not known.pause_seconds
        )

    def _too_many_lone_failures(self, request: PushRequest) -> bool:
        """Whether requests of one message have failed five times in a row."""
        outcome = self._outcomes.get(request.first.id)
        lone_failure = len(request.parts) == 1 and isinstance(outcome, Retry)
        self._lone_failures = self._lone_failures + 1 if lone_failure else 0
        return self._lone_failures > _IN_A_ROW

    def _leave_those_that_failed_before(self) -> None:
        """Try a few of them at a time: all of them, at every turn, would use up the customer's rate limit."""
        with self._lock:
            for key, reason in self._failed_before.items():
                if key not in self._outcomes:
                    retry = Retry(reason, "not sent: others that had failed before failed again")
                    self._outcomes[key] = retry
                    self._hold_what_is_behind(key, retry)

    def _recover(self, request: PushRequest, account: Account, status: int | None) -> bool:
        if account.token_version in self._confirmed_versions:
            found: TryAgain | GiveUp = GiveUp(not_confirmed())
        else:
            self._refused_versions.append(account.token_version)
            found = self._deps.credential_recovery.take(account, self._refused_versions)
        if not isinstance(found, GiveUp):
            self._pauses.replace(found.account)
            with self._lock:
                self._queue.put_back(request.parts)
            return True
        if found.marked:
            self._deps.telemetry.count("CredentialsRefused")
        unconfirmed = found.retry.reason is ErrorCode.UNAVAILABLE
        if unconfirmed:
            self._confirmed_versions.add(account.token_version)
            if self._halves(request):
                with self._lock:
                    self._queue.put_back(request.parts)
                return True
        with self._lock:
            # Theirs is what Zendesk answered; the account's other messages were not sent.
            for part in request.parts:
                self._outcomes.setdefault(part.message.id, replace(found.retry, status=status))
                self._hold_what_is_behind(part.message.id, found.retry)
        if unconfirmed:
            return self._failed(request)
        self._end(found.retry)
        return False

    def _back_off(self, reason: ErrorCode, request_limit: int | None = None) -> None:
        account = self._pauses.known(self.account_id).account
        if account is None:
            return
        self._deps.history.works(self.account_id, False)
        if self._succeeded:
            account = replace(account, pause_seconds=0)
        self._succeeded = False
        self._pauses.back_off(account, reason, request_limit=request_limit)

    def _end(self, retry: Retry) -> None:
        """Nothing more is sent: the same outcome for every message that has none."""
        with self._lock:
            undecided = self._decide_rest(retry)
        if undecided:
            self._tell(retry.reason, undecided)
        self._settle()

    def _tell(self, reason: ErrorCode, messages: Sequence[Message]) -> None:
        """Say in the log why these are not sent."""
        self._told.update(message.id for message in messages)
        account = self._pauses.known(self.account_id).account
        self._deps.telemetry.not_sent(self.account_id, account, reason, messages, self._deps.clock.now())

    def _decide_rest(self, retry: Retry) -> list[Message]:
        """The same outcome for what has none; returns that. Called under the lock."""
        undecided = [message for key, message in self._messages.items() if key not in self._outcomes]
        wait_together(undecided, self._queue.conversations, retry, self._outcomes)
        return undecided

    def _settle(self) -> None:
        """Clear what the record says of failures that a success has ended; a limit grows back step by step."""
        account = self._standing.account
        if self._succeeded and account is not None:
            limit = self._limit if self._limit < self._deps.max_resources else None
            trouble = (account.paused_until, account.pause_seconds, account.request_limit)
            if trouble not in ((0, 0, None), (0, 0, limit)):
                self._pauses.clear(account, limit)
        self._succeeded = False

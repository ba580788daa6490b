"""One account's turn in an invocation: its requests, one after the other, until all its messages have an outcome."""

import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from push_content.accounts.credential_recovery import CredentialRecovery, GiveUp
from push_content.accounts.pauses import InvocationPauses
from push_content.accounts.tokens import TokenCache
from push_content.answers.answer_judge import (
    Bearing,
    Delivered,
    Judgement,
    Outcome,
    Retry,
    before_sending,
    judge,
)
from push_content.invocation_deadlines import InvocationDeadlines
from push_content.messages.message import Message
from push_content.outcomes.error_codes import ErrorCode
from push_content.requests.push_body import push_body
from push_content.requests.push_request import PushRequest, coalesce
from push_content.telemetry import Telemetry
from zendesk_channel.accounts import Account
from zendesk_channel.client import Response, ZendeskClient
from zendesk_channel.contract import PushToken
from zendesk_channel.errors import CredentialMissingError, StoreError, ZendeskError

_SHORTEST_TURN: Final = 1.0  # seconds: what is cut off sooner would look like a slow Zendesk
NO_TIME: Final = Retry(ErrorCode.UNAVAILABLE, "no time was left in the invocation", soon=True)


@dataclass(frozen=True)
class Collaborators:
    """What an account's turn needs, the same for all of them. ``push_timeout`` in seconds."""

    zendesk: ZendeskClient
    tokens: TokenCache
    credential_recovery: CredentialRecovery
    telemetry: Telemetry
    clock: Callable[[], float]
    stopwatch: Callable[[], float]
    push_timeout: float
    max_resources: int
    reserve_percent: float


class AccountPusher:
    """Steps through one account's requests. ``step`` is called by one thread at a time, ``close`` by any.

    What is decided after ``close`` concerns nobody any more.
    """

    def __init__(
        self,
        account: Account,
        messages: Sequence[Message],
        collaborators: Collaborators,
        board: InvocationPauses,
        timetable: InvocationDeadlines,
    ) -> None:
        self.account = account
        self._messages = {message.id: message for message in messages}
        self._with = collaborators
        self._board = board
        self._timetable = timetable
        self._limit = min(account.request_limit or collaborators.max_resources, collaborators.max_resources)
        self._requests = deque(coalesce(messages, self._limit))
        self._outcomes: dict[str, Outcome] = {}
        self._delivered: Counter[str] = Counter()  # resources of messages that are sent in several parts
        self._as_read = account
        self._tried: list[str] = []
        self._healthy = False
        self._slowest = 0.0
        self.reached_zendesk = False
        self._closed = False
        self._lock = threading.Lock()

    def step(self) -> bool:
        """Send one request and see to what follows from it; True: there is more to do."""
        try:
            return self._step()
        except CredentialMissingError as error:
            # As a 5xx: without a pause, each invocation would ask for it again.
            self._with.telemetry.store_failed(error)
            self._back_off(ErrorCode.UNAVAILABLE)
            self._end(Retry(ErrorCode.UNAVAILABLE, f"the account's token is not there ({error.code})"))
            return False
        except StoreError as error:
            self._with.telemetry.store_failed(error)
            self._end(Retry(ErrorCode.UNAVAILABLE, f"AWS: {error}"))
            return False
        except Exception as error:  # noqa: BLE001 (the one guard: the unforeseen costs this account a retry, no other)
            self._with.telemetry.unforeseen(error, self.account)
            self._end(Retry(ErrorCode.UNAVAILABLE, "an unforeseen error"))
            return False

    def close(self) -> dict[str, Outcome]:
        """The outcome of every message, as far as it is known by now."""
        with self._lock:
            self._closed = True
            return {key: self._outcomes.get(key, NO_TIME) for key in self._messages}

    def _step(self) -> bool:
        request = self._next_request()
        if request is None:
            self._settle()
            return False
        retry = self._obstacle()
        if retry is not None:
            self._end(retry)
            return False
        token = self._with.tokens.token(self.account)
        answer, seconds = self._push(request, token)
        self._slowest = max(self._slowest, seconds)
        judgement = judge(request, answer, now=self._with.clock(), reserve_percent=self._with.reserve_percent)
        self._record(request, judgement, token)
        status = answer.status if isinstance(answer, Response) else None
        self._with.telemetry.pushed(request, self.account, judgement, status, seconds)
        self._requests.extendleft(reversed(judgement.again))
        self._follow(request, judgement, status)
        return True

    def _next_request(self) -> PushRequest | None:
        """The next one, without messages that have an outcome by now (of one that is sent in several parts)."""
        with self._lock:
            if self._closed:
                return None
            while self._requests:
                request = self._requests.popleft()
                parts = tuple(part for part in request.parts if part.message.id not in self._outcomes)
                if parts:
                    return PushRequest(parts)
        return None

    def _obstacle(self) -> Retry | None:
        """Why nothing may be sent at this moment."""
        paused_until = self._board.subdomain_paused_until(self.account.subdomain)
        retry = before_sending(self.account, paused_until, self._with.clock())
        if retry is not None:
            return retry
        # A request that is likely to be cut off is not begun: it would be a time-out that is not Zendesk's.
        needed = max(min(_SHORTEST_TURN, self._with.push_timeout), 2 * self._slowest)
        if self._timetable.for_requests() < min(needed, self._with.push_timeout):
            return NO_TIME
        return None

    def _push(self, request: PushRequest, token: PushToken) -> tuple[Response | ZendeskError, float]:
        timeout = min(self._with.push_timeout, self._timetable.for_requests())
        body = push_body(request)
        begun = self._with.stopwatch()
        try:
            answer: Response | ZendeskError = self._with.zendesk.push(
                self.account.subdomain, token, body, timeout=timeout
            )
        except ZendeskError as error:
            answer = error
        return answer, self._with.stopwatch() - begun

    def _record(self, request: PushRequest, judgement: Judgement, token: PushToken) -> None:
        sizes = {part.message.id: len(part) for part in request.parts}
        with self._lock:
            for key, outcome in judgement.outcomes.items():
                if isinstance(outcome, Delivered) and not self._all_delivered(key, sizes[key]):
                    continue
                known = outcome if isinstance(outcome, Delivered) else outcome.masked(token)
                self._outcomes.setdefault(key, known)

    def _all_delivered(self, key: str, size: int) -> bool:
        """Count what was delivered of a message; whether that is all of it."""
        self._delivered[key] += size
        return self._delivered[key] == len(self._messages[key].resources)

    def _follow(self, request: PushRequest, judgement: Judgement, status: int | None) -> None:
        """What the answer means for the account's and the subdomain's next requests."""
        if judgement.subdomain_paused_until is not None:
            self._board.pause_subdomain(self.account.subdomain, judgement.subdomain_paused_until)
        match judgement.bearing:
            case Bearing.HEALTHY:
                self.reached_zendesk = self._healthy = True
                self.account = replace(self.account, pause_seconds=0)
                self._limit = min(2 * self._limit, self._with.max_resources)
            case Bearing.THROTTLED:
                self._with.telemetry.count("Throttled")
            case Bearing.UNAVAILABLE:
                limit = max(1, min(self._limit, len(request)) // 2) if judgement.timed_out else None
                self._back_off(ErrorCode.UNAVAILABLE, limit)
                self._end(Retry(ErrorCode.UNAVAILABLE, "not sent: the request before it failed"))
            case Bearing.WRONG_ADDRESS:
                self._with.telemetry.count("WrongAddress")
                self._back_off(ErrorCode.WRONG_ADDRESS)
                self._end(Retry(ErrorCode.WRONG_ADDRESS, "not sent: the account's address is wrong"))
            case Bearing.CREDENTIALS:
                self._look_again(request, status)

    def _look_again(self, request: PushRequest, status: int | None) -> None:
        self._tried.append(self.account.token_version)
        look = self._with.credential_recovery.take(self.account, self._tried)
        if isinstance(look, GiveUp):
            if look.marked:
                self._with.telemetry.count("CredentialsRefused")
            if look.retry.reason is ErrorCode.UNAVAILABLE:
                self._back_off(ErrorCode.UNAVAILABLE)
            with self._lock:
                # Theirs is what Zendesk answered; the account's other messages were not sent.
                for part in request.parts:
                    self._outcomes.setdefault(part.message.id, replace(look.retry, status=status))
            self._end(look.retry)
        else:
            self.account = self._as_read = look.account
            self._requests.appendleft(request)

    def _back_off(self, reason: ErrorCode, request_limit: int | None = None) -> None:
        self._healthy = False
        self.account = self._board.back_off(
            self.account, reason, self._with.clock(), request_limit=request_limit
        )

    def _end(self, retry: Retry) -> None:
        """Nothing more is sent: the same outcome for every message that has none."""
        self._requests.clear()
        with self._lock:
            for key in self._messages:
                self._outcomes.setdefault(key, retry)
        self._settle()

    def _settle(self) -> None:
        """Clear what the record says of failures that a success has ended; a limit grows back by and by."""
        record, self._as_read = self._as_read, replace(self._as_read, pause_seconds=0, request_limit=None)
        if self._healthy and (record.paused_until or record.pause_seconds or record.request_limit):
            self._board.clear(record, self._limit if self._limit < self._with.max_resources else None)

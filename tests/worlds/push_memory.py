"""The whole function on parts in memory: queues, table, secrets and Zendesk, on a clock that is moved by hand."""

import itertools
import json
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from push_content.begun_work import BegunWork
from push_content.composition import assemble
from push_content.settings import PushSettings
from push_content.telemetry import PushTelemetry
from push_content.turn_executor import Turn, TurnExecutor
from worlds.environment import push_environment
from worlds.messages import body
from zendesk_channel.accounts import Account, AccountState
from zendesk_channel.client import Response, Validation
from zendesk_channel.clock import Clock
from zendesk_channel.contract import InstancePushId, PushToken, Subdomain
from zendesk_channel.errors import StoreUnavailableError
from zendesk_channel.push_state import Snapshot
from zendesk_push.in_memory.accounts import InMemoryAccounts, InMemoryPauses, InMemoryTable
from zendesk_push.in_memory.clock import ManualClock
from zendesk_push.in_memory.credentials import InMemoryCredentials
from zendesk_push.in_memory.event_source import InMemoryEventSource
from zendesk_push.in_memory.sqs import InMemorySqs
from zendesk_push.in_memory.zendesk import InMemoryZendeskClient
from zendesk_push.simulator import ZendeskState

ENVIRONMENT = push_environment(RATE_LIMIT_RESERVE_PERCENT="20", POWERTOOLS_METRICS_NAMESPACE="ZendeskPush")

_numbers = itertools.count(1)


class InTurn(TurnExecutor):
    """The same turns, on the caller's own thread."""

    def run(self, turns: Sequence[Turn], time_left: Callable[[], float]) -> None:
        waiting = deque(turns)
        while waiting and time_left() > 0:
            turn = waiting.popleft()
            if turn():
                waiting.append(turn)


class Faulty:
    """Makes the named methods of a collaborator fail as AWS does."""

    def __init__(self) -> None:
        self.broken: set[str] = set()
        self.calls: list[str] = []

    def enter(self, name: str) -> None:
        self.calls.append(name)
        if name in self.broken:
            raise StoreUnavailableError(name, "InternalServerError")


class FaultyPauses(InMemoryPauses):
    """``instead``: what a snapshot says, whatever the table holds by then."""

    instead: Snapshot | None = None
    before_snapshot: Callable[[], object] = staticmethod(lambda: None)

    def __init__(self, table: InMemoryTable, faults: Faulty) -> None:
        super().__init__(table)
        self._faults = faults

    def snapshot(self, instance_push_ids: Iterable[InstancePushId]) -> Any:
        self._faults.enter("snapshot")
        self.before_snapshot()
        return self.instead or super().snapshot(instance_push_ids)

    def pause_subdomain(self, subdomain: Subdomain, until: float) -> bool:
        self._faults.enter("pause_subdomain")
        return super().pause_subdomain(subdomain, until)

    def pause_account(self, account: Account, until: float, **more: Any) -> bool:
        self._faults.enter("pause_account")
        return super().pause_account(account, until, **more)

    def clear_pause(self, account: Account, *, request_limit: int | None) -> bool:
        self._faults.enter("clear_pause")
        return super().clear_pause(account, request_limit=request_limit)

    def note(self, account: Account, **noted: Any) -> bool:
        self._faults.enter("note")
        return super().note(account, **noted)


class FaultyCredentials(InMemoryCredentials):
    def __init__(self, faults: Faulty) -> None:
        super().__init__()
        self._faults = faults

    def read(self, instance_push_id: InstancePushId, version: str) -> PushToken:
        self._faults.enter("read")
        return super().read(instance_push_id, version)


class ObservedZendesk(InMemoryZendeskClient):
    """Lets a test act at the moment of a request: ``before_push`` gets the subdomain, and may raise.

    ``spill``: a subdomain whose requests end with an exception that holds all there is to know.
    """

    spill: str | None = None

    before_push: Callable[[str], None] = staticmethod(lambda _: None)
    after_validation: Callable[[], None] = staticmethod(lambda: None)

    def push(self, subdomain: Subdomain, token: PushToken, body: bytes, *, timeout: float) -> Response:
        if subdomain == self.spill:
            raise ValueError(token.reveal(), body)
        self.before_push(subdomain)
        return super().push(subdomain, token, body, timeout=timeout)

    def validate_token(self, *args: Any, **more: Any) -> Validation:
        found = super().validate_token(*args, **more)
        self.after_validation()
        return found


class ObservedSqs(InMemorySqs):
    """Lets a test act before a call, and say how many messages are in flight."""

    before_call: Callable[[str], object] = staticmethod(lambda _: None)
    in_flight: int | None = None

    def _call(self, operation: str, request: dict[str, Any], answer: Callable[..., Any]) -> Any:
        self.before_call(operation)
        found = super()._call(operation, request, answer)
        if operation == "GetQueueAttributes" and self.in_flight is not None:
            found["Attributes"]["ApproximateNumberOfMessagesNotVisible"] = str(self.in_flight)
        return found


class ListeningTelemetry(PushTelemetry):
    """Keeps what nobody foresaw: the guards would hide it from a test."""

    def __init__(self, settings: PushSettings) -> None:
        super().__init__(settings.service, settings.metrics_namespace, settings.log_level)
        self.surprises: list[Exception] = []

    def unforeseen(self, error: Exception, account_id: str | None = None) -> None:
        self.surprises.append(error)
        super().unforeseen(error, account_id)


class PushWorld:
    """Settings by their environment's names change the defaults."""

    def __init__(self, turn_executor: TurnExecutor | None = None, **settings: str) -> None:
        # Powertools' loggers live forever, by their service's name, and print where the first one did.
        service = {"POWERTOOLS_SERVICE_NAME": f"push-content-{next(_numbers)}"}
        self.settings = PushSettings.from_env(ENVIRONMENT | service | settings)
        self.clock = ManualClock()
        self.sqs = ObservedSqs(self.clock)
        self.sqs.create_queue(QueueName="DeadLetterQueue", Attributes={"MessageRetentionPeriod": "1209600"})
        self.sqs.create_queue(
            QueueName="ContentQueue",
            Attributes={
                "MessageRetentionPeriod": "864000",
                "VisibilityTimeout": "360",
                "MaximumMessageSize": "1000000",
                "RedrivePolicy": json.dumps(
                    {
                        "deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:DeadLetterQueue",
                        "maxReceiveCount": 1000,
                    }
                ),
            },
        )
        self.source = InMemoryEventSource(self.sqs, self.settings.content_queue_url)
        self.faults = Faulty()
        self.table = InMemoryTable()
        self.accounts = InMemoryAccounts(self.table)
        self.credentials = FaultyCredentials(self.faults)
        self.pauses = FaultyPauses(self.table, self.faults)
        self.zendesk = ZendeskState(clock=self.clock)
        self.client = ObservedZendesk(self.zendesk, self.clock.advance)
        self.draw: Callable[[float, float], float] = lambda _, most: most
        self.turn_executor = turn_executor or InTurn()
        self.surprises_expected = False
        self.begun_work = BegunWork(None)
        self.restart()

    def restart(self) -> None:
        """A new container: nothing cached."""
        self.telemetry = ListeningTelemetry(self.settings)
        self.function = assemble(
            self.settings,
            telemetry=self.telemetry,
            sqs=self.sqs.client,
            accounts=self.accounts,
            pauses=self.pauses,
            credentials=self.credentials,
            zendesk=self.client,
            turn_executor=self.turn_executor,
            clock=Clock(self.clock, self.clock, self.clock.advance),
            begun_work=self.begun_work,
            uniform=lambda least, most: self.draw(least, most),
        )

    def connect(self, subdomain: str = "acme") -> str:
        """A new account at Zendesk, registered here; returns its instance_push_id."""
        created = self.zendesk.create_account(subdomain, name=f"{subdomain}'s account")
        key = InstancePushId(created.instance_push_id)
        version = self.credentials.store(key, PushToken(created.token or ""))
        self.accounts.save(Account(key, Subdomain(subdomain), AccountState.ACTIVE, 0, token_version=version))
        return str(key)

    def account(self, key: str) -> Account:
        """Its record."""
        found = self.accounts.get(InstancePushId(key))
        assert found is not None
        return found

    def change(self, key: str, **values: Any) -> None:
        """Write a record's fields by hand."""
        self.table.put(replace(self.account(key), **values))

    def register(self, key: str, token: str) -> None:
        """An administrator's callback brought a token that Zendesk confirmed."""
        version = self.credentials.store(InstancePushId(key), PushToken(token))
        self.accounts.save(replace(self.account(key), token_version=version))

    def send(self, text: str, attributes: dict[str, Any] | None = None, group: str | None = None) -> str:
        """Drop a message; returns its id."""
        request: dict[str, Any] = {"QueueUrl": self.settings.content_queue_url, "MessageBody": text}
        if attributes:
            request["MessageAttributes"] = attributes
        if group:
            request["MessageGroupId"] = group
        return str(self.sqs.send_message(**request)["MessageId"])

    def drop(self, key: str, *resources: Any, **more: Any) -> str:
        """Drop a message for an account; returns its id."""
        return self.send(body(key, resources, **more))

    def invoke(self, seconds: float = 60, batch: int = 10_000) -> list[str]:
        """One invocation over what is visible; returns the ids that stay, after the rest was deleted."""
        event = self.source.receive(batch)
        if event is None:
            return []
        staying = self.run(event["Records"], seconds)
        self.source.settle(event, {"batchItemFailures": [{"itemIdentifier": key} for key in staying]})
        return staying

    def run(self, records: list[dict[str, Any]], seconds: float = 60) -> list[str]:
        """One invocation over records, which deletes nothing."""
        end = self.clock() + seconds
        staying = self.function.run(records, time_left=lambda: end - self.clock(), request_id="lambda-1")
        if self.telemetry.surprises and not self.surprises_expected:
            raise self.telemetry.surprises[0]
        return staying

    @property
    def pushes(self) -> list[int]:
        """How many resources each push request that reached Zendesk had."""
        return [each.resources for each in self.zendesk.requests if each.endpoint == "push"]

    def dead(self) -> list[dict[str, Any]]:
        """Takes the dead letters from their queue, as ReceiveMessage gives them."""
        found: list[dict[str, Any]] = []
        while True:
            answer = self.sqs.receive_message(
                QueueUrl=self.settings.dead_letter_queue_url,
                MaxNumberOfMessages=10,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
            if "Messages" not in answer:
                return found
            found += answer["Messages"]

    def contexts(self) -> list[dict[str, Any]]:
        """What the dead letters say of where they come from; they are taken from their queue."""
        return [json.loads(letter["MessageAttributes"]["Context"]["StringValue"]) for letter in self.dead()]

    def reasons(self) -> list[str]:
        """The ErrorCodes of the dead letters, which are taken from their queue."""
        return [letter["MessageAttributes"]["ErrorCode"]["StringValue"] for letter in self.dead()]

    def wear(self, days: float = 4, receipts: int = 4) -> None:
        """Let what is on the content queue grow old, and have been received so many times."""
        self.clock.advance(days * 86_400)
        for message in self.sqs.queue(self.settings.content_queue_url).messages():
            message.receive_count = receipts

    def waits(self) -> dict[str, float]:
        """Seconds until each message of the content queue is visible again."""
        queue = self.sqs.queue(self.settings.content_queue_url)
        return {each.message_id: each.visible_at - self.clock() for each in queue.messages()}

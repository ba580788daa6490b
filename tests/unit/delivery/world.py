"""The whole of delivery in one process: queues, workers, accounts, and a Zendesk; and what became of everything."""

import contextlib
import io
import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

from push_content.composition import assemble
from push_content.outcomes.dead_letters import restore_attributes
from push_content.settings import PushSettings
from push_content.telemetry import PushTelemetry
from unit.delivery.effects import Effects, Staged
from unit.delivery.stage import Stage, StagedNotes, StagedTurnExecutor
from unit.delivery.watch import INVOCATION, SUBDOMAINS, UNREGISTERED, Invocation, Watch
from worlds.environment import push_environment
from zendesk_channel.accounts import Account, AccountState
from zendesk_channel.clock import Clock
from zendesk_channel.contract import InstancePushId, PushToken, Subdomain
from zendesk_push.bench.traffic import Sent
from zendesk_push.in_memory.accounts import InMemoryAccounts, InMemoryPauses, InMemoryTable
from zendesk_push.in_memory.clock import ManualClock
from zendesk_push.in_memory.credentials import InMemoryCredentials
from zendesk_push.in_memory.event_source import InMemoryEventSource
from zendesk_push.in_memory.sqs import InMemorySqs
from zendesk_push.in_memory.sqs_queue import QueuedMessage
from zendesk_push.in_memory.zendesk import InMemoryZendeskClient
from zendesk_push.simulator.core import ZendeskState
from zendesk_push.simulator.endpoints import ValidateTokenPolicy

# Seconds. Short, so that a message's whole life fits into an example; in the proportions of the real ones.
BASE_DELAY, MAX_DELAY, WINDOW, RETENTION = 2, 60, 900, 7_200
PUSH_TIMEOUT = 10
VISIBILITY = 6 * INVOCATION
MAX_RESOURCES = 8
RATE_LIMIT = 40

SERVICE = "delivery"

ENVIRONMENT = push_environment(
    MAX_RESOURCES_PER_REQUEST=str(MAX_RESOURCES),
    PUSH_TIMEOUT_SECONDS=str(PUSH_TIMEOUT),
    RETRY_BASE_DELAY_SECONDS=str(BASE_DELAY),
    RETRY_MAX_DELAY_SECONDS=str(MAX_DELAY),
    RETRY_WINDOW_SECONDS=str(WINDOW),
    RATE_LIMIT_RESERVE_PERCENT="10",
    QUEUE_RETENTION_SECONDS=str(RETENTION),
    QUEUE_VISIBILITY_SECONDS=str(VISIBILITY),
    POWERTOOLS_SERVICE_NAME=SERVICE,
)
# Powertools keeps the stream that its logger was first made with.
OUTPUT = io.StringIO()


class DeliveryWorld:
    """Everything, and the methods by which it is moved. ``violations`` are broken rules seen on the way."""

    def __init__(self, broken: Mapping[str, Callable[[Any], Any]] | None = None, **settings: str) -> None:
        """``broken``: what breaks a worker, by the collaborator that it is put around; ``settings`` likewise."""
        self._broken = dict(broken or {})
        self._overrides = settings
        self.clock = ManualClock()
        self.stage = Stage(self.clock)
        self.effects = Effects(self.stage)
        self.violations: list[str] = []
        self.confirmed: dict[str, set[str]] = {}
        self.watch = Watch(self.stage, self.confirmed, self.violations)
        self.effects.before = self.watch.before
        self.effects.after = self.watch.after
        self.output = OUTPUT
        self.output.seek(0)
        self.output.truncate()
        self._queues()
        self.table = InMemoryTable()
        self.accounts = InMemoryAccounts(self.table)
        self.credentials = InMemoryCredentials()
        ids, tokens = itertools.count(), itertools.count(1)
        self.zendesk = ZendeskState(
            clock=self.clock,
            new_id=lambda: f"id{next(ids)}",
            new_token=lambda: f"{next(tokens):064x}",
            rate_limit=RATE_LIMIT,
            validate_token_policy=ValidateTokenPolicy.AFTER_SAVE,
        )
        self.sent: dict[str, Sent] = {}  # by body
        self.redriven: set[str] = set()  # keys; of these there may be several copies
        self.invocations: list[Invocation] = []
        self.running: dict[str, Invocation] = {}
        # Asked at the very moment an invocation ends: later, time has passed.
        self.on_ended: Callable[[Invocation], Iterable[str]] = lambda _: ()
        self._containers: dict[str, Any] = {}
        self._notes: dict[
            str, list[set[str]]
        ] = {}  # what each worker's environment keeps beyond a process's death
        self._numbers = itertools.count(1)
        for key, subdomain in SUBDOMAINS.items():
            self.zendesk.create_account(subdomain, instance_push_id=key)
            if key != UNREGISTERED:
                self.register(key)

    def _queues(self) -> None:
        self.sqs = InMemorySqs(self.clock)
        self.dead_url = self.sqs.create_queue(
            QueueName="dead", Attributes={"MessageRetentionPeriod": "1209600"}
        )["QueueUrl"]
        self.live_url = self.sqs.create_queue(
            QueueName="live",
            Attributes={
                "MessageRetentionPeriod": str(RETENTION),
                "VisibilityTimeout": str(VISIBILITY),
                "MaximumMessageSize": "1000000",
                "RedrivePolicy": (
                    '{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:dead", "maxReceiveCount": 1000}'
                ),
            },
        )["QueueUrl"]
        self.live = self.sqs.queue(self.live_url)
        self.dead = self.sqs.queue(self.dead_url)
        self.source = InMemoryEventSource(self.sqs, self.live_url)
        self.settings = PushSettings.from_env(
            ENVIRONMENT
            | {"CONTENT_QUEUE_URL": self.live_url, "DEAD_LETTER_QUEUE_URL": self.dead_url}
            | self._overrides
        )

    # Upstream systems, and who tends the dead letters -----------------------------------------------------

    def send(self, sent: Sent) -> None:
        """Drop a message."""
        self.sent[sent.body] = sent
        request: dict[str, Any] = {"QueueUrl": self.live_url, "MessageBody": sent.body}
        if sent.attributes:
            request["MessageAttributes"] = sent.attributes
        if sent.account:
            request["MessageGroupId"] = sent.account
        self.sqs.send_message(**request)

    def redrive(self, *, unpacked: bool) -> None:
        """Send all dead letters back: with our tool, or as the console does, with the reason still on them."""
        for letter in self.dead.messages():
            self.redriven.add(self.sent[letter.body].key)
            attributes: Any = dict(letter.attributes)
            if unpacked:
                attributes = restore_attributes(attributes)
            request: dict[str, Any] = {"QueueUrl": self.live_url, "MessageBody": letter.body}
            if attributes:
                request["MessageAttributes"] = attributes
            if letter.group_id:
                request["MessageGroupId"] = letter.group_id
            self.sqs.send_message(**request)
        self.dead.purge()

    # Administrators ---------------------------------------------------------------------------------------

    def register(self, key: str) -> None:
        """The admin function has had the account's newest token confirmed, and stores it."""
        token = PushToken(self.zendesk.accounts.get(key).token or "revoked")
        version = self.credentials.store(InstancePushId(key), token)
        self.confirmed.setdefault(key, set()).add(token.reveal())
        self._write(key, state=AccountState.ACTIVE, token_version=version)

    def keep_pending(self, key: str, token: str) -> None:
        """An edit brought a token that Zendesk did not confirm yet."""
        version = self.credentials.store(InstancePushId(key), PushToken(token), pending=True)
        self._write(key, pending_version=version, pending_since=self.clock())

    def set_state(self, key: str, state: AccountState) -> None:
        """An event callback has switched the account on or off."""
        self._write(key, state=state)

    def pause_by_operator(self, key: str, paused: bool) -> None:
        """An operator stops an account, or lets it go on."""
        record = self.record(key)
        if record is not None:
            self.disturb()
            self.table.put(replace(record, paused_by_operator_at=self.clock() if paused else None))

    def remove(self, key: str) -> None:
        """An event callback has told that the account is gone."""
        self.credentials.schedule_deletion(InstancePushId(key))
        self._write(key, state=AccountState.DELETED, token_version="")

    def record(self, key: str) -> Account | None:
        """The account's item."""
        return self.table.accounts.get(InstancePushId(key))

    def _write(self, key: str, **changes: Any) -> None:
        self.disturb()
        known = self.record(key) or Account(
            InstancePushId(key), Subdomain(SUBDOMAINS[key]), AccountState.ACTIVE, 0
        )
        self.accounts.save(replace(known, **changes))

    # Workers ----------------------------------------------------------------------------------------------

    def start(self, worker: str, batch: int, *, twice: bool = False) -> bool:
        """Lambda hands a worker what is visible; ``twice``: SQS delivers the first message a second time."""
        event = self.source.receive(batch)
        if event is None:
            return False
        if twice:
            self.live.redeliver(event["Records"][0]["messageId"])
            again = self.source.receive(1000)
            event["Records"] += again["Records"] if again else []
        if self.running:
            self.disturb()
        invocation = Invocation(next(self._numbers), worker, event, self.clock())
        alone = set().union(*self._notes.get(worker, [])) & {each["messageId"] for each in event["Records"]}
        invocation.undisturbed = not (self.running or any(self.effects.armed.values()) or alone)
        invocation.imported_before = {
            record["body"] for record in event["Records"] if self.delivered(self.sent[record["body"]])
        }
        self.invocations.append(invocation)
        self.running[worker] = invocation
        function = self._container(worker)
        self.stage.spawn(worker, lambda: self._invoke(invocation, function), invocation)
        return True

    def _invoke(self, invocation: Invocation, function: Any) -> None:
        staying = function.run(
            invocation.event["Records"],
            time_left=lambda: invocation.deadline - self.clock(),
            request_id=f"lambda-{invocation.number}",
        )
        invocation.answer = {"batchItemFailures": [{"itemIdentifier": key} for key in staying]}
        invocation.ended_at = self.clock()
        self.stage.before_effect("lambda.delete")
        self.source.settle(invocation.event, invocation.answer)
        del self.running[invocation.worker]
        self.violations += self.on_ended(invocation)

    def kill(self, worker: str) -> None:
        """A worker's process ends where it stands; the next invocation finds a new one."""
        self.stage.kill(worker)
        self._containers.pop(worker, None)
        self.running.pop(worker, None)

    # Time -------------------------------------------------------------------------------------------------

    def move(self, pick: int, worker: str | None = None) -> bool:
        """One thread goes on to its next effect; if none can, time passes until one can. False: nobody is left."""
        ready = self.stage.ready(worker)
        if not ready:
            wakes_at = self.stage.next_wake(worker)
            if wakes_at is None:
                return False
            # The clock knows whole milliseconds; a fraction of one must not be waited for forever.
            self.pass_time(max(0.001, wakes_at - self.clock()))
            return True
        with contextlib.redirect_stdout(self.output):
            self.stage.step(ready[pick % len(ready)])
        return True

    def finish(self, worker: str, pick: int = 0) -> None:
        """Let one worker come to the end of its invocation."""
        while worker in self.running and self.move(pick, worker):
            pass

    def pass_time(self, seconds: float) -> None:
        """The clock moves on; Lambda ends whoever is over time."""
        for worker, invocation in self.running.items():
            wakes_at = self.stage.next_wake(worker)
            if self.stage.ready(worker) or (wakes_at is not None and wakes_at < self.clock() + seconds):
                invocation.stalled = True
                invocation.undisturbed = False
        self.clock.advance(seconds)
        for worker, invocation in list(self.running.items()):
            if self.clock() > invocation.deadline:
                if not invocation.stalled and invocation.ended_at is None:
                    self.violations.append(f"invocation {invocation.number} was over time")
                self.kill(worker)

    def troubled(self, account: str) -> bool:
        """Zendesk may fail for this account now, or for its subdomain."""
        return any(
            not fault.spent
            and (fault.instance_push_id is None or SUBDOMAINS[fault.instance_push_id] == SUBDOMAINS[account])
            for fault in self.zendesk.faults
        )

    def disturb(self) -> None:
        """Something changes while invocations run: they can't be held to what they found at their start."""
        for invocation in self.running.values():
            invocation.undisturbed = False

    def _container(self, worker: str) -> Any:
        if worker not in self._containers:
            with contextlib.redirect_stdout(self.output):
                self._containers[worker] = assemble(
                    self.settings,
                    sqs=self._staged(
                        self.sqs,
                        "sqs",
                        "change_message_visibility_batch send_message_batch delete_message_batch",
                    ),
                    telemetry=self._telemetry(),
                    accounts=self._staged(self.accounts, "accounts", "get save mark_refused clear_refused"),
                    pauses=self._staged(
                        InMemoryPauses(self.table),
                        "pauses",
                        "snapshot pause_subdomain pause_account clear_pause note",
                    ),
                    credentials=self._staged(
                        self.credentials, "credentials", "read store make_current restore"
                    ),
                    zendesk=self._staged(
                        InMemoryZendeskClient(self.zendesk, self.stage.sleep),
                        "zendesk",
                        "push validate_token",
                    ),
                    turn_executor=StagedTurnExecutor(self.stage, worker),
                    begun_work=StagedNotes(self._notes.setdefault(worker, [])),
                    clock=Clock(self.clock, self.clock, self.stage.sleep),
                    uniform=lambda least, most: (least + most) / 2,
                )
            # What is logged is looked at here; pytest need not keep it as well.
            logging.getLogger(SERVICE).propagate = False
            if "function" in self._broken:
                self._containers[worker] = self._broken["function"](self._containers[worker])
        return self._containers[worker]

    def _telemetry(self) -> PushTelemetry:
        """What nobody foresaw is a violation: the guards would hide it."""
        world = self

        class Listening(PushTelemetry):
            def unforeseen(self, error: Exception, account_id: str | None = None) -> None:
                world.violations.append(f"an unforeseen {error!r}")
                super().unforeseen(error, account_id)

        settings = self.settings
        return Listening(settings.service, settings.metrics_namespace, settings.log_level)

    def _staged(self, target: Any, name: str, calls: str) -> Any:
        staged = cast("Any", Staged(target, name, self.effects, calls.split()))
        return self._broken.get(name, lambda whole: whole)(staged)

    # What is where ----------------------------------------------------------------------------------------

    def on_queue(self) -> set[str]:
        """The bodies on the content queue."""
        return {message.body for message in self.live.messages()}

    def letters(self) -> list[QueuedMessage]:
        """The dead letters."""
        return self.dead.messages()

    def missing_resources(self, sent: Sent) -> list[str]:
        """The external ids of a message that are not in Zendesk, in the account that they are for."""
        if sent.account not in SUBDOMAINS:
            return [external_id or "" for external_id, _ in sent.resources]
        account = self.zendesk.accounts.get(sent.account)
        return [
            external_id or ""
            for external_id, _ in sent.resources
            if external_id is None or self.zendesk.tickets.comment(account, external_id) is None
        ]

    def delivered(self, sent: Sent) -> bool:
        """All of it is in Zendesk."""
        return not sent.invalid and not self.missing_resources(sent)

    def totals(self) -> dict[str, int]:
        """How much has happened, in numbers."""
        return {
            "worlds": 1,
            "messages": len(self.sent),
            "invocations": len(self.invocations),
            "killed": sum(1 for each in self.invocations if each.answer is None),
            "undisturbed": sum(1 for each in self.invocations if each.undisturbed),
            "deliverable": sum(len(each.deliverable) for each in self.invocations),
            "requests": sum(1 for each in self.zendesk.requests if each.endpoint == "push"),
            "validations": sum(1 for each in self.zendesk.requests if each.endpoint != "push"),
            "aws_failures": sum(self.effects.struck.values()),
            "zendesk_failures": sum(1 for each in self.zendesk.requests if each.status != 200),
            "delivered": sum(1 for each in self.sent.values() if self.delivered(each)),
            "dead": len(self.letters()),
        }

    def close(self) -> None:
        """End everything that still stands on the stage."""
        self.zendesk.switch_off()
        self.stage.kill()

    def tokens(self) -> Iterator[str]:
        """All tokens that were ever confirmed."""
        for tokens in self.confirmed.values():
            yield from tokens

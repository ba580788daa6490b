"""The push function on parts in memory: a queue, a table, tokens, and as many containers as are asked for."""

import random
import shutil
import tempfile
import time
import weakref
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from push_content.begun_work import BegunWork
from push_content.composition import assemble, collect_garbage_seldom
from push_content.invocation import PushInvocation
from push_content.settings import PushSettings
from zendesk_channel.accounts import Account, AccountsTable, AccountState
from zendesk_channel.client import ZendeskClient
from zendesk_channel.clock import Clock
from zendesk_channel.contract import InstancePushId, PushToken, Subdomain
from zendesk_channel.credentials import CredentialStore
from zendesk_channel.push_state import SharedPauses
from zendesk_push.bench.traffic import message
from zendesk_push.in_memory.accounts import InMemoryAccounts, InMemoryPauses, InMemoryTable
from zendesk_push.in_memory.credentials import InMemoryCredentials
from zendesk_push.in_memory.sqs import InMemorySqs
from zendesk_push.template.environment import function_environment

INVOCATION: Final = 60.0  # seconds


class Harness:
    """Everything around the push function but Zendesk. What is not given is in memory.

    Args:
        accounts: their ids; each has a subdomain of its own.
        settings: environment variables other than the template's.
        clock: epoch seconds.
    """

    def __init__(
        self,
        accounts: Sequence[str],
        *,
        settings: dict[str, str] | None = None,
        sqs: Any = None,
        table: tuple[AccountsTable, SharedPauses] | None = None,
        credentials: CredentialStore | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.sqs = InMemorySqs(clock)
        self.dead_url = self.sqs.create_queue(QueueName="dead")["QueueUrl"]
        self.content_url = self.sqs.create_queue(
            QueueName="content", Attributes={"VisibilityTimeout": "780", "MessageRetentionPeriod": "864000"}
        )["QueueUrl"]
        self._folder = Path(tempfile.mkdtemp())  # Lambda's /tmp
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self.table = InMemoryTable()
        self._used_sqs: Any = sqs or self.sqs
        self._accounts, self._pauses = table or (InMemoryAccounts(self.table), InMemoryPauses(self.table))
        self.credentials = credentials or InMemoryCredentials()
        self._clock = clock
        self._random = random.Random(1)  # so that a run can be repeated
        self._settings = PushSettings.from_env(
            function_environment(
                "PushContentFunction",
                {
                    "CONTENT_QUEUE_URL": self.content_url,
                    "DEAD_LETTER_QUEUE_URL": self.dead_url,
                    "POWERTOOLS_SERVICE_NAME": "bench",
                    **(settings or {}),
                },
            )
        )
        self.tokens = {key: f"{number:064x}" for number, key in enumerate(accounts, 1)}
        for number, (key, token) in enumerate(self.tokens.items()):
            version = self.credentials.store(InstancePushId(key), PushToken(token))
            subdomain = Subdomain(f"sub{number}")
            account = Account(InstancePushId(key), subdomain, AccountState.ACTIVE, 0, token_version=version)
            self._accounts.save(account)

    def container(self, zendesk: ZendeskClient) -> "Container":
        """One more container of the function; it shares nothing with the others but what AWS would hold."""
        collect_garbage_seldom()  # as the function does; what it is measured beside has it too
        function = assemble(
            self._settings,
            sqs=self._used_sqs,
            accounts=self._accounts,
            pauses=self._pauses,
            credentials=self.credentials,
            zendesk=zendesk,
            begun_work=BegunWork(self._folder),
            clock=Clock(self._clock, self._clock),
            uniform=self._random.uniform,
        )
        return Container(function, self._clock)


class Container:
    """Runs one invocation at a time."""

    def __init__(self, function: PushInvocation, clock: Callable[[], float]) -> None:
        self._function = function
        self._clock = clock

    def run(self, records: Iterable[dict[str, Any]], seconds: float = INVOCATION) -> list[str]:
        """One invocation; returns the ids of the messages that stay on the queue."""
        end = self._clock() + seconds
        return self._function.run(records, time_left=lambda: end - self._clock(), request_id="bench")


def records(
    accounts: Sequence[str],
    number: int,
    *,
    poison: Iterable[int] = (),
    size: int = 1,
    first: int = 1,
    padding: int = 0,
) -> list[dict[str, Any]]:
    """So many messages, the accounts in turn, as Lambda hands them over.

    Args:
        poison: numbers of those that offend the schema.
        size: resources of a message.
        padding: characters more of text in each resource.
    """
    offending = set(poison)
    made = []
    for index in range(number):
        sent = message(
            f"m{first + index}",
            accounts[index % len(accounts)],
            size=size,
            poison={0: {"message": ""}} if index in offending else None,
            text=" and more" * (padding // 9),
        )
        made.append(
            {
                "messageId": sent.key,
                "receiptHandle": f"receipt-{first + index}",
                "body": sent.body,
                "attributes": {
                    "SentTimestamp": str(round(time.time() * 1000)),
                    "ApproximateReceiveCount": "1",
                },
                "messageAttributes": {},
            }
        )
    return made

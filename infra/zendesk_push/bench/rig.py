"""The push function on parts in memory, with accounts and records to give to it."""

import contextlib
import io
import time
from collections.abc import Iterable, Sequence
from typing import Any, Final

from push_content.composition import assemble
from push_content.invocation import PushInvocation
from push_content.settings import Settings
from zendesk_channel.accounts import Account, AccountsTable, AccountState
from zendesk_channel.client import ZendeskClient
from zendesk_channel.contract import InstancePushId, PushToken, Subdomain
from zendesk_channel.credentials import CredentialStore
from zendesk_channel.push_state import SharedPauses
from zendesk_push.bench.traffic import message
from zendesk_push.in_memory.accounts import InMemoryAccounts, InMemoryPauses, InMemoryTable
from zendesk_push.in_memory.credentials import InMemoryCredentials
from zendesk_push.in_memory.sqs import InMemorySqs
from zendesk_push.template.environment import function_environment

INVOCATION: Final = 60.0  # seconds


class Rig:
    """One worker. By default everything but Zendesk is in memory.

    Args:
        accounts: their ids; each has a subdomain of its own.
        push_timeout: seconds.
    """

    def __init__(
        self,
        zendesk: ZendeskClient,
        accounts: Sequence[str],
        *,
        push_timeout: float = 30,
        sqs: Any = None,
        table: tuple[AccountsTable, SharedPauses] | None = None,
        credentials: CredentialStore | None = None,
    ) -> None:
        memory = InMemorySqs(time.time)
        urls = [memory.create_queue(QueueName=name)["QueueUrl"] for name in ("content", "dead")]
        shared = InMemoryTable()
        self._accounts, self._pauses = table or (InMemoryAccounts(shared), InMemoryPauses(shared))
        self._credentials = credentials or InMemoryCredentials()
        self.tokens = {key: f"{number:064x}" for number, key in enumerate(accounts, 1)}
        for number, (key, token) in enumerate(self.tokens.items()):
            version = self._credentials.store(InstancePushId(key), PushToken(token))
            self._accounts.save(
                Account(
                    InstancePushId(key),
                    Subdomain(f"sub{number}"),
                    AccountState.ACTIVE,
                    0,
                    token_version=version,
                )
            )
        self._function = self._assembled(sqs or memory, urls, zendesk, push_timeout)

    def _assembled(
        self, sqs: Any, urls: Sequence[str], zendesk: ZendeskClient, push_timeout: float
    ) -> PushInvocation:
        settings = Settings.from_env(
            function_environment(
                "PushContentFunction",
                {
                    "CONTENT_QUEUE_URL": urls[0],
                    "DEAD_LETTER_QUEUE_URL": urls[1],
                    "PUSH_TIMEOUT_SECONDS": str(push_timeout),
                    "POWERTOOLS_SERVICE_NAME": "bench",
                },
            )
        )
        with contextlib.redirect_stdout(io.StringIO()):  # where the logger will write
            return assemble(
                settings,
                sqs=sqs,
                accounts=self._accounts,
                pauses=self._pauses,
                credentials=self._credentials,
                zendesk=zendesk,
            )

    def run(self, records: Iterable[dict[str, Any]]) -> list[str]:
        """One invocation; returns the ids of the messages that stay on the queue."""
        end = time.monotonic() + INVOCATION
        with contextlib.redirect_stdout(io.StringIO()):  # metrics are printed
            return self._function.run(records, time_left=lambda: end - time.monotonic(), request_id="bench")


def records(
    accounts: Sequence[str], number: int, *, poison: Iterable[int] = (), size: int = 1, first: int = 1
) -> list[dict[str, Any]]:
    """So many messages, the accounts in turn, as Lambda hands them over; ``poison`` numbers offend the schema."""
    offending = set(poison)
    made = []
    for index in range(number):
        sent = message(
            f"m{first + index}",
            accounts[index % len(accounts)],
            size=size,
            poison={0: {"message": ""}} if index in offending else None,
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

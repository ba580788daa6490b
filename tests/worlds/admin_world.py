"""The function on parts in memory: no AWS, no network, and nothing of ours patched."""

import json
from collections import Counter
from typing import Any, cast

from admin_callback.accounts.metadata_keys import MetadataKeys
from admin_callback.accounts.sealed_metadata import MetadataSealer
from admin_callback.composition import Application, assemble
from admin_callback.http.import_reports import ReceiptQueue
from admin_callback.replies.replies_queue import RepliesQueue
from admin_callback.settings import Settings
from push_content.accounts.revalidation import Cursor, CursorStore, Revalidation
from push_content.schedule import assemble_revalidation
from push_content.telemetry import METRICS
from worlds.admin_requests import AdminRequests
from worlds.environment import admin_environment
from worlds.scripted_zendesk import ScriptedClient, ScriptedZendesk
from worlds.sealing_in_memory import KmsInMemory, MetadataKeySecret
from worlds.set_clock import SetClock
from zendesk_channel.accounts import Account
from zendesk_channel.contract import InstancePushId, PushToken
from zendesk_channel.errors import StoreUnavailableError
from zendesk_channel.telemetry import Telemetry
from zendesk_push.in_memory.accounts import InMemoryAccounts, InMemoryTable
from zendesk_push.in_memory.credentials import InMemoryCredentials
from zendesk_push.in_memory.replies import InMemoryReplyLog
from zendesk_push.in_memory.sqs import InMemorySqs


def settings_of(zendesk: ScriptedZendesk, **overrides: Any) -> Settings:
    """The function's settings, as template.yaml has them, for this Zendesk."""
    environment = admin_environment(
        PUSH_CLIENT_ID="zendesk_push",
        INTEGRATION_NAME="Newsroom",
        INTEGRATION_ID="urn:example:newsroom",
        INTEGRATION_AUTHOR="Example",
        METADATA_KEY_SECRET="metadata-key",
        POWERTOOLS_METRICS_NAMESPACE="ZendeskPush",
        LOG_LEVEL="DEBUG",
    )
    settings = Settings.from_env({**environment, "ZENDESK_BASE_URL": zendesk.base_url})
    return Settings(**{**vars(settings), **overrides})


class CountedAccounts(InMemoryAccounts):
    """Counts the reads of the table, and refuses them while it is told to."""

    failing = False

    def __init__(self, table: InMemoryTable) -> None:
        super().__init__(table)
        self.reads = 0

    def get(self, instance_push_id: InstancePushId) -> Account | None:
        self.reads += 1
        if self.failing:
            raise StoreUnavailableError("GetItem", "InternalServerError")
        return super().get(instance_push_id)


class FailingCredentials(InMemoryCredentials):
    """Fails for the accounts that it is told of."""

    def __init__(self) -> None:
        super().__init__()
        self.failing: set[InstancePushId] = set()

    def read(self, instance_push_id: InstancePushId, version: str) -> PushToken:
        if instance_push_id in self.failing:
            raise StoreUnavailableError("GetSecretValue", "InternalServiceError")
        return super().read(instance_push_id, version)

    def schedule_deletion(self, instance_push_id: InstancePushId) -> None:
        if instance_push_id in self.failing:
            raise StoreUnavailableError("DeleteSecret", "InternalServiceError")
        super().schedule_deletion(instance_push_id)


class InMemoryCursors(CursorStore):
    """``CursorStore`` without DynamoDB."""

    def __init__(self) -> None:
        self._cursor = Cursor()

    def read(self) -> Cursor:
        """As the store's."""
        return self._cursor

    def write(self, cursor: Cursor) -> None:
        """As the store's."""
        self._cursor = cursor


class AdminWorld(AdminRequests):
    """One stack. Everything in it is fresh."""

    def __init__(self, **overrides: Any) -> None:
        self.zendesk = ScriptedZendesk()
        self.clock = SetClock()
        self.table = InMemoryTable()
        self.accounts = CountedAccounts(self.table)
        self.credentials = FailingCredentials()
        self.cursors = InMemoryCursors()
        self.kms = KmsInMemory()
        self.metadata_key = MetadataKeySecret(self.clock.now)
        self.sqs = InMemorySqs(self.clock.now)
        self.receipts_url: str = self.sqs.client.create_queue(QueueName="receipts")["QueueUrl"]
        self.replies_url: str = self.sqs.client.create_queue(QueueName="replies")["QueueUrl"]
        self.reply_log = InMemoryReplyLog()
        self.settings = settings_of(self.zendesk, **overrides)
        self.app = self.build()

    def restart(self, **overrides: Any) -> None:
        """Another container, perhaps with other settings."""
        self.app = self.build(**overrides)

    def build(self, **overrides: Any) -> Application:
        """One more container beside the one that is used normally."""
        settings = Settings(**{**vars(self.settings), **overrides})
        return assemble(
            settings,
            accounts=self.accounts,
            credentials=self.credentials,
            sealer=self.sealer,
            zendesk=ScriptedClient(self.zendesk),
            receipt_queue=ReceiptQueue(self.sqs.client, self.receipts_url)
            if settings.receipt_queue_url
            else None,
            replies=(self.reply_log, RepliesQueue(self.sqs.client, self.replies_url))
            if settings.replies_queue_url
            else None,
            clock=self.clock.clock,
        )

    def revalidation(self) -> Revalidation:
        """A container's schedule."""
        return assemble_revalidation(
            accounts=self.accounts,
            credentials=self.credentials,
            zendesk=ScriptedClient(self.zendesk),
            cursors=self.cursors,
            telemetry=Telemetry("push-content", "ZendeskPush", "DEBUG", METRICS),
            clock=self.clock.clock,
        )

    @property
    def sealer(self) -> MetadataSealer:
        """A container's own: with what it has read of the key."""
        keys = MetadataKeys(cast("Any", self.metadata_key), "metadata-key", self.clock.clock)
        return MetadataSealer(cast("Any", self.kms), "key", keys)

    def calls(self) -> Counter[str]:
        """What requests have cost so far. The metadata's key does not count: it is read once an hour."""
        return (
            Counter(reads=self.accounts.reads, writes=self.table.writes, validations=len(self.zendesk.asked))
            + self.kms.calls
        )

    # What is there afterwards

    def account(self, instance_push_id: str = "3cd1d2a5-aaf2-41fe-a9f1-519499605854") -> Account | None:
        return self.table.accounts.get(InstancePushId(instance_push_id))

    def known(self, instance_push_id: str) -> Account:
        account = self.account(instance_push_id)
        assert account is not None
        return account

    def signed(self, **value: Any) -> str:
        """Metadata with a good MAC, of whatever version."""
        keys = MetadataKeys(cast("Any", self.metadata_key), "metadata-key", self.clock.clock)
        mac = keys.sign(json.dumps(value, sort_keys=True, separators=(",", ":")).encode())
        return json.dumps({**value, "mac": mac})

    def token(self, account: Account) -> str:
        """The token that push would use."""
        return self.credentials.read(account.instance_push_id, account.token_version).reveal()

    def secret_deleted(self, instance_push_id: str) -> bool:
        return self.credentials.is_marked_for_deletion(InstancePushId(instance_push_id))

    def nothing_stored(self) -> bool:
        return not self.table.accounts and not self.credentials.names()

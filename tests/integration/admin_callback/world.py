"""The function on moto and a loopback Zendesk, and what a test wants to know of them."""

from typing import Any

import boto3

from admin_callback.accounts.metadata_keys import MetadataKeys
from admin_callback.accounts.sealed_metadata import MetadataSealer
from admin_callback.composition import Application, build
from admin_callback.settings import Settings
from integration.admin_callback import aws_faults
from push_content.accounts.revalidation import CursorStore, Revalidation
from push_content.schedule import assemble_revalidation
from push_content.telemetry import METRICS
from worlds.admin_requests import AdminRequests
from worlds.admin_world import settings_of
from worlds.scripted_zendesk import ScriptedZendesk
from worlds.set_clock import SetClock
from zendesk_channel.accounts import Account, AccountsTable
from zendesk_channel.aws import AwsClients
from zendesk_channel.client import ZendeskClient
from zendesk_channel.contract import InstancePushId
from zendesk_channel.credentials import CredentialStore
from zendesk_channel.telemetry import Telemetry

TABLE = "accounts"
PREFIX = "zendesk-push"


class MotoAdminWorld(AdminRequests):
    """One stack. Everything in it is fresh."""

    def __init__(self, zendesk: ScriptedZendesk, **overrides: Any) -> None:
        self.zendesk = zendesk
        self.clock = SetClock()
        self.dynamodb = boto3.client("dynamodb")
        self.secrets = boto3.client("secretsmanager")
        self.kms = boto3.client("kms")
        self.sqs = boto3.client("sqs")
        self.key_arn = self.kms.create_key()["KeyMetadata"]["Arn"]
        self.dynamodb.create_table(
            TableName=TABLE,
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.receipts_url = self.sqs.create_queue(QueueName="receipts")["QueueUrl"]
        self.secrets.create_secret(Name="metadata-key", SecretString="k" * 64)
        self.settings = settings_of(
            zendesk,
            accounts_table=TABLE,
            secret_prefix=PREFIX,
            data_key_arn=self.key_arn,
            **overrides,
        )
        self.app: Application = self.build()
        self.accounts = AccountsTable(self.dynamodb, TABLE)
        self.credentials = CredentialStore(self.secrets, PREFIX, self.key_arn)

    def restart(self, **overrides: Any) -> None:
        """Another container, perhaps with other settings."""
        self.app = self.build(**overrides)

    def build(self, *, clock: Any = None, **overrides: Any) -> Application:
        """One more container beside the one that is used normally, with a clock of its own if there is one."""
        session = boto3.DEFAULT_SESSION
        assert session is not None
        return build(
            Settings(**{**vars(self.settings), **overrides}),
            AwsClients(session._session),
            clock or self.clock.clock,
        )

    @property
    def sealer(self) -> MetadataSealer:
        """A container's own: with what it has read of the key."""
        keys = MetadataKeys(self.secrets, self.settings.metadata_key_secret, self.clock.clock)
        return MetadataSealer(self.kms, self.key_arn, keys)

    def revalidation(self) -> Revalidation:
        """A container's schedule."""
        return assemble_revalidation(
            accounts=self.accounts,
            credentials=self.credentials,
            zendesk=ZendeskClient(self.settings.addresses),
            cursors=CursorStore(self.dynamodb, TABLE),
            telemetry=Telemetry("push-content", "ZendeskPush", "DEBUG", METRICS),
            clock=self.clock.clock,
        )

    def heal_aws(self) -> None:
        """Another container, and AWS without the faults that a test set."""
        aws_faults.clear()
        self.restart()

    # What is there afterwards

    def account(self, instance_push_id: str = "3cd1d2a5-aaf2-41fe-a9f1-519499605854") -> Account | None:
        return self.accounts.get(InstancePushId(instance_push_id))

    def token(self, account: Account) -> str:
        """The token that push would use."""
        return self.credentials.read(account.instance_push_id, account.token_version).reveal()

    def secret_names(self) -> list[str]:
        return [
            secret["Name"]
            for secret in self.secrets.list_secrets()["SecretList"]
            if secret["Name"] != self.settings.metadata_key_secret
        ]

    def secret_deleted(self, instance_push_id: str) -> bool:
        return "DeletedDate" in self.secrets.describe_secret(SecretId=f"{PREFIX}/{instance_push_id}")

    def items(self) -> list[dict[str, Any]]:
        return list(self.dynamodb.scan(TableName=TABLE)["Items"])

    def nothing_stored(self) -> bool:
        return self.items() == [] and self.secret_names() == []

    def known(self, instance_push_id: str) -> Account:
        account = self.account(instance_push_id)
        assert account is not None
        return account

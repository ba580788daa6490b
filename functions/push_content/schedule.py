"""The schedule's composition root: what asks Zendesk, slice by slice, whether accounts' tokens are still accepted.

It lives in this function because its role reads tokens anyway; the one that the internet reaches cannot list accounts.
"""

from collections.abc import Mapping

from push_content.accounts.revalidation import AccountCheck, CursorStore, Revalidation
from push_content.settings import PushSettings
from push_content.telemetry import METRICS
from zendesk_channel.account_removal import AccountRemoval
from zendesk_channel.accounts import AccountsTable
from zendesk_channel.addresses import ZendeskAddresses
from zendesk_channel.aws import AwsClients
from zendesk_channel.client import ZendeskClient
from zendesk_channel.clock import SYSTEM_CLOCK, Clock
from zendesk_channel.credentials import CredentialStore
from zendesk_channel.telemetry import Telemetry
from zendesk_channel.token_verification import TokenVerifier


def compose_revalidation(
    env: Mapping[str, str], clients: AwsClients, clock: Clock = SYSTEM_CLOCK
) -> Revalidation:
    """The schedule's work on AWS's real clients; ConfigurationError if the environment is incomplete."""
    settings = PushSettings.from_env(env)
    dynamodb, secrets = clients.client("dynamodb"), clients.client("secretsmanager")
    return assemble_revalidation(
        accounts=AccountsTable(dynamodb, settings.accounts_table),
        credentials=CredentialStore(secrets, settings.secret_prefix, settings.data_key_arn),
        zendesk=ZendeskClient(ZendeskAddresses(settings.zendesk_base_url)),
        cursors=CursorStore(dynamodb, settings.accounts_table),
        telemetry=Telemetry(
            settings.service,
            settings.metrics_namespace,
            settings.log_level,
            METRICS,
        ),
        clock=clock,
    )


def assemble_revalidation(
    *,
    accounts: AccountsTable,
    credentials: CredentialStore,
    zendesk: ZendeskClient,
    cursors: CursorStore,
    telemetry: Telemetry,
    clock: Clock,
) -> Revalidation:
    """The schedule's work on the collaborators that it is given."""
    check = AccountCheck(
        TokenVerifier(accounts, credentials, zendesk, clock),
        AccountRemoval(accounts, credentials, clock),
        accounts,
        clock,
    )
    return Revalidation(check, accounts, cursors, telemetry)

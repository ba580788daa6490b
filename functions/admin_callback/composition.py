"""The composition root: builds everything once per container, at the first event."""

import functools
import os
from dataclasses import replace
from typing import Any, Final

from admin_callback.accounts.account_authentication import AccountAuthentication
from admin_callback.accounts.account_events import AccountEvents
from admin_callback.accounts.account_lifecycle import AccountLifecycle
from admin_callback.accounts.metadata_keys import MetadataKeys
from admin_callback.accounts.registration import Registrar, RegistrarDeps
from admin_callback.accounts.sealed_metadata import MetadataSealer
from admin_callback.accounts.validation_rate_limit import ValidationLimits
from admin_callback.http import manifest
from admin_callback.http.admin_ui import AdminUi
from admin_callback.http.event_callback import EventCallbacks
from admin_callback.http.http_api import HttpApi, Route
from admin_callback.http.import_reports import ReceiptQueue
from admin_callback.replies import replies_queue
from admin_callback.replies.channelback import Channelbacks
from admin_callback.replies.channelback_route import ChannelbackRoute
from admin_callback.replies.replies_queue import RepliesQueue
from admin_callback.replies.reply_log import ReplyLog
from admin_callback.settings import Settings
from admin_callback.telemetry import METRICS
from zendesk_channel.accounts import AccountsTable
from zendesk_channel.aws import AwsClients, is_initializing
from zendesk_channel.client import ZendeskClient
from zendesk_channel.clock import SYSTEM_CLOCK, Clock
from zendesk_channel.credentials import CredentialStore
from zendesk_channel.telemetry import Telemetry

SERVICES: Final = ("dynamodb", "secretsmanager", "kms")
CLIENTS: Final = AwsClients()
if is_initializing():
    # They are most of a cold start, and need no setting.
    for _service in SERVICES:
        CLIENTS.client(_service)


class Application:
    """One container's function."""

    def __init__(self, http_api: HttpApi, telemetry: Telemetry) -> None:
        self._http_api = http_api
        self._telemetry = telemetry

    def handle(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """Answer an HTTP request."""
        self._telemetry.begin(context.aws_request_id)
        try:
            return self._http_api.answer(event, context.aws_request_id)
        finally:
            self._telemetry.flush()


def build(settings: Settings, clients: AwsClients, clock: Clock = SYSTEM_CLOCK) -> Application:
    """The function on AWS's real clients. No call goes out yet."""
    dynamodb, secrets, kms = (clients.client(service) for service in SERVICES)
    keys = MetadataKeys(secrets, settings.metadata_key_secret, clock)
    return assemble(
        settings,
        accounts=AccountsTable(dynamodb, settings.accounts_table),
        credentials=CredentialStore(secrets, settings.secret_prefix, settings.data_key_arn),
        sealer=MetadataSealer(kms, settings.data_key_arn, keys),
        zendesk=ZendeskClient(settings.addresses),
        receipt_queue=_receipt_queue(settings, clients),
        replies=_replies(settings, clients),
        clock=clock,
    )


def assemble(
    settings: Settings,
    *,
    accounts: AccountsTable,
    credentials: CredentialStore,
    sealer: MetadataSealer,
    zendesk: ZendeskClient,
    receipt_queue: ReceiptQueue | None,
    clock: Clock,
    replies: tuple[ReplyLog, RepliesQueue] | None = None,
) -> Application:
    """The function on the collaborators that it is given."""
    telemetry = Telemetry(settings.service, settings.metrics_namespace, settings.log_level, METRICS)
    lifecycle = AccountLifecycle(accounts, credentials, clock)
    deps = RegistrarDeps(
        accounts=accounts,
        credentials=credentials,
        zendesk=zendesk,
        sealer=sealer,
        lifecycle=lifecycle,
        limits=ValidationLimits(clock),
        allowed_subdomains=settings.allowed_subdomains,
        clock=clock,
    )
    # Events are counted apart from callbacks: neither can use up what the other needs.
    account_events = AccountEvents(replace(deps, limits=ValidationLimits(clock)))
    posts: dict[str, Route] = {
        manifest.ADMIN_UI_PATH: AdminUi(settings, Registrar(deps), telemetry).answer,
        manifest.EVENT_CALLBACK_PATH: EventCallbacks(account_events, receipt_queue, telemetry, clock).answer,
    }
    if replies:
        authentication = AccountAuthentication(accounts, sealer)
        channelbacks = Channelbacks(authentication, *replies, telemetry, clock)
        posts[manifest.CHANNELBACK_PATH] = ChannelbackRoute(channelbacks, telemetry).answer
    return Application(HttpApi(settings, posts), telemetry)


def _receipt_queue(settings: Settings, clients: AwsClients) -> ReceiptQueue | None:
    if not settings.receipt_queue_url:
        return None
    return ReceiptQueue(clients.client("sqs"), settings.receipt_queue_url)


def _replies(settings: Settings, clients: AwsClients) -> tuple[ReplyLog, RepliesQueue] | None:
    if not settings.replies_queue_url:
        return None
    sqs = clients.client("sqs", replies_queue.CLIENT_CONFIG)
    return ReplyLog(clients.client("dynamodb"), settings.accounts_table), RepliesQueue(
        sqs, settings.replies_queue_url
    )


@functools.cache
def application() -> Application:
    """This container's function, from its environment."""
    return build(Settings.from_env(os.environ), CLIENTS)

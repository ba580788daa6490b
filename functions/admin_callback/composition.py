"""The composition root: builds everything once per container, at the first event."""

import functools
import os
from typing import Any, Final

import boto3

from admin_callback.accounts.account_authentication import AccountAuthentication
from admin_callback.accounts.account_connector import AccountConnector
from admin_callback.accounts.account_events import AccountEvents
from admin_callback.accounts.account_lifecycle import AccountLifecycle
from admin_callback.accounts.event_callback import EventCallbacks
from admin_callback.accounts.registration import Registrar
from admin_callback.accounts.revalidation import AccountRevalidator, Finding, Sweep, SweepCursor, totals
from admin_callback.accounts.sealed_metadata import MetadataSealer
from admin_callback.accounts.validation_rate_limit import ValidationThrottle
from admin_callback.http.http_api import Routes
from admin_callback.http.import_reports import ReceiptQueue
from admin_callback.replies import replies_queue
from admin_callback.replies.channelback import Channelbacks
from admin_callback.replies.replies_queue import RepliesQueue
from admin_callback.replies.reply_log import ReplyLog
from admin_callback.settings import Settings
from admin_callback.telemetry import METRICS
from zendesk_channel.accounts import AccountsTable
from zendesk_channel.aws import CLIENT_CONFIG
from zendesk_channel.client import ZendeskClient
from zendesk_channel.clock import SYSTEM_CLOCK, Clock
from zendesk_channel.credentials import CredentialStore
from zendesk_channel.telemetry import Telemetry
from zendesk_channel.token_verification import TokenRecheck

SCHEDULE_SOURCE: Final = "zendesk-push.schedule"


class Application:
    """One container's function."""

    def __init__(self, routes: Routes, sweep: Sweep, telemetry: Telemetry) -> None:
        self._routes = routes
        self._sweep = sweep
        self._telemetry = telemetry

    def handle(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """Answer an HTTP request, or take the schedule's next slice."""
        self._telemetry.begin(context.aws_request_id)
        try:
            if event.get("source") == SCHEDULE_SOURCE:
                return self._revalidate(context)
            return self._routes.answer(event, context)
        finally:
            self._telemetry.flush()

    def _revalidate(self, context: Any) -> dict[str, Any]:
        findings = self._sweep.run(lambda: context.get_remaining_time_in_millis() / 1000)
        found = totals(findings)
        for account, finding in findings:
            if finding is Finding.REFUSED:
                self._telemetry.warning(
                    "token refused", subdomain=account.subdomain, instance_push_id=account.instance_push_id
                )
        # A run without a refusal says so too: the alarm must be able to go off again.
        self._telemetry.count("AccountsRefused", found.get(Finding.REFUSED.value, 0))
        self._telemetry.count("AccountsHealed", found.get(Finding.HEALED.value, 0))
        self._telemetry.info("revalidation", found=found)
        return found


def build(settings: Settings, clock: Clock = SYSTEM_CLOCK) -> Application:
    """Build the function for these settings. No call goes out yet."""
    telemetry = Telemetry(settings.service, settings.metrics_namespace, settings.log_level, METRICS)
    dynamodb = boto3.client("dynamodb", config=CLIENT_CONFIG)
    secrets = boto3.client("secretsmanager", config=CLIENT_CONFIG)
    kms = boto3.client("kms", config=CLIENT_CONFIG)
    accounts = AccountsTable(dynamodb, settings.accounts_table)
    credentials = CredentialStore(secrets, settings.secret_prefix, settings.data_key_arn)
    zendesk = ZendeskClient(settings.addresses)
    sealer = MetadataSealer(kms, settings.data_key_arn)
    connector = AccountConnector(accounts, credentials, clock.now)
    lifecycle = AccountLifecycle(accounts, credentials, clock.now)
    throttle = ValidationThrottle(clock.monotonic)
    revalidator = AccountRevalidator(
        accounts, credentials, TokenRecheck(accounts, credentials, zendesk, clock.now), lifecycle
    )
    registrar = Registrar(
        accounts=accounts,
        credentials=credentials,
        zendesk=zendesk,
        sealer=sealer,
        connector=connector,
        throttle=throttle,
        allowed_subdomains=settings.allowed_subdomains,
        clock=clock.now,
    )
    account_events = AccountEvents(
        accounts=accounts,
        zendesk=zendesk,
        sealer=sealer,
        registrar=registrar,
        connector=connector,
        lifecycle=lifecycle,
        revalidator=revalidator,
        throttle=throttle,
        clock=clock,
    )
    channelbacks = None
    if settings.replies_queue_url:
        channelbacks = Channelbacks(
            AccountAuthentication(accounts, sealer),
            ReplyLog(dynamodb, settings.accounts_table),
            RepliesQueue(boto3.client("sqs", config=replies_queue.CLIENT_CONFIG), settings.replies_queue_url),
            telemetry,
            clock,
        )
    return Application(
        Routes(
            settings,
            registrar,
            EventCallbacks(account_events, _receipt_queue(settings), telemetry, clock),
            channelbacks,
            telemetry,
        ),
        Sweep(accounts, SweepCursor(dynamodb, settings.accounts_table), revalidator),
        telemetry,
    )


def _receipt_queue(settings: Settings) -> ReceiptQueue | None:
    if not settings.receipt_queue_url:
        return None
    return ReceiptQueue(boto3.client("sqs", config=CLIENT_CONFIG), settings.receipt_queue_url)


@functools.cache
def application() -> Application:
    """This container's function, from its environment."""
    return build(Settings.from_env(os.environ))

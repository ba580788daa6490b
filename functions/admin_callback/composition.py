"""The composition root: builds everything once per container, at the first event."""

import functools
import os
from typing import Any, Final

import boto3

from admin_callback.connecting import AccountConnector
from admin_callback.metadata import MetadataSealer
from admin_callback.registration import Registrar
from admin_callback.routes import Routes
from admin_callback.settings import Settings
from admin_callback.telemetry import Telemetry
from admin_callback.throttle import ValidationThrottle
from zendesk_channel.accounts import AccountsTable
from zendesk_channel.aws import CLIENT_CONFIG
from zendesk_channel.client import ZendeskClient
from zendesk_channel.credentials import CredentialStore

SCHEDULE_SOURCE: Final = "zendesk-push.schedule"


class Application:
    """One container's function."""

    def __init__(self, routes: Routes, telemetry: Telemetry) -> None:
        self._routes = routes
        self._telemetry = telemetry

    def handle(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """Answer an HTTP request, or take the schedule's next slice."""
        self._telemetry.begin(context.aws_request_id)
        try:
            return self._routes.answer(event, context)
        finally:
            self._telemetry.end()


def build(settings: Settings) -> Application:
    """Build the function for these settings. No call goes out yet."""
    telemetry = Telemetry()
    dynamodb = boto3.client("dynamodb", config=CLIENT_CONFIG)
    accounts = AccountsTable(dynamodb, settings.accounts_table)
    credentials = CredentialStore(
        boto3.client("secretsmanager", config=CLIENT_CONFIG), settings.secret_prefix, settings.data_key_arn
    )
    zendesk = ZendeskClient(settings.addresses)
    registrar = Registrar(
        accounts=accounts,
        credentials=credentials,
        zendesk=zendesk,
        sealer=MetadataSealer(boto3.client("kms", config=CLIENT_CONFIG), settings.data_key_arn),
        connector=AccountConnector(accounts, credentials),
        throttle=ValidationThrottle(),
        allowed_subdomains=settings.allowed_subdomains,
    )
    return Application(Routes(settings, registrar, telemetry), telemetry)


@functools.cache
def application() -> Application:
    """This container's function, from its environment."""
    return build(Settings.from_env(os.environ))

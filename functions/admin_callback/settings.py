"""The function's environment as one checked, frozen value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from zendesk_channel.addresses import ZendeskAddresses
from zendesk_channel.contract import Subdomain
from zendesk_channel.errors import ConfigurationError, InvalidValueError
from zendesk_channel.settings import optional_text, text


@dataclass(frozen=True)
class Settings:
    """What template.yaml sets. Empty ``receipt_queue_url``, ``push_client_id`` or ``origin_secret``: not configured.

    ``allowed_subdomains`` empty means that every subdomain may connect.
    """

    accounts_table: str
    secret_prefix: str
    data_key_arn: str
    metadata_key_secret: str
    addresses: ZendeskAddresses
    push_client_id: str
    integration_name: str
    integration_id: str
    integration_author: str
    allowed_subdomains: frozenset[Subdomain]
    receipt_queue_url: str
    replies_queue_url: str
    origin_secret: str = field(repr=False)
    service: str
    metrics_namespace: str
    log_level: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the settings.

        Raises:
            ConfigurationError: a variable is missing, empty where that makes no sense, or not well-formed.
        """
        return cls(
            accounts_table=text(env, "ACCOUNTS_TABLE"),
            secret_prefix=text(env, "SECRET_PREFIX"),
            data_key_arn=text(env, "DATA_KEY_ARN"),
            metadata_key_secret=text(env, "METADATA_KEY_SECRET"),
            addresses=ZendeskAddresses(text(env, "ZENDESK_BASE_URL")),
            push_client_id=optional_text(env, "PUSH_CLIENT_ID"),
            integration_name=text(env, "INTEGRATION_NAME"),
            integration_id=text(env, "INTEGRATION_ID"),
            integration_author=optional_text(env, "INTEGRATION_AUTHOR"),
            allowed_subdomains=_subdomains(optional_text(env, "ALLOWED_SUBDOMAINS")),
            receipt_queue_url=optional_text(env, "RECEIPT_QUEUE_URL"),
            replies_queue_url=optional_text(env, "REPLIES_QUEUE_URL"),
            origin_secret=optional_text(env, "ORIGIN_SECRET"),
            service=text(env, "POWERTOOLS_SERVICE_NAME"),
            metrics_namespace=text(env, "POWERTOOLS_METRICS_NAMESPACE"),
            log_level=text(env, "LOG_LEVEL"),
        )


def _subdomains(names: str) -> frozenset[Subdomain]:
    try:
        return frozenset(Subdomain(part.strip()) for part in names.split(",") if part.strip())
    except InvalidValueError:
        raise ConfigurationError(
            "ALLOWED_SUBDOMAINS must be names such as acme, separated by commas"
        ) from None

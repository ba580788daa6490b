"""The function's environment as one checked, frozen value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from zendesk_channel.addresses import ZendeskAddresses
from zendesk_channel.contract import Subdomain
from zendesk_channel.errors import ConfigurationError, InvalidValueError


@dataclass(frozen=True)
class Settings:
    """What template.yaml sets. Empty ``receipt_queue_url``, ``push_client_id`` or ``origin_secret``: not configured.

    ``allowed_subdomains`` empty means that every subdomain may connect.
    """

    accounts_table: str
    secret_prefix: str
    data_key_arn: str
    addresses: ZendeskAddresses
    push_client_id: str
    integration_name: str
    integration_id: str
    integration_author: str
    allowed_subdomains: frozenset[Subdomain]
    receipt_queue_url: str
    origin_secret: str = field(repr=False)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the settings.

        Raises:
            ConfigurationError: a variable is missing, empty where that makes no sense, or not well-formed.
        """
        return cls(
            accounts_table=_required(env, "ACCOUNTS_TABLE"),
            secret_prefix=_required(env, "SECRET_PREFIX"),
            data_key_arn=_required(env, "DATA_KEY_ARN"),
            addresses=ZendeskAddresses(_required(env, "ZENDESK_BASE_URL")),
            push_client_id=_present(env, "PUSH_CLIENT_ID"),
            integration_name=_required(env, "INTEGRATION_NAME"),
            integration_id=_required(env, "INTEGRATION_ID"),
            integration_author=_present(env, "INTEGRATION_AUTHOR"),
            allowed_subdomains=_subdomains(_present(env, "ALLOWED_SUBDOMAINS")),
            receipt_queue_url=_present(env, "RECEIPT_QUEUE_URL"),
            origin_secret=_present(env, "ORIGIN_SECRET"),
        )


def _present(env: Mapping[str, str], name: str) -> str:
    try:
        return env[name].strip()
    except KeyError:
        raise ConfigurationError(f"{name} is not set") from None


def _required(env: Mapping[str, str], name: str) -> str:
    value = _present(env, name)
    if not value:
        raise ConfigurationError(f"{name} is empty")
    return value


def _subdomains(text: str) -> frozenset[Subdomain]:
    try:
        return frozenset(Subdomain(part.strip()) for part in text.split(",") if part.strip())
    except InvalidValueError:
        raise ConfigurationError(
            "ALLOWED_SUBDOMAINS must be names such as acme, separated by commas"
        ) from None

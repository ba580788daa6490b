"""The function's environment, as one value."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from push_content.outcomes.retry_policy import WaitingRules
from zendesk_channel.contract import MAX_RESOURCES
from zendesk_channel.errors import ConfigurationError


@dataclass(frozen=True)
class Settings:
    """Durations are in seconds. What the parameters behind them mean is in template.yaml."""

    accounts_table: str
    secret_prefix: str
    data_key_arn: str
    zendesk_base_url: str
    content_queue_url: str
    dead_letter_queue_url: str
    max_resources_per_request: int
    push_timeout: float
    rate_limit_reserve_percent: float
    waiting: WaitingRules
    service: str
    metrics_namespace: str
    log_level: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the environment.

        Raises:
            ConfigurationError: a variable is missing, or holds what it must not.
        """
        return cls(
            accounts_table=_text(env, "ACCOUNTS_TABLE"),
            secret_prefix=_text(env, "SECRET_PREFIX"),
            data_key_arn=_text(env, "DATA_KEY_ARN"),
            zendesk_base_url=_text(env, "ZENDESK_BASE_URL"),
            content_queue_url=_text(env, "CONTENT_QUEUE_URL"),
            dead_letter_queue_url=_text(env, "DEAD_LETTER_QUEUE_URL"),
            max_resources_per_request=int(_number(env, "MAX_RESOURCES_PER_REQUEST", 1, MAX_RESOURCES)),
            push_timeout=_number(env, "PUSH_TIMEOUT_SECONDS", 0.1, 900),
            rate_limit_reserve_percent=_number(env, "RATE_LIMIT_RESERVE_PERCENT", 0, 100),
            waiting=WaitingRules(
                base_delay=_number(env, "RETRY_BASE_DELAY_SECONDS", 0.1, 43_200),
                max_delay=_number(env, "RETRY_MAX_DELAY_SECONDS", 1, 43_200),
                window=_number(env, "RETRY_WINDOW_SECONDS", 1, 1_209_600),
                retention=_number(env, "QUEUE_RETENTION_SECONDS", 60, 1_209_600),
                visibility=_number(env, "QUEUE_VISIBILITY_SECONDS", 0, 43_200),
            ),
            service=_text(env, "POWERTOOLS_SERVICE_NAME"),
            metrics_namespace=_text(env, "POWERTOOLS_METRICS_NAMESPACE"),
            log_level=env.get("LOG_LEVEL") or "INFO",
        )


def _text(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if not value:
        raise ConfigurationError(f"the environment variable {name} is missing")
    return value


def _number(env: Mapping[str, str], name: str, least: float, most: float) -> float:
    text = _text(env, name)
    try:
        value = float(text)
    except ValueError:
        raise ConfigurationError(f"the environment variable {name} is not a number") from None
    if not least <= value <= most:
        raise ConfigurationError(f"the environment variable {name} must be {least:g} to {most:g}")
    return value

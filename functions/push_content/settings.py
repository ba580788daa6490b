"""The function's environment, as one value."""

from dataclasses import dataclass
from typing import Self

from push_content.outcomes.retry_policy import WaitingRules
from zendesk_channel.contract import MAX_RESOURCES
from zendesk_channel.settings import Environment, number, optional_text, text


@dataclass(frozen=True)
class PushSettings:
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
    def from_env(cls, env: Environment) -> Self:
        """Read the environment.

        Raises:
            ConfigurationError: a variable is missing, or holds what it must not.
        """
        return cls(
            accounts_table=text(env, "ACCOUNTS_TABLE"),
            secret_prefix=text(env, "SECRET_PREFIX"),
            data_key_arn=text(env, "DATA_KEY_ARN"),
            zendesk_base_url=text(env, "ZENDESK_BASE_URL"),
            content_queue_url=text(env, "CONTENT_QUEUE_URL"),
            dead_letter_queue_url=text(env, "DEAD_LETTER_QUEUE_URL"),
            max_resources_per_request=int(number(env, "MAX_RESOURCES_PER_REQUEST", 1, MAX_RESOURCES)),
            push_timeout=number(env, "PUSH_TIMEOUT_SECONDS", 0.1, 900),
            rate_limit_reserve_percent=number(env, "RATE_LIMIT_RESERVE_PERCENT", 0, 100),
            waiting=WaitingRules(
                base_delay=number(env, "RETRY_BASE_DELAY_SECONDS", 0.1, 43_200),
                max_delay=number(env, "RETRY_MAX_DELAY_SECONDS", 1, 43_200),
                window=number(env, "RETRY_WINDOW_SECONDS", 1, 1_209_600),
                retention=number(env, "QUEUE_RETENTION_SECONDS", 60, 1_209_600),
                visibility=number(env, "QUEUE_VISIBILITY_SECONDS", 0, 43_200),
            ),
            service=text(env, "POWERTOOLS_SERVICE_NAME"),
            metrics_namespace=text(env, "POWERTOOLS_METRICS_NAMESPACE"),
            log_level=optional_text(env, "LOG_LEVEL") or "INFO",
        )

"""The environment: complete and sensible, or a clear error before anything happens."""

import pytest

from push_content.outcomes.retry_policy import WaitingRules
from push_content.settings import PushSettings
from worlds.push_memory import ENVIRONMENT
from zendesk_channel.errors import ConfigurationError


def test_everything_is_read() -> None:
    settings = PushSettings.from_env(ENVIRONMENT | {"LOG_LEVEL": "DEBUG", "OTHER": "ignored"})

    assert settings.waiting == WaitingRules(2, 900, 345_600, 864_000, 780)
    assert (settings.max_resources_per_request, settings.push_timeout) == (256, 30)
    assert settings.log_level == "DEBUG"
    assert PushSettings.from_env(ENVIRONMENT).log_level == "INFO"


@pytest.mark.parametrize("name", sorted(ENVIRONMENT.keys() - {"LOG_LEVEL"}))
@pytest.mark.parametrize("missing", [True, False])
def test_nothing_that_is_missing_has_a_default(name: str, missing: bool) -> None:
    environment = dict(ENVIRONMENT)
    if missing:
        del environment[name]
    else:
        environment[name] = ""

    with pytest.raises(ConfigurationError, match=name):
        PushSettings.from_env(environment)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAX_RESOURCES_PER_REQUEST", "0"),
        ("MAX_RESOURCES_PER_REQUEST", "257"),
        ("PUSH_TIMEOUT_SECONDS", "soon"),
        ("PUSH_TIMEOUT_SECONDS", "nan"),
        ("RETRY_BASE_DELAY_SECONDS", "0"),
        ("RETRY_MAX_DELAY_SECONDS", "43201"),
        ("RETRY_WINDOW_SECONDS", "-1"),
        ("RATE_LIMIT_RESERVE_PERCENT", "101"),
        ("QUEUE_RETENTION_SECONDS", "inf"),
    ],
)
def test_what_makes_no_sense_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        PushSettings.from_env(ENVIRONMENT | {name: value})

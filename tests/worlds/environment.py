"""The functions' environments, as template.yaml sets them: no test has a list of variables of its own."""

from typing import Final

from zendesk_push.template.environment import function_environment

# Set for `sam local`; an empty one is none, and no setting.
_NO_SETTING: Final = "AWS_ENDPOINT_URL"


def push_environment(**overrides: str) -> dict[str, str]:
    """PushContentFunction's."""
    return _settings("PushContentFunction", overrides)


def admin_environment(**overrides: str) -> dict[str, str]:
    """AdminCallbackFunction's."""
    return _settings("AdminCallbackFunction", overrides)


def _settings(function: str, overrides: dict[str, str]) -> dict[str, str]:
    variables = function_environment(function, overrides)
    return {name: value for name, value in variables.items() if name != _NO_SETTING}

"""Reading a function's environment: one wording for each fault.

Every reader raises ConfigurationError, which names the variable and never shows its value.
"""

from collections.abc import Mapping

from zendesk_channel.errors import ConfigurationError

Environment = Mapping[str, str]


def text(env: Environment, name: str) -> str:
    """A variable that has to say something; blanks around it do not count."""
    value = optional_text(env, name)
    if not value:
        raise _missing(name)
    return value


def optional_text(env: Environment, name: str) -> str:
    """A variable that may be empty but has to be there: template.yaml sets every one, so an absent one is misspelt."""
    if name not in env:
        raise _missing(name)
    return env[name].strip()


def number(env: Environment, name: str, least: float, most: float) -> float:
    """A number between two bounds, both included."""
    try:
        value = float(text(env, name))
    except ValueError:
        raise ConfigurationError(f"the environment variable {name} is not a number") from None
    if not least <= value <= most:
        raise ConfigurationError(f"the environment variable {name} must be {least:g} to {most:g}")
    return value


def _missing(name: str) -> ConfigurationError:
    return ConfigurationError(f"the environment variable {name} is missing")

"""Environment variables set are environment variables read, no more and no fewer."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

import admin_callback.settings
import push_content.settings
from zendesk_push.template.environment import function_environment

Document = dict[str, Any]

# Read by Powertools' Logger and Metrics themselves, unless a function gives them what it has read.
POWERTOOLS = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "LOG_LEVEL"}
BOTO3 = {"AWS_ENDPOINT_URL"}
SETTINGS: Mapping[str, Callable[[Mapping[str, str]], Any]] = {
    "PushContentFunction": push_content.settings.PushSettings.from_env,
    "AdminCallbackFunction": admin_callback.settings.Settings.from_env,
}


class RecordingEnvironment(Mapping[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self._variables[name]

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("settings are read by name")

    def __len__(self) -> int:
        return len(self._variables)


def variables(document: Document, function: str) -> dict[str, Any]:
    """What the template sets for a function."""
    shared = document["Globals"]["Function"]["Environment"]["Variables"]
    own = document["Resources"][function]["Properties"]["Environment"]["Variables"]
    assert not shared.keys() & own.keys()
    return {**shared, **own}


@pytest.mark.parametrize("function", SETTINGS)
def test_what_is_set_is_read(source: Document, function: str) -> None:
    environment = RecordingEnvironment(function_environment(function))
    SETTINGS[function](environment)
    assert environment.asked | POWERTOOLS | BOTO3 == variables(source, function).keys()


def setting_of(parameter: str) -> str:
    """RETRY_WINDOW_SECONDS of RetryWindowSeconds."""
    return re.sub("(?<!^)([A-Z])", r"_\1", parameter).upper()


@pytest.mark.parametrize("function", SETTINGS)
def test_a_setting_has_the_value_of_the_parameter_of_its_name(source: Document, function: str) -> None:
    parameters = {setting_of(name): {"Ref": name} for name in source["Parameters"]}
    # Derived from the stack's name where it is left empty.
    del parameters["INTEGRATION_ID"]
    given = variables(source, function)
    own = parameters.keys() & given.keys()
    assert len(own) > 5
    assert {name: given[name] for name in own} == {name: parameters[name] for name in own}


def test_queues_table_and_key_are_the_stacks_own(source: Document) -> None:
    push, admin = (variables(source, function) for function in SETTINGS)
    assert push["CONTENT_QUEUE_URL"] == {"Ref": "ContentQueue"}
    assert push["DEAD_LETTER_QUEUE_URL"] == {"Ref": "DeadLetterQueue"}
    for told in (push, admin):
        assert told["ACCOUNTS_TABLE"] == {"Ref": "AccountsTable"}
        assert told["DATA_KEY_ARN"] == {"Fn::GetAtt": ["DataKey", "Arn"]}
        assert told["SECRET_PREFIX"] == {"Ref": "AWS::StackName"}


@pytest.mark.parametrize("function", SETTINGS)
def test_the_defaults_are_settings(function: str) -> None:
    """No default of a parameter is something that the function refuses to start with."""
    assert SETTINGS[function](function_environment(function))


@pytest.mark.parametrize("bound", ["MinValue", "MaxValue"])
def test_every_number_that_a_parameter_takes_is_a_setting(source: Document, bound: str) -> None:
    for function, from_env in SETTINGS.items():
        environment = function_environment(function)
        for name, given in variables(source, function).items():
            parameter = source["Parameters"].get(given.get("Ref") if isinstance(given, dict) else None, {})
            if bound in parameter:
                environment[name] = str(parameter[bound])
        assert from_env(environment)


@pytest.mark.parametrize("function", SETTINGS)
def test_the_longest_values_fit_into_lambdas_4_kb(source: Document, function: str) -> None:
    """Else a deployment fails at the function, after the queues and the table are there."""

    def longest(given: Any) -> int:
        if isinstance(given, str):
            return len(given)
        parameter = source["Parameters"].get(given.get("Ref"))
        if parameter is None:
            return 175  # a name or an ARN that AWS makes of a stack's name, which has 128 characters at most
        if "AllowedValues" in parameter:
            return max(map(len, parameter["AllowedValues"]))
        if parameter["Type"] == "Number":
            return len(str(parameter["MaxValue"]))
        in_any_script = "^\\x00-" in parameter["AllowedPattern"]
        return int(parameter["MaxLength"]) * (4 if in_any_script else 1)

    size = sum(len(name) + longest(given) for name, given in variables(source, function).items())
    assert size <= 4096


def test_the_function_is_told_the_queues_own_times(source: Document) -> None:
    told = variables(source, "PushContentFunction")
    queue = source["Resources"]["ContentQueue"]["Properties"]
    assert told["QUEUE_RETENTION_SECONDS"] == str(queue["MessageRetentionPeriod"])
    assert told["QUEUE_VISIBILITY_SECONDS"] == str(queue["VisibilityTimeout"])

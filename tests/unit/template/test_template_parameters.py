"""Parameter overrides: every constraint that CloudFormation checks, with an error that says what to do."""

from typing import Any

import pytest

from zendesk_push.template.errors import TemplateError
from zendesk_push.template.parameters import parse_overrides, resolve_parameters

DECLARED: dict[str, dict[str, Any]] = {
    "BatchSize": {"Type": "Number", "Default": 1000, "MinValue": 1, "MaxValue": 10000},
    "LogLevel": {"Type": "String", "Default": "INFO", "AllowedValues": ["DEBUG", "INFO"]},
    "Days": {"Type": "Number", "Default": 30, "AllowedValues": [7, 30]},
    "Url": {
        "Type": "String",
        "Default": "https://a",
        "AllowedPattern": "https://[a-z]+",
        "ConstraintDescription": "an https origin",
    },
    "Name": {"Type": "String", "Default": "x", "MinLength": 1, "MaxLength": 3},
    "Principals": {"Type": "CommaDelimitedList", "Default": "", "AllowedPattern": "(arn:.+)?"},
    "Switch": {"Type": "String", "Default": True},
}


def test_defaults_are_values_as_cloudformation_has_them() -> None:
    assert resolve_parameters(DECLARED, {}) == {
        "BatchSize": "1000",
        "LogLevel": "INFO",
        "Days": "30",
        "Url": "https://a",
        "Name": "x",
        "Principals": [""],
        "Switch": "true",
    }


def test_a_value_may_hold_an_equals_sign_and_the_last_one_counts() -> None:
    assert parse_overrides(["A=1", "B=x=y", "A="]) == {"A": "", "B": "x=y"}


@pytest.mark.parametrize("pair", ["A", "=1", ""])
def test_what_is_no_pair_is_refused(pair: str) -> None:
    with pytest.raises(TemplateError, match="Key=Value") as refused:
        parse_overrides([pair])
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ({"BatchSize": "1"}, {"BatchSize": "1"}),
        ({"BatchSize": "10000"}, {"BatchSize": "10000"}),
        ({"Days": "7"}, {"Days": "7"}),
        ({"Name": "abc"}, {"Name": "abc"}),
        ({"Principals": "arn:a, arn:b"}, {"Principals": ["arn:a", "arn:b"]}),
    ],
)
def test_values_within_the_constraints_are_taken(given: dict[str, str], values: dict[str, Any]) -> None:
    assert resolve_parameters(DECLARED, given).items() >= values.items()


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"BatchSize": "0"}, "BatchSize='0' is less than 1"),
        ({"BatchSize": "10001"}, "BatchSize='10001' is more than 10000"),
        ({"BatchSize": "many"}, "BatchSize='many' is not a number"),
        ({"BatchSize": "nan"}, "BatchSize='nan' is less than 1"),
        ({"LogLevel": "TRACE"}, "LogLevel='TRACE' is none of 'DEBUG', 'INFO'"),
        ({"Days": "8"}, "Days='8' is none of '7', '30'"),
        ({"Url": "https://a b"}, "Url='https://a b' is not an https origin$"),
        ({"Url": "xhttps://a"}, "is not an https origin"),
        ({"Name": ""}, "shorter than 1"),
        ({"Name": "abcd"}, "longer than 3"),
        ({"Principals": "arn:a,nobody"}, "Principals='nobody' does not match"),
        ({"BatchSise": "1"}, "no parameter 'BatchSise'; did you mean BatchSize"),
        ({"Zzz": "1"}, "no parameter 'Zzz'; it has BatchSize, Days"),
    ],
)
def test_values_outside_the_constraints_are_refused(given: dict[str, str], complaint: str) -> None:
    with pytest.raises(TemplateError, match=complaint) as refused:
        resolve_parameters(DECLARED, given)
    assert refused.value.exit_code == 2


def test_a_parameter_without_a_value_is_asked_for() -> None:
    with pytest.raises(TemplateError, match="parameter Needed needs a value: --parameter-overrides Needed="):
        resolve_parameters({"Needed": {"Type": "String"}}, {})


def test_a_wrong_default_is_found_too() -> None:
    with pytest.raises(TemplateError, match="N='9' is more than 5") as refused:
        resolve_parameters({"N": {"Type": "Number", "Default": 9, "MaxValue": 5}}, {})
    assert refused.value.exit_code == 1

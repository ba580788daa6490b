"""One wording for each fault of an environment."""

from collections.abc import Callable

import pytest

from zendesk_channel.errors import ConfigurationError
from zendesk_channel.settings import number, optional_text, text


def test_blanks_around_a_value_do_not_count() -> None:
    assert text({"NAME": " value "}, "NAME") == "value"
    assert optional_text({"NAME": " "}, "NAME") == ""
    assert number({"NAME": " 2.5 "}, "NAME", 0, 2.5) == 2.5


@pytest.mark.parametrize("read", [text, lambda env, name: number(env, name, 0, 1)])
@pytest.mark.parametrize("env", [{}, {"NAME": ""}, {"NAME": " "}])
def test_absent_empty_and_blank_are_one_fault(read: Callable[..., object], env: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="NAME is missing"):
        read(env, "NAME")


def test_what_may_be_empty_must_be_there_all_the_same() -> None:
    with pytest.raises(ConfigurationError, match="NAME is missing"):
        optional_text({}, "NAME")


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("many", "is not a number"),
        ("-1", "must be 0 to 10"),
        ("10.1", "must be 0 to 10"),
        ("nan", "must be 0 to 10"),
    ],
)
def test_numbers_that_are_none_or_out_of_bounds(value: str, fault: str) -> None:
    with pytest.raises(ConfigurationError, match=f"NAME {fault}"):
        number({"NAME": value}, "NAME", 0, 10)

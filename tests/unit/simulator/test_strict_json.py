from __future__ import annotations

from decimal import Decimal

import pytest

from zendesk_push.simulator.strict_json import HugeInteger, UnparsableError, parse


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"NaN",
        b"[Infinity]",
        b"[-Infinity]",
        b"\xef\xbb\xbf{}",
        b'"\xff"',
        b"[" * 100_000,
        b"{} {}",
        b"'a'",
    ],
)
def test_refuses_what_is_not_json(body: bytes) -> None:
    with pytest.raises(UnparsableError):
        parse(body)


def test_takes_numbers_of_any_size() -> None:
    number, small, whole = parse(b"[1e400, 0.1, " + b"7" * 10_000 + b"]")
    assert (number, small) == (Decimal("1e400"), Decimal("0.1"))
    assert isinstance(whole, HugeInteger)
    assert whole.text == "7" * 10_000


def test_takes_lone_surrogates_and_the_last_of_repeated_keys() -> None:
    assert parse(b'{"a": 1, "a": "\\ud83d"}') == {"a": "\ud83d"}

"""The part of metadata that is read before any key is asked."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin_callback.metadata import SEALED_TOKEN_LIFETIME, Seal, parse_metadata
from zendesk_channel.contract import InstancePushId, PushToken, Subdomain

VALID = {"v": 1, "instance_push_id": "abc", "subdomain": "acme", "sealed": "AAAA"}


def test_an_envelope() -> None:
    envelope = parse_metadata(json.dumps(VALID))
    assert envelope is not None
    assert (envelope.instance_push_id, envelope.subdomain, envelope.ciphertext) == ("abc", "acme", b"\0\0\0")


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"v": "1"},
        {"instance_push_id": "a b"},
        {"instance_push_id": None},
        {"subdomain": "Acme"},
        {"subdomain": 1},
        {"sealed": ""},
        {"sealed": "A"},
        {"sealed": "AA AA"},
        {"sealed": None},
        {"sealed": "é"},
    ],
)
def test_what_has_another_form_is_not_ours(change: dict[str, Any]) -> None:
    assert parse_metadata(json.dumps({**VALID, **change})) is None


@pytest.mark.parametrize("name", sorted(VALID))
def test_nothing_may_be_missing(name: str) -> None:
    assert parse_metadata(json.dumps({key: value for key, value in VALID.items() if key != name})) is None


def test_what_is_too_long_is_not_ours() -> None:
    assert parse_metadata(json.dumps({**VALID, "padding": "x" * 5_000})) is None


@given(st.text(max_size=300) | st.sampled_from(["[" * 5_000, "9" * 5_000, '{"v":' * 800]))
def test_whatever_text_comes(text: str) -> None:
    assert parse_metadata(text) is None


def test_a_token_lives_for_a_day() -> None:
    seal = Seal(InstancePushId("a"), Subdomain("acme"), nonce="n", issued_at=100, token=PushToken("t"))
    assert seal.live_token(100 + SEALED_TOKEN_LIFETIME) == PushToken("t")
    assert seal.live_token(101 + SEALED_TOKEN_LIFETIME) is None

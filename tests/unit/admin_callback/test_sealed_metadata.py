"""The part of metadata that is read before any key is asked."""

import json
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from admin_callback.accounts.sealed_metadata import (
    SEALED_TOKEN_LIFETIME,
    MetadataSealer,
    Seal,
    parse_metadata,
)
from zendesk_channel.contract import InstancePushId, PushToken, Subdomain
from zendesk_channel.errors import StoreUnavailableError

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


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    return boto3.client("kms", region_name="eu-central-1")


ANOTHERS_KEY = (
    "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are "
    "not allowed to access."
)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("InvalidCiphertextException", ""),
        ("IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this"),
        ("AccessDeniedException", ANOTHERS_KEY),
        ("AccessDeniedException", ""),  # moto's
    ],
)
def test_what_this_key_did_not_seal_is_no_seal(kms: Any, code: str, message: str) -> None:
    envelope = parse_metadata(json.dumps(VALID))
    assert envelope
    with Stubber(kms) as stubber:
        stubber.add_client_error("decrypt", code, message)
        assert MetadataSealer(kms, "key").open(envelope) is None


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "AccessDeniedException",
            "User: arn:aws:sts::1:assumed-role/r is not authorized to perform: kms:Decrypt",
        ),
        ("KMSInternalException", ""),
        ("ThrottlingException", ""),
        ("DisabledException", ""),
    ],
)
def test_what_kms_cannot_tell_is_not_taken_for_a_forgery(kms: Any, code: str, message: str) -> None:
    envelope = parse_metadata(json.dumps(VALID))
    assert envelope
    with Stubber(kms) as stubber:
        stubber.add_client_error("decrypt", code, message)
        with pytest.raises(StoreUnavailableError) as caught:
            MetadataSealer(kms, "key").open(envelope)
    assert (caught.value.operation, caught.value.code) == ("Decrypt", code)

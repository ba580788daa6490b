"""Metadata: what we wrote is known by its MAC, before anything is asked of AWS."""

import base64
import hashlib
import hmac
import json
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from admin_callback.accounts.metadata_keys import READ_EVERY, SIGNS_AFTER, MetadataKeys
from admin_callback.accounts.sealed_metadata import (
    SEALED_TOKEN_LIFETIME,
    Metadata,
    MetadataSealer,
    MetadataVersionError,
)
from worlds.sealing_in_memory import KmsInMemory, MetadataKeySecret
from worlds.set_clock import SetClock
from zendesk_channel.accounts import Account, AccountState
from zendesk_channel.contract import InstancePushId, PushToken, Subdomain
from zendesk_channel.errors import StoreUnavailableError

ACCOUNT, ACME, TOKEN = InstancePushId("abc"), Subdomain("acme"), PushToken("a" * 64)


class Sealing:
    """One secret, and as many containers as are asked for."""

    def __init__(self) -> None:
        self.clock = SetClock()
        self.kms: Any = KmsInMemory()
        self.secret: Any = MetadataKeySecret(self.clock.now)

    def container(self) -> MetadataSealer:
        keys = MetadataKeys(self.secret, "secret", self.clock.clock)
        return MetadataSealer(self.kms, "key", keys)

    def write(self, by: MetadataSealer, token: PushToken | None = None) -> str:
        return by.write(ACCOUNT, ACME, nonce="nonce", issued_at=self.clock.time, token=token)


@pytest.fixture
def sealing() -> Sealing:
    return Sealing()


def test_what_is_written_is_read_back(sealing: Sealing) -> None:
    sealer = sealing.container()
    metadata = sealer.authenticate(sealing.write(sealer, TOKEN))
    assert metadata is not None
    assert (metadata.instance_push_id, metadata.subdomain, metadata.nonce) == ("abc", "acme", "nonce")
    assert metadata.issued_at == round(sealing.clock.time, 3)
    assert sealer.open(metadata) == TOKEN
    without = sealer.authenticate(sealing.write(sealer))
    assert without is not None
    assert (without.sealed, sealer.open(without)) == (None, None)


def test_it_has_the_published_form(sealing: Sealing) -> None:
    text = sealing.write(sealing.container(), TOKEN)
    value = json.loads(text)
    assert set(value) == {"v", "instance_push_id", "subdomain", "nonce", "issued_at", "sealed", "mac"}
    assert value["v"] == 2
    mac = value.pop("mac")
    key = sealing.secret.get_secret_value(VersionStage="AWSCURRENT")["SecretString"].encode()
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    assert mac == hmac.new(key, canonical, hashlib.sha256).hexdigest()
    assert TOKEN.reveal() not in text


def test_the_order_of_keys_and_blanks_do_not_matter(sealing: Sealing) -> None:
    sealer = sealing.container()
    value = json.loads(sealing.write(sealer))
    assert sealer.authenticate(json.dumps(dict(reversed(value.items())), indent=1)) is not None


NOT_OURS = [
    "",
    "null",
    "[]",
    "{}",
    "[" * 4_999,
    "x" * 6_000,
    "1" * 4_999,
    "NaN",
    '"\\ud800"',
    '{"v": 2}',
    '{"mac": 7}',
    '{"mac": "é"}',
    '{"v": 2, "mac": "' + "0" * 64 + '"}',
    '{"v": 1, "instance_push_id": "abc", "subdomain": "acme", "sealed": "AAAA"}',
]


@pytest.mark.parametrize("text", NOT_OURS)
def test_what_we_did_not_write_costs_no_call_but_the_key_once(sealing: Sealing, text: str) -> None:
    sealer = sealing.container()
    assert [sealer.authenticate(text) for _ in range(3)] == [None] * 3
    assert sealing.kms.calls == {}
    assert sealing.secret.calls <= 2


@given(
    key=st.sampled_from(
        ["v", "instance_push_id", "subdomain", "nonce", "issued_at", "sealed", "mac", "more"]
    ),
    value=st.one_of(st.none(), st.text(max_size=20), st.integers(), st.floats(), st.lists(st.integers())),
)
def test_no_change_goes_unnoticed(key: str, value: Any) -> None:
    sealing = Sealing()
    sealer = sealing.container()
    written = json.loads(sealing.write(sealer, TOKEN))
    if written.get(key) == value and type(written.get(key)) is type(value) and key in written:
        return
    assert sealer.authenticate(json.dumps({**written, key: value})) is None


def signed(sealing: Sealing, **value: Any) -> str:
    """As a newer version of this code would write it."""
    key = sealing.secret.get_secret_value(VersionStage="AWSCURRENT")["SecretString"].encode()
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    return json.dumps({**value, "mac": hmac.new(key, canonical, hashlib.sha256).hexdigest()})


@pytest.mark.parametrize(
    "value",
    [
        {"v": 3, "who": "abc"},
        {"v": "2"},
        {"v": None},
        {},
        {"v": 2, "instance_push_id": "abc"},
        {"v": 2, "instance_push_id": 7, "subdomain": "acme", "nonce": "n", "issued_at": 1},
        {"v": 2, "instance_push_id": "abc", "subdomain": "acme", "nonce": "n", "issued_at": "soon"},
        {"v": 2, "instance_push_id": "abc", "subdomain": "acme", "nonce": "n", "issued_at": 1, "sealed": "!"},
    ],
)
def test_ours_in_a_version_that_is_not_known_here_is_no_forgery(
    sealing: Sealing, value: dict[str, Any]
) -> None:
    with pytest.raises(MetadataVersionError):
        sealing.container().authenticate(signed(sealing, **value))


def test_a_token_is_live_for_a_day() -> None:
    metadata = Metadata(ACCOUNT, ACME, "n", 1_000.0, b"sealed")
    assert metadata.has_live_token(1_000.0 + SEALED_TOKEN_LIFETIME)
    assert not metadata.has_live_token(1_000.1 + SEALED_TOKEN_LIFETIME)
    assert not Metadata(ACCOUNT, ACME, "n", 1_000.0).has_live_token(1_000.0)


def test_neither_nonce_nor_token_is_in_a_repr() -> None:
    assert "secret" not in repr(Metadata(ACCOUNT, ACME, "secret-nonce", 1.0, b"secret-token"))


RECORD = Account(ACCOUNT, ACME, AccountState.ACTIVE, 1, nonce="nonce")


@pytest.mark.parametrize(
    ("record", "speaks"),
    [
        (RECORD, True),
        (Account(ACCOUNT, ACME, AccountState.INACTIVE, 1, nonce="nonce"), True),
        (Account(ACCOUNT, ACME, AccountState.DELETED, 1, nonce="nonce"), False),
        (Account(ACCOUNT, ACME, AccountState.ACTIVE, 1, nonce="another"), False),
        (Account(ACCOUNT, ACME, AccountState.ACTIVE, 1, nonce=None), False),
        (Account(ACCOUNT, ACME, AccountState.ACTIVE, 1, nonce=""), False),
        (Account(InstancePushId("other"), ACME, AccountState.ACTIVE, 1, nonce="nonce"), False),
        (None, False),
    ],
)
def test_the_recorded_nonce_alone_speaks_for_an_account(record: Account | None, speaks: bool) -> None:
    assert Metadata(ACCOUNT, ACME, "nonce", 1.0).speaks_for(record) is speaks


def test_an_empty_nonce_speaks_for_nobody() -> None:
    assert not Metadata(ACCOUNT, ACME, "", 1.0).speaks_for(Account(ACCOUNT, ACME, AccountState.ACTIVE, 1))


# The key


def test_the_key_is_read_once_and_again_every_hour(sealing: Sealing) -> None:
    sealer = sealing.container()
    for _ in range(5):
        sealing.write(sealer)
    assert sealing.secret.calls == 2  # the current version, and the previous one that there might be
    sealing.clock.time += READ_EVERY
    sealing.write(sealer)
    assert sealing.secret.calls == 4


def test_a_key_that_cannot_be_read_again_goes_on_being_used(sealing: Sealing) -> None:
    sealer = sealing.container()
    text = sealing.write(sealer)
    sealing.secret.failing = "InternalServiceError"
    sealing.clock.time += READ_EVERY
    assert sealer.authenticate(text) is not None
    calls = sealing.secret.calls
    assert sealer.authenticate(text) is not None
    assert sealing.secret.calls == calls  # not asked at every request


def test_a_key_that_could_never_be_read_is_a_failure_and_no_forgery(sealing: Sealing) -> None:
    text = sealing.write(sealing.container())
    sealing.secret.failing = "AccessDeniedException"
    with pytest.raises(StoreUnavailableError):
        sealing.container().authenticate(text)


def test_while_the_key_rotates_every_container_knows_what_any_other_writes(sealing: Sealing) -> None:
    old = sealing.container()
    before = sealing.write(old)
    sealing.clock.time += READ_EVERY / 2
    old.authenticate(before)
    sealing.secret.rotate()
    for minutes in range(0, 240, 10):
        young = sealing.container()
        for text in (before, sealing.write(old), sealing.write(young)):
            assert old.authenticate(text) is not None, minutes
            assert young.authenticate(text) is not None, minutes
        sealing.clock.time += 600


def test_the_new_version_signs_after_a_while_and_the_old_one_is_known_until_the_next_rotation(
    sealing: Sealing,
) -> None:
    before = sealing.write(sealing.container())
    sealing.secret.rotate()
    sealing.clock.time += SIGNS_AFTER + 1
    after = sealing.write(sealing.container())
    assert sealing.container().authenticate(before) is not None
    sealing.secret.rotate()
    assert sealing.container().authenticate(before) is None
    assert sealing.container().authenticate(after) is not None


# The sealed token

METADATA = Metadata(ACCOUNT, ACME, "n", 1.0, b"sealed")


@pytest.mark.parametrize("ids", [("abd", "acme"), ("abc", "acmf")])
def test_a_token_that_was_sealed_for_others_is_none(sealing: Sealing, ids: tuple[str, str]) -> None:
    sealer = sealing.container()
    metadata = sealer.authenticate(sealing.write(sealer, TOKEN))
    assert metadata is not None
    other = Metadata(InstancePushId(ids[0]), Subdomain(ids[1]), "nonce", 1.0, metadata.sealed)
    assert sealer.open(other) is None


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
def test_what_this_key_did_not_seal_is_no_token(sealing: Sealing, kms: Any, code: str, message: str) -> None:
    with Stubber(kms) as stubber:
        stubber.add_client_error("decrypt", code, message)
        sealing.kms = kms
        assert sealing.container().open(METADATA) is None


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
def test_what_kms_cannot_tell_is_not_taken_for_a_forgery(
    sealing: Sealing, kms: Any, code: str, message: str
) -> None:
    with Stubber(kms) as stubber:
        stubber.add_client_error("decrypt", code, message)
        sealing.kms = kms
        with pytest.raises(StoreUnavailableError) as caught:
            sealing.container().open(METADATA)
    assert (caught.value.operation, caught.value.code) == ("Decrypt", code)


@pytest.mark.parametrize("plaintext", [b"", b"\xff", b"two words"])
def test_what_was_sealed_and_is_no_token_is_none(sealing: Sealing, kms: Any, plaintext: bytes) -> None:
    with Stubber(kms) as stubber:
        stubber.add_response("decrypt", {"Plaintext": plaintext})
        sealing.kms = kms
        assert sealing.container().open(METADATA) is None


def test_the_longest_values_fit(sealing: Sealing) -> None:
    sealer = sealing.container()
    text = sealer.write(
        InstancePushId("i" * 255),
        Subdomain("a" * 63),
        nonce="n" * 43,
        issued_at=sealing.clock.time,
        token=PushToken("t" * 2_048),
    )
    assert len(text) <= 5_000
    assert base64.b64decode(json.loads(text)["sealed"])

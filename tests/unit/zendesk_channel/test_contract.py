"""The values that come from outside: what their types let in, and that a token shows itself nowhere."""

import copy
import hashlib
import json
import pickle
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zendesk_channel.contract import InstancePushId, PushToken, Subdomain
from zendesk_channel.errors import InvalidValueError

LABEL = string.ascii_lowercase + string.digits


@pytest.mark.parametrize("text", ["a", "0", "acme", "d3v-assuresoft", "a--b", "a" * 63])
def test_subdomains(text: str) -> None:
    assert Subdomain(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "a-",
        "-a",
        "A",
        "a.b",
        "a_b",
        "a b",
        "a\n",
        "\na",
        "xn--a",
        "a" * 64,
        "ä",
        "\u0430",
        "a/",
        "a@b",
        "a:1",
    ],
)
def test_what_is_no_subdomain(text: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        Subdomain(text)
    assert caught.value.field == "subdomain"


@given(st.text(max_size=80))
def test_a_subdomain_is_one_dns_label_because_its_type_says_so(text: str) -> None:
    try:
        value = Subdomain(text)
    except InvalidValueError:
        return
    assert set(value) <= set(LABEL + "-")
    assert value[0] in LABEL
    assert value[-1] in LABEL


@pytest.mark.parametrize("text", ["3cd1d2a5-aaf2-41fe-a9f1-519499605854", "A_b-1", "x" * 255])
def test_account_ids(text: str) -> None:
    assert InstancePushId(text) == text


@pytest.mark.parametrize("text", ["", "a" * 256, "a b", "a/b", "a.b", "a#b", "ä", "a\n", "a\u200b"])
def test_what_is_no_account_id(text: str) -> None:
    with pytest.raises(InvalidValueError):
        InstancePushId(text)


@pytest.mark.parametrize("text", ["a", "a" * 2_048, "Az09._~+/=-"])
def test_tokens(text: str) -> None:
    assert PushToken(text).reveal() == text


@pytest.mark.parametrize(
    "text", ["", "a" * 2_049, "secret token", "secret\r\nX: y", "secrét", "secret;", "secret\0"]
)
def test_what_is_no_token_is_not_repeated_in_the_error(text: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        PushToken(text)
    assert "secr" not in repr(caught.value)


def test_a_token_shows_itself_only_when_asked() -> None:
    token = PushToken("canary")
    shown = [
        repr(token),
        str(token),
        f"{token}",
        f"{token!r}",
        repr([token]),
        repr({"t": token}),
        "{}".format(token),  # noqa: UP032
    ]
    assert not any("canary" in text for text in shown)
    for take in (pickle.dumps, json.dumps, vars):
        with pytest.raises(TypeError) as caught:
            take(token)
        assert "canary" not in str(caught.value)
    with pytest.raises(TypeError):
        copy.copy(token)


@pytest.mark.parametrize(
    ("token", "text", "masked"),
    [
        ("secret.+1", "a secret.+1, secret.+1b", "a ****, ****b"),
        ("secret.+1", "cut off: secret.+", "cut off: ****"),
        ("secret.+1", "secret.+", "****"),
        ("secret.+1", "secret., and secret", "secret., and secret"),
        ("short", "short", "short"),
        ("secret.+1", "", ""),
    ],
)
def test_a_token_is_masked_in_what_others_say(token: str, text: str, masked: str) -> None:
    assert PushToken(token).masked_in(text) == masked


@given(st.from_regex(re.compile(r"[A-Za-z0-9._~+/=-]{1,64}"), fullmatch=True))
def test_the_version_of_a_token_is_its_hash(text: str) -> None:
    assert PushToken(text).version == hashlib.sha256(text.encode()).hexdigest()
    assert PushToken(text) == PushToken(text)
    assert hash(PushToken(text)) == hash(PushToken(text))
    assert PushToken(text) != PushToken(text + "x")
    assert PushToken(text) != text

"""What is taken for a callback, and what is refused with which answer."""

import base64
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin_callback.accounts.callback import CallbackForm
from admin_callback.http.admin_ui_form import parse_form
from admin_callback.http.form import MAX_FORM_BYTES, FormError
from unit.admin_callback.callback_forms import ADDRESSES, FINALIZER, VALID, form_event, http_event
from zendesk_channel.addresses import ZendeskAddresses
from zendesk_channel.contract import PushToken


def refusal(event: dict[str, object], addresses: ZendeskAddresses = ADDRESSES) -> FormError:
    with pytest.raises(FormError) as caught:
        parse_form(event, addresses)
    return caught.value


def test_a_form_as_zendesk_posts_it() -> None:
    form = parse_form(form_event(name="Nachrichten für alle", metadata="m", locale="de"), ADDRESSES)
    assert form == CallbackForm(
        subdomain=form.subdomain,
        instance_push_id=form.instance_push_id,
        token=PushToken("a" * 64),
        return_url=VALID["return_url"],
        name="Nachrichten für alle",
        metadata="m",
        locale="de",
    )
    assert (form.subdomain, form.instance_push_id) == ("acme", VALID["instance_push_id"])


@pytest.mark.parametrize("name", ["name", "metadata", "state", "locale"])
@pytest.mark.parametrize("value", [None, "", "null"])
def test_absent_empty_and_null_are_the_same(name: str, value: str | None) -> None:
    form = parse_form(form_event(**{name: value}), ADDRESSES)
    assert (form.name, form.metadata) == ("", "")


def test_an_unencoded_body_is_read_too() -> None:
    assert parse_form(http_event(urlencode(VALID), base64_encoded=False), ADDRESSES).subdomain == "acme"


def test_unknown_fields_are_ignored_even_repeated_and_however_many() -> None:
    unknown = "&new=1&new=2&empty" + "&more=1" * 10_000
    assert parse_form(http_event(urlencode(VALID) + unknown), ADDRESSES).subdomain == "acme"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-www-form-urlencoded",
        "Application/X-WWW-Form-Urlencoded; charset=UTF-8",
        'application/x-www-form-urlencoded; charset="utf-8"',
        "application/x-www-form-urlencoded;boundary=x",
    ],
)
def test_content_types_of_forms(content_type: str) -> None:
    assert parse_form(http_event(urlencode(VALID), content_type), ADDRESSES).subdomain == "acme"


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "application/json",
        "multipart/form-data; boundary=x",
        "text/plain",
        "application/x-www-form-urlencoded-not",
        "application/x-www-form-urlencoded; charset=utf-16",
    ],
)
def test_anything_but_a_form_is_415(content_type: str | None) -> None:
    assert refusal(http_event(urlencode(VALID), content_type)).status == 415


def test_a_header_name_in_any_case() -> None:
    event = http_event(urlencode(VALID))
    event["headers"] = {"Content-Type": event["headers"]["content-type"]}
    assert parse_form(event, ADDRESSES).subdomain == "acme"


def test_256_kib_are_the_limit() -> None:
    body = urlencode(VALID) + "&padding="
    body += "x" * (MAX_FORM_BYTES - len(body))
    assert parse_form(http_event(body), ADDRESSES).subdomain == "acme"
    for base64_encoded in (True, False):
        assert refusal(http_event(body + "x", base64_encoded=base64_encoded)).status == 413


def test_bytes_count_not_characters() -> None:
    assert refusal(http_event("x" + "é" * (MAX_FORM_BYTES // 2), base64_encoded=False)).status == 413


@pytest.mark.parametrize(
    "body",
    [
        "name=%FF&" + urlencode(VALID),
        b"name=\xff&" + urlencode(VALID).encode(),
        "name=%ED%A0%80&" + urlencode(VALID),  # a surrogate
    ],
)
def test_what_is_not_utf8_cannot_be_read(body: str | bytes) -> None:
    error = refusal(http_event(body))
    assert (error.status, error.problem) == (400, "not_readable")


def test_base64_that_is_none_cannot_be_read() -> None:
    assert refusal({**http_event(""), "body": "%%%"}).problem == "not_readable"
    assert refusal({**http_event(""), "body": "abc"}).problem == "not_readable"


@pytest.mark.parametrize("name", sorted(VALID))
def test_a_repeated_field_is_refused_though_it_says_the_same(name: str) -> None:
    error = refusal(http_event(urlencode(VALID) + "&" + urlencode({name: VALID[name]})))
    assert (error.status, error.problem, error.field) == (400, "repeated_field", name)
    assert error.subdomain == "acme"


@pytest.mark.parametrize("name", ["subdomain", "return_url"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_field_is_named(name: str, value: str | None) -> None:
    error = refusal(form_event(**{name: value}))
    assert (error.status, error.problem, error.field) == (400, "missing_field", name)


@pytest.mark.parametrize("name", ["instance_push_id", "zendesk_access_token"])
@pytest.mark.parametrize("value", [None, "", "null"])
def test_missing_credentials_have_a_sentence_of_their_own(name: str, value: str | None) -> None:
    error = refusal(form_event(**{name: value}, locale="fr"))
    assert (error.status, error.problem, error.field) == (400, "missing_credentials", name)
    assert (error.locale, error.subdomain) == ("fr", "acme")


SUBDOMAINS = [
    "Acme",
    "acme.evil",
    "acme.zendesk.com.evil.com",
    "evil.com/",
    "evil.com#",
    "evil.com?",
    "a@b",
    "a:80",
    "a/b",
    "a\\b",
    "-a",
    "a-",
    "xn--acme-9ta",
    "\u0430cme",  # a Cyrillic letter
    "acme\u3002",  # an ideographic full stop
    "\uff41cme",  # a full-width letter
    "ß",
    "a" * 64,
    " acme",
    "acme ",
    "..",
    "127.0.0.1",
    "%61cme",
    "localhost:1",
    "[::1]",
    "acme_x",
    "acme\n",
]


@pytest.mark.parametrize("subdomain", SUBDOMAINS)
def test_subdomain_tricks(subdomain: str) -> None:
    for return_url in (VALID["return_url"], f"https://{subdomain}.zendesk.com{FINALIZER}"):
        error = refusal(form_event(subdomain=subdomain, return_url=return_url))
        assert error.status == 400
        assert error.subdomain is None


@pytest.mark.parametrize("subdomain", ["a", "7", "a" * 63, "a-b", "d3v-assuresoft", "a--b"])
def test_subdomains(subdomain: str) -> None:
    event = form_event(subdomain=subdomain, return_url=f"https://{subdomain}.zendesk.com/")
    assert parse_form(event, ADDRESSES).subdomain == subdomain


RETURN_URLS = [
    "https://evil.zendesk.com/",
    "http://acme.zendesk.com/",
    "HTTPS://acme.zendesk.com/",
    "https://ACME.zendesk.com/",
    "//acme.zendesk.com/",
    "/zendesk/channels",
    "https://acme.zendesk.com",
    "https://acme.zendesk.com:443/",
    "https://acme.zendesk.com:8443/",
    "https://acme.zendesk.com.evil.com/",
    "https://acme.zendesk.com@evil.com/",
    "https://user@acme.zendesk.com/",
    "https://evil.com/https://acme.zendesk.com/",
    "https://acme.zendesk.com\\@evil.com/",
    "https://acme.zendesk.com/\\evil.com",
    "https://acme.zendesk.com?/",
    "https://acme.zendesk.com#/",
    "https:/acme.zendesk.com/",
    "https:acme.zendesk.com/",
    " https://acme.zendesk.com/",
    "https://acme.zendesk.com/ x",
    "https://acme.zendesk.com/\tx",
    "https://acme.zendesk.com/\r\nSet-Cookie: a=b",
    "https://acme.zendesk.com/\x00",
    "https://acme.zendesk.com/\x7f",
    "https://acme.zendesk.com/é",
    "javascript:alert(1)",
    "data:text/html,x",
    "https://acme.zendesk.com/" + "a" * 2_024,
]


@pytest.mark.parametrize("return_url", RETURN_URLS)
def test_return_url_tricks(return_url: str) -> None:
    error = refusal(form_event(return_url=return_url))
    assert (error.status, error.field) == (400, "return_url")


@pytest.mark.parametrize(
    "return_url",
    [
        "https://acme.zendesk.com/",
        "https://acme.zendesk.com/agent?a=b&c=%20#d",
        "https://acme.zendesk.com//evil.com",  # still acme's origin
        "https://acme.zendesk.com/@evil.com",
        "https://acme.zendesk.com/" + "a" * 2_023,
    ],
)
def test_return_urls(return_url: str) -> None:
    assert parse_form(form_event(return_url=return_url), ADDRESSES).return_url == return_url


@pytest.mark.parametrize(
    ("name", "longest"),
    [
        ("name", 255),
        ("metadata", 5_000),
        ("state", 5_000),
        ("instance_push_id", 255),
        ("zendesk_access_token", 2_048),
    ],
)
def test_lengths(name: str, longest: int) -> None:
    parse_form(form_event(**{name: "x" * longest}), ADDRESSES)
    error = refusal(form_event(**{name: "x" * (longest + 1)}))
    assert (error.status, error.problem, error.field) == (400, "invalid_field", name)


def test_lengths_count_characters() -> None:
    assert len(parse_form(form_event(name="日" * 255), ADDRESSES).name) == 255


@pytest.mark.parametrize("name", ["name", "metadata", "state", "instance_push_id", "zendesk_access_token"])
@pytest.mark.parametrize("character", ["\x00", "\r\n", "\t", "\x1b", "\x7f", "\x85", "\x9f"])
def test_control_characters(name: str, character: str) -> None:
    error = refusal(form_event(**{name: f"a{character}b"}))
    assert (error.status, error.problem, error.field) == (400, "invalid_field", name)


@pytest.mark.parametrize("value", ["a b", "a/b", "ä", "a.b", "../x", "a#b"])
def test_instance_push_ids_that_are_none(value: str) -> None:
    assert refusal(form_event(instance_push_id=value)).field == "instance_push_id"


@pytest.mark.parametrize("value", ["a b", "ä", "a\u200bb", "a;b", '"x"'])
def test_tokens_that_are_none(value: str) -> None:
    error = refusal(form_event(zendesk_access_token=value))
    assert error.field == "zendesk_access_token"
    assert value not in repr(error)
    assert value not in str(error)


def test_an_odd_locale_is_nobodys_problem() -> None:
    for locale in ("x" * 9_000, "\x00", "<b>", "🏴"):
        assert parse_form(form_event(locale=locale), ADDRESSES).locale == locale


def test_a_printed_form_shows_no_secret() -> None:
    form = parse_form(form_event(metadata="sealed-secret", name="private name"), ADDRESSES)
    assert "aaaa" not in repr(form)
    assert "sealed-secret" not in repr(form)
    assert "private name" not in repr(form)


def test_on_loopback_the_return_url_is_the_simulators() -> None:
    plain = ZendeskAddresses("http://127.0.0.1:8000")
    event = form_event(return_url="http://127.0.0.1:8000/x")
    assert parse_form(event, plain).return_url == "http://127.0.0.1:8000/x"
    for return_url in ("http://127.0.0.1:80000/", "http://127.0.0.1:8001/", "http://127.0.0.1:8000"):
        assert refusal(form_event(return_url=return_url), plain).field == "return_url"


@given(st.binary(max_size=400))
def test_no_body_raises_anything_else(data: bytes) -> None:
    event = {**http_event(""), "body": base64.b64encode(data).decode()}
    assert refusal(event).status == 400


@given(st.dictionaries(st.sampled_from(sorted(VALID)), st.text(st.characters(codec="utf-8"), max_size=300)))
def test_whatever_is_accepted_keeps_to_the_rules(changes: dict[str, str]) -> None:
    try:
        form = parse_form(form_event(**changes), ADDRESSES)
    except FormError as error:
        assert error.status == 400  # noqa: PT017 (accepting is fine as well)
        return
    assert form.return_url.startswith(f"https://{form.subdomain}.zendesk.com/")
    assert form.return_url.isascii()
    assert len(form.name) <= 255

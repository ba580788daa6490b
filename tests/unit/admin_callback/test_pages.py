"""What the pages say and how they are fenced in, in every language."""

import base64
import hashlib
import json
import re
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import admin_callback.http
from admin_callback.http.pages import LANGUAGES, Form, Page, headers, language_of, render, translation

ORIGIN = "https://acme.zendesk.com"
EVIL = "\"'><script>alert(1)</script>&amp;{{7*7}}{%raw%}"
PROBLEMS = sorted(set(translation("en")["problems"]) - {"heading", "unavailable_heading"})


def page(message: str = "connected", **changes: Any) -> Page:
    form = (
        Form(f"{ORIGIN}/x", "Name", "sealed") if message in ("connected", "unconfirmed", "pending") else None
    )
    values = {
        "message": message,
        "locale": "en",
        "origin": ORIGIN,
        "reference": "req-1",
        "subdomain": "acme.zendesk.com",
        "field": "name",
        "form": form,
    }
    return Page(**{**values, **changes})


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("en-US", "en"),
        ("en", "en"),
        ("de", "de"),
        ("de-CH", "de"),
        ("DE_de", "de"),
        ("fr-CA", "fr"),
        ("es-419", "es"),
        ("pt-BR", "pt-BR"),
        ("pt", "pt-BR"),
        ("pt-PT", "pt-BR"),
        ("ja", "ja"),
        ("jab", "en"),
        ("", "en"),
        ("null", "en"),
        ("../de", "en"),
        ("zh-CN", "en"),
    ],
)
def test_languages(locale: str, language: str) -> None:
    assert language_of(locale) == language


@given(st.text())
def test_every_locale_has_a_language(locale: str) -> None:
    assert language_of(locale) in LANGUAGES


def shape(value: Any) -> Any:
    """A translation's keys and placeholders."""
    if isinstance(value, dict):
        return {key: shape(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [shape(entry) for entry in value]
    return sorted(name for _, name, _, _ in string.Formatter().parse(value) if name)


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_are_complete_and_take_the_same_values(language: str) -> None:
    assert shape(translation(language)) == shape(translation("en"))


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_translations_are_translated(language: str) -> None:
    def sentences(value: Any) -> list[str]:
        if isinstance(value, str):
            return [value]
        entries = value.values() if isinstance(value, dict) else value
        return [sentence for entry in entries for sentence in sentences(entry)]

    same = set(sentences(translation(language))) & set(sentences(translation("en")))
    assert same == set()


def test_every_translation_file_is_a_language() -> None:
    folder = Path(admin_callback.http.__path__[0]) / "translations"
    assert sorted(path.stem for path in folder.iterdir()) == sorted(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("message", ["connected", "unconfirmed", "pending", *PROBLEMS])
def test_every_page_in_every_language(message: str, language: str) -> None:
    text = render(page(message, locale=language), "Newsroom")
    assert text.startswith("<!doctype html>")
    assert f'<html lang="{language}">' in text
    assert not re.search(r"{[a-z_]*}", text.split("</style>")[1])
    state = {"connected": "connected", "unconfirmed": "unconfirmed", "pending": "unconfirmed"}
    assert f'<body data-state="{state.get(message, "refused")}">' in text
    assert text.count("data-state") == 1  # scripts look for it
    assert ("<form" in text) == (message in state)
    assert "<code>req-1</code>" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_missing_credentials_point_to_the_setting(language: str) -> None:
    assert "PushClientId" in render(page("missing_credentials", locale=language), "Newsroom")


@pytest.mark.parametrize("message", ["connected", "invalid_field", "subdomain_not_allowed"])
def test_values_stay_text(message: str) -> None:
    form = Form(EVIL, EVIL, EVIL) if message == "connected" else None
    text = render(page(message, form=form, field=EVIL, subdomain=EVIL, reference=EVIL, locale=EVIL), EVIL)
    outside_style = text.split("</style>")[1]
    assert "<script" not in text
    assert "49" not in outside_style.replace("&#34;", "").replace("&#39;", "")
    assert outside_style.count("<form") == (1 if form else 0)


def test_a_page_loads_runs_and_links_to_nothing() -> None:
    text = render(page(), "Newsroom")
    for pattern in (
        "<script",
        "<link",
        "<img",
        "<iframe",
        "<object",
        " on[a-z]+=",
        "javascript:",
        "url\\(",
        "@import",
    ):
        assert not re.search(pattern, text, re.IGNORECASE)


def policy(value: Page) -> dict[str, str]:
    parts = headers(value)["Content-Security-Policy"].split("; ")
    return dict(part.split(" ", 1) for part in parts)


def test_the_policy_of_a_form() -> None:
    assert policy(page())["form-action"] == ORIGIN
    assert policy(page())["frame-ancestors"] == ORIGIN


def test_the_policy_of_a_refusal() -> None:
    assert policy(page("throttled"))["form-action"] == "'none'"
    assert policy(page("throttled"))["frame-ancestors"] == ORIGIN
    assert policy(page("not_a_form", origin=""))["frame-ancestors"] == "'none'"


def test_the_policy_comes_from_the_origin_not_from_the_form() -> None:
    evil = page(form=Form("https://evil.com/", "", ""))
    assert "evil" not in headers(evil)["Content-Security-Policy"]


def test_the_style_in_the_page_is_the_one_that_the_policy_allows() -> None:
    style = re.search(r"<style>(.*)</style>", render(page(), "Newsroom"), re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy(page())["style-src"] == f"'sha256-{digest}'"


def test_the_metadata_comes_back_as_it_is() -> None:
    metadata = json.dumps({"v": 1, "sealed": "a+/="}, separators=(",", ":"))
    text = render(page(form=Form(f"{ORIGIN}/x?a=1&b=2", "n", metadata)), "Newsroom")
    assert f'value="{metadata.replace(chr(34), "&#34;")}"' in text
    assert f'action="{ORIGIN}/x?a=1&amp;b=2"' in text

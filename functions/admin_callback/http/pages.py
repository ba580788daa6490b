"""The pages of the administrative interface: what they say, and the headers that fence them in.

Jinja2 and the translations are loaded when the first page is rendered: the manifest, events and the schedule do
without (docs/decisions/0301-pages-with-jinja2.md has the cost).
"""

import base64
import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from jinja2 import Template

LANGUAGES: Final = ("en", "de", "fr", "es", "pt-BR", "ja")
_HERE: Final = Path(__file__).parent
_CONNECTED: Final = ("confirmed", "connected")


@dataclass(frozen=True)
class Form:
    """What goes back to Zendesk, and where to."""

    return_url: str
    name: str = field(repr=False)
    metadata: str = field(repr=False)


@dataclass(frozen=True)
class Page:
    """One answer to an administrator.

    Attributes:
        message: ``confirmed`` (a new account), ``connected`` (an edited one), ``unconfirmed``, ``unconfirmed_edit``,
            ``pending``, or the name of a problem in the translations.
        locale: the administrator's, as Zendesk sent it.
        origin: the origin of the checked Zendesk that may show the page; empty if there is none.
        reference: the request's id, which the log lines have too.
        form: None for a refusal.
    """

    message: str
    locale: str
    origin: str
    reference: str
    subdomain: str = ""
    field: str = ""
    form: Form | None = None


def language_of(locale: str) -> str:
    """The language to answer in: an exact or a first-part match (``pt`` in all its forms is ``pt-BR``), or English."""
    first = locale.replace("_", "-").partition("-")[0].lower()
    return next((language for language in LANGUAGES if language.partition("-")[0] == first), "en")


def render(page: Page, integration: str) -> str:
    """The page as HTML. All values are escaped by the template's engine."""
    language = language_of(page.locale)
    text = translation(language)
    values = {"subdomain": page.subdomain, "field": page.field}
    problems = text["problems"]
    if page.form is None:
        state, mark = "refused", "!"
        later = page.message == "unavailable"
        heading = problems["unavailable_heading" if later else "heading"]
        paragraphs = [problems[page.message]]
    else:
        state, mark = ("connected", "✓") if page.message in _CONNECTED else ("unconfirmed", "…")
        heading = text[page.message]["heading"]
        paragraphs = text[page.message]["paragraphs"]
    return _template().render(
        language=language,
        integration=integration,
        state=state,
        mark=mark,
        heading=heading,
        paragraphs=[paragraph.format_map(values) for paragraph in paragraphs],
        form=page.form,
        stuck=text["stuck"].format_map(values),
        text=text,
        reference=page.reference,
    )


def headers(page: Page) -> dict[str, str]:
    """Only that customer's Zendesk may show the page or receive its form, and nothing may run in it.

    Browsers apply form-action to the redirects of the form's target as well, silently. Zendesk's finalizer may redirect
    to a domain of the customer's own, which nobody can name here: the page says what to try then.
    """
    ancestors = page.origin or "'none'"
    target = page.origin if page.form else ""
    return {
        "Content-Security-Policy": "; ".join(
            (
                "default-src 'none'",
                f"style-src '{_style_hash()}'",
                f"form-action {target or chr(39) + 'none' + chr(39)}",
                f"frame-ancestors {ancestors}",
                "base-uri 'none'",
            )
        ),
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


@functools.cache
def translation(language: str) -> Mapping[str, Any]:
    """The sentences of one of LANGUAGES."""
    text: Mapping[str, Any] = json.loads((_HERE / "translations" / f"{language}.json").read_text("utf-8"))
    return text


@functools.cache
def _style() -> str:
    return (_HERE / "templates" / "page.css").read_text("utf-8")


@functools.cache
def _style_hash() -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()


@functools.cache
def _template() -> "Template":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # The style sheet is ours, and goes in as it is: the policy names the hash of exactly this text.
    environment.globals["style"] = Markup(_style())  # noqa: S704
    return environment.get_template("page.html")

"""Adds and edits accounts in the simulated Admin Center over HTTP, step by step as a browser does.

The page with the iframe → its hidden form, posted to the integration → the form in the integration's answer,
filled in and posted to the finalizer → the redirect that ends it. Nothing is taken from the simulator's memory,
so what works here works for an administrator without JavaScript.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urljoin, urlsplit

import urllib3

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT = urllib3.Timeout(connect=5, read=35)  # an HTTP API answers within 30 s


class ConnectError(Exception):
    """A step did not lead on; ``step`` names it, ``status`` and ``text`` are what the page said."""

    def __init__(self, step: str, status: int, text: str) -> None:
        super().__init__(f"{step}: status {status}: {text}")
        self.step = step
        self.status = status
        self.text = text


@dataclass(frozen=True)
class ConnectedAccount:
    instance_push_id: str
    subdomain: str
    name: str
    page_state: str | None
    """``data-state`` of the integration's page: ``connected`` or ``unconfirmed``."""
    metadata: str = field(repr=False)


def connect_account(
    simulator_url: str, subdomain: str, name: str, *, locale: str = "en-US"
) -> ConnectedAccount:
    """Add an account called ``name`` to ``subdomain`` and save it; raises ConnectError with the page's text.

    ``simulator_url`` is ``Simulator.url`` or ``Simulator.url_of(subdomain)``.
    """
    page = f"/admin/{quote(subdomain)}/accounts/new?{urlencode({'locale': locale})}"
    return _go_through(simulator_url, page, name)


def edit_account(
    simulator_url: str,
    subdomain: str,
    instance_push_id: str,
    *,
    name: str | None = None,
    locale: str = "en-US",
    new_token: bool | None = None,
) -> ConnectedAccount:
    """Open an account once more and save it; ``name`` None keeps what the integration's page shows.

    ``new_token`` None leaves to the simulator whether the edit hands out a new one. Raises ConnectError.
    """
    query = {"locale": locale} | ({} if new_token is None else {"token": "new" if new_token else "same"})
    page = f"/admin/{quote(subdomain)}/accounts/{quote(instance_push_id)}/edit?{urlencode(query)}"
    return _go_through(simulator_url, page, name)


def _go_through(simulator_url: str, page: str, name: str | None) -> ConnectedAccount:
    with urllib3.PoolManager(timeout=TIMEOUT, retries=False) as pool:
        editor = _Answered(pool, "GET", urljoin(simulator_url, page))
        handed_over = editor.form("the Admin Center")
        answer = _Answered(pool, "POST", handed_over.action, handed_over.fields)
        form = answer.form("the integration's page")
        if form.action != handed_over.fields["return_url"]:
            raise ConnectError("the integration's page", answer.status, f"its form goes to {form.action}")
        if name is not None:
            form.fields["name"] = name
        saved = _Answered(pool, "POST", form.action, form.fields, cookie=editor.cookie)
        location = saved.response.headers.get("Location")
        if saved.status not in (302, 303) or location is None:
            raise ConnectError("saving", saved.status, saved.page.text)
        end = _Answered(pool, "GET", urljoin(form.action, location))
        if end.status != 200 or "data-instance-push-id" not in end.page.body:
            raise ConnectError("after saving", end.status, end.page.text)
        return ConnectedAccount(
            instance_push_id=end.page.body["data-instance-push-id"],
            subdomain=end.page.body["data-subdomain"],
            name=form.fields.get("name", ""),
            page_state=answer.page.body.get("data-state"),
            metadata=form.fields.get("metadata", ""),
        )


@dataclass
class _Form:
    action: str
    fields: dict[str, str]


class _Page(HTMLParser):
    """The first POST form of a page, the attributes of its body, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.form: _Form | None = None
        self.body: dict[str, str] = {}
        self._text: list[str] = []
        self._in_form = self._silent = False
        self.feed(html)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._text).split())[:500]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attrs}
        if tag == "body":
            self.body = values
        elif tag in ("script", "style"):
            self._silent = True
        elif tag == "form" and self.form is None and values.get("method", "").lower() == "post":
            self.form, self._in_form = _Form(values.get("action", ""), {}), True
        elif tag == "input" and self._in_form and self.form is not None and "name" in values:
            self.form.fields[values["name"]] = values.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._in_form = False
        elif tag in ("script", "style"):
            self._silent = False

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._text.append(data)


class _Answered:
    """One request and the page that came back."""

    def __init__(
        self,
        pool: urllib3.PoolManager,
        method: str,
        url: str,
        fields: Mapping[str, str] | None = None,
        *,
        cookie: str | None = None,
    ) -> None:
        headers = {"Accept": "text/html"}
        if fields is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if cookie is not None:
            headers["Cookie"] = cookie
        parts = urlsplit(url)
        if (parts.hostname or "").endswith(".localhost"):  # browsers know these names, resolvers often do not
            headers["Host"] = parts.netloc
            url = parts._replace(netloc=f"127.0.0.1:{parts.port or 80}").geturl()
        body = None if fields is None else urlencode(fields).encode("ascii")
        self._url = url
        self.response = pool.request(method, url, headers=headers, body=body, redirect=False)
        self.status = self.response.status
        self.page = _Page(self.response.data.decode("utf-8", "replace"))

    @property
    def cookie(self) -> str | None:
        value = self.response.headers.get("Set-Cookie")
        return None if value is None else value.split(";", 1)[0]

    def form(self, step: str) -> _Form:
        if self.status != 200 or self.page.form is None:
            raise ConnectError(step, self.status, self.page.text)
        return self.page.form

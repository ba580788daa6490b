"""An administrator in a real browser: the simulated Admin Center, the local stack, and our page in its iframe.

Everything that the browser complains of, a violated Content-Security-Policy first of all, fails the test.
``SCREENSHOTS=<folder>`` leaves pictures of the pages there.
"""

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Frame, Page, sync_playwright

from machine_parts import browser_path
from zendesk_push.local.stack import LocalStack
from zendesk_push.simulator import Simulator, ValidateTokenPolicy

ALLOWED = ["acme", *(f"customer-{n}" for n in range(20))]
SCREENSHOTS = os.environ.get("SCREENSHOTS")
EVENT_SECONDS = 20


class BrowserWorld:
    """The stack, its Zendesk, and one administrator's browser."""

    def __init__(self, stack: LocalStack, zendesk: Simulator, browser: Browser) -> None:
        self.stack = stack
        self.zendesk = zendesk
        self.browser = browser
        self.problems: list[str] = []
        self.scripts = True
        self._subdomains = iter(ALLOWED)

    def subdomain(self) -> str:
        """One that nothing has happened to."""
        return next(self._subdomains)

    def open(self, *, scripts: bool = True) -> Page:
        """A window; ``scripts`` False is an administrator who has switched JavaScript off."""
        self.scripts = scripts
        context = self.browser.new_context(
            viewport={"width": 1100, "height": 820}, java_script_enabled=scripts
        )
        page = context.new_page()
        page.on(
            "console", lambda message: self.problems.append(message.text) if message.type == "error" else None
        )
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        return page

    def start_adding(self, page: Page, subdomain: str, language: str = "en-US") -> None:
        page.goto(f"{self.zendesk.url_of(subdomain)}/admin/{subdomain}/accounts/new?locale={language}")
        self.enter_frame(page)

    def start_editing(self, page: Page, link: str) -> None:
        """Open an account, for which Zendesk hands out a new token."""
        href = page.get_by_role("link", name=link).get_attribute("href") or ""
        page.goto(urljoin(page.url, href).split("?")[0] + "?token=new")
        self.enter_frame(page)

    def enter_frame(self, page: Page) -> None:
        """Have the integration's page shown: by the Admin Center's script, or by hand."""
        if not self.scripts:
            page.get_by_role("button", name="Open the integration's page").click()
        page.frame_locator("iframe").get_by_role("main").wait_for()

    def save(self, page: Page, subdomain: str, name: str | None = None) -> None:
        frame = page.frame_locator("iframe")
        if name is not None:
            frame.get_by_role("textbox").fill(name)
        frame.get_by_role("button").click()
        if not self.scripts:
            frame.get_by_role("link", name="Back to the accounts").click()
        page.wait_for_url(f"{self.zendesk.url_of(subdomain)}/admin/{subdomain}")
        self.zendesk.events.settle(EVENT_SECONDS)

    def record(self, subdomain: str) -> dict[str, Any]:
        """The account of this subdomain in the stack's table."""
        items = self.stack.client("dynamodb").scan(TableName=self.stack.accounts_table)["Items"]
        (found,) = [item for item in items if item.get("subdomain", {}).get("S") == subdomain]
        return {name: next(iter(value.values())) for name, value in found.items()}

    def pushed_token(self, subdomain: str) -> str:
        """The token that push would use for this subdomain's account."""
        record = self.record(subdomain)
        secrets = self.stack.client("secretsmanager")
        (name,) = [
            secret["Name"]
            for secret in secrets.list_secrets(IncludePlannedDeletion=True)["SecretList"]
            if secret["Name"].endswith("/" + record["instance_push_id"])
        ]
        return str(secrets.get_secret_value(SecretId=name, VersionId=record["token_version"])["SecretString"])

    def zendesk_token(self, subdomain: str) -> str:
        """The token that Zendesk accepts for this subdomain's account."""
        (account,) = [account for account in self.zendesk.core.accounts if account.subdomain == subdomain]
        return str(account.token)


def frame_of(page: Page) -> Frame:
    (frame,) = [frame for frame in page.frames if frame.name == "integration"]
    return frame


def state_of(page: Page) -> str | None:
    return page.frame_locator("iframe").locator("body").get_attribute("data-state")


def check_accessible(page: Page) -> None:
    """By axe-core: the page of the integration, as it stands in its frame."""
    results = Axe().run(frame_of(page))
    assert results.violations_count == 0, results.generate_report()


def picture(page: Page, name: str) -> None:
    if SCREENSHOTS:
        page.screenshot(path=Path(SCREENSHOTS) / f"{name}.png")


@pytest.fixture(scope="module")
def zendesk() -> Iterator[Simulator]:
    with Simulator() as zendesk:
        yield zendesk


@pytest.fixture(scope="module")
def stack(zendesk: Simulator) -> Iterator[LocalStack]:
    # Each customer at an origin of its own, so that the policies mean what they mean at Zendesk.
    with LocalStack(
        zendesk_url=f"http://{{subdomain}}.localhost:{zendesk.port}",
        parameters={"AllowedSubdomains": ",".join(ALLOWED)},
    ) as stack:
        zendesk.install(f"{stack.api_url}/manifest.json")
        yield stack
        assert stack.failures == []


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browser_path(),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def running(stack: LocalStack, zendesk: Simulator, browser: Browser) -> BrowserWorld:
    return BrowserWorld(stack, zendesk, browser)


@pytest.fixture
def world(running: BrowserWorld) -> Iterator[BrowserWorld]:
    running.problems.clear()
    running.zendesk.core.validate_token_policy = ValidateTokenPolicy.BEFORE_SAVE
    running.zendesk.core.host_mapped = False
    yield running
    for context in running.browser.contexts:
        context.close()
    assert running.problems == []


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_add_edit_and_remove(world: BrowserWorld, scripts: bool) -> None:
    subdomain = world.subdomain()
    page = world.open(scripts=scripts)

    world.start_adding(page, subdomain)
    assert state_of(page) == "connected"
    if scripts:
        picture(page, "connected")
    world.save(page, subdomain, "Newsroom (Berlin)")
    record = world.record(subdomain)
    assert (record["state"], world.pushed_token(subdomain)) == ("active", world.zendesk_token(subdomain))
    page.get_by_role("row", name="Newsroom (Berlin)").wait_for()

    before = world.zendesk_token(subdomain)
    world.start_editing(page, "Edit Newsroom (Berlin)")
    assert page.frame_locator("iframe").get_by_role("textbox").input_value() == "Newsroom (Berlin)"
    world.save(page, subdomain)
    assert before != world.zendesk_token(subdomain) == world.pushed_token(subdomain)
    assert world.record(subdomain)["name"] == "Newsroom (Berlin)"

    for button, other, state in (
        ("Deactivate", "Activate", "inactive"),
        ("Activate", "Deactivate", "active"),
    ):
        page.get_by_role("button", name=re.compile(f"^{button} ")).click()
        page.get_by_role("button", name=re.compile(f"^{other} ")).wait_for()
        world.zendesk.events.settle(EVENT_SECONDS)
        assert world.record(subdomain)["state"] == state
    page.get_by_role("link", name="Remove Newsroom (Berlin)").click()
    page.get_by_role("button", name="Remove the account").click()
    page.get_by_text("No account yet").wait_for()
    world.zendesk.events.settle(EVENT_SECONDS)
    assert world.record(subdomain)["state"] == "deleted"


def test_a_zendesk_that_confirms_only_after_save_connects_by_itself(world: BrowserWorld) -> None:
    world.zendesk.core.validate_token_policy = ValidateTokenPolicy.AFTER_SAVE
    subdomain = world.subdomain()
    page = world.open()
    world.start_adding(page, subdomain)
    assert state_of(page) == "unconfirmed"
    check_accessible(page)
    picture(page, "unconfirmed")
    world.save(page, subdomain, "Newsroom")
    assert world.record(subdomain)["state"] == "active"
    assert world.pushed_token(subdomain) == world.zendesk_token(subdomain)


def test_so_does_an_edit_as_soon_as_the_schedule_has_asked(world: BrowserWorld) -> None:
    subdomain = world.subdomain()
    page = world.open()
    world.start_adding(page, subdomain)
    world.save(page, subdomain, "Newsroom")
    before = world.pushed_token(subdomain)

    world.zendesk.core.validate_token_policy = ValidateTokenPolicy.AFTER_SAVE
    world.start_editing(page, "Edit Newsroom")
    assert state_of(page) == "unconfirmed"
    assert "kept for 24 hours" in frame_of(page).content()
    check_accessible(page)
    world.save(page, subdomain)
    assert world.pushed_token(subdomain) == before
    world.stack.fire_schedules()
    assert before != world.pushed_token(subdomain) == world.zendesk_token(subdomain)


def test_where_save_redirects_to_a_host_of_the_customers_own_the_page_says_what_to_do(
    world: BrowserWorld,
) -> None:
    """The browser stops there, silently: the account is saved, the page stays, and says what it said before."""
    world.zendesk.core.host_mapped = True
    subdomain = world.subdomain()
    page = world.open()
    world.start_adding(page, subdomain)
    frame = page.frame_locator("iframe")
    hint = frame.get_by_text("If this page stays after you have pressed Save")
    assert hint.is_visible()
    frame.get_by_role("textbox").fill("Newsroom")
    with page.expect_event("console", lambda message: "form-action" in message.text):
        frame.get_by_role("button").click()
    world.zendesk.events.settle(EVENT_SECONDS)
    world.problems = [text for text in world.problems if "form-action" not in text]
    picture(page, "host-mapped")

    assert state_of(page) == "connected"  # where it was
    assert hint.is_visible()
    assert world.record(subdomain)["state"] == "active"
    # As the hint says: it is in the list.
    page.goto(f"{world.zendesk.url_of(subdomain)}/admin/{subdomain}")
    page.get_by_role("row", name="Newsroom").wait_for()


def test_a_new_account_is_told_to_save_and_an_edited_one_to_finish(world: BrowserWorld) -> None:
    subdomain = world.subdomain()
    page = world.open()
    world.start_adding(page, subdomain)
    assert "Confirmed: now save" in frame_of(page).content()
    assert "saved_at" not in world.record(subdomain)
    world.save(page, subdomain, "Newsroom")
    assert "saved_at" in world.record(subdomain)
    world.start_editing(page, "Edit Newsroom")
    assert "Save to finish your changes" in frame_of(page).content()


def test_a_refused_zendesk_reads_why_in_its_own_language(world: BrowserWorld) -> None:
    page = world.open()
    # Chromium reports a frame's 403 as an error of the console as well.
    world.start_adding(page, "stranger", "de")
    world.problems = [text for text in world.problems if "status of 403" not in text]
    frame = page.frame_locator("iframe")
    assert state_of(page) == "refused"
    assert "nicht freigegeben" in frame.get_by_role("main").inner_text()
    assert frame.locator("form, input, button").count() == 0
    check_accessible(page)
    picture(page, "refused")


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "pt-BR", "ja"])
def test_axe_finds_nothing_and_the_keyboard_is_enough(world: BrowserWorld, language: str) -> None:
    subdomain = LANGUAGE_SUBDOMAINS[language]
    page = world.open()
    world.start_adding(page, subdomain, language)
    frame = frame_of(page)
    assert frame.locator("html").get_attribute("lang") == language
    check_accessible(page)
    picture(page, language)
    frame.get_by_role("textbox").focus()
    page.keyboard.type("Newsroom")
    page.keyboard.press("Tab")
    assert frame.locator("button:focus").count() == 1
    page.keyboard.press("Enter")
    page.wait_for_url(f"{world.zendesk.url_of(subdomain)}/admin/{subdomain}")


LANGUAGE_SUBDOMAINS = dict(zip(["en", "de", "fr", "es", "pt-BR", "ja"], reversed(ALLOWED), strict=False))


def test_a_narrow_window_needs_no_sideways_scrolling(world: BrowserWorld) -> None:
    page = world.open()
    world.start_adding(page, world.subdomain(), "de")
    page.set_viewport_size({"width": 320, "height": 640})
    narrow = frame_of(page).evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )
    assert narrow


def test_a_name_full_of_markup_stays_a_name(world: BrowserWorld) -> None:
    subdomain = world.subdomain()
    name = "\"'><script>document.title='taken'</script><img src=x onerror=alert(1)>"
    page = world.open()
    world.start_adding(page, subdomain)
    world.save(page, subdomain, name)
    assert world.record(subdomain)["state"] == "active"
    page.get_by_role("link", name="Edit").click()
    world.enter_frame(page)
    assert page.frame_locator("iframe").get_by_role("textbox").input_value() == name
    assert frame_of(page).locator("script, img").count() == 0


def test_no_other_site_may_show_the_page(world: BrowserWorld) -> None:
    """The customer's form, posted into a frame of somebody else's page."""
    subdomain = world.subdomain()
    page = world.open()
    world.start_adding(page, subdomain)
    fields = page.locator("#handover").evaluate("form => form.innerHTML")
    evil = f"""<!doctype html><iframe name="stolen"></iframe>
        <form method="post" action="{world.stack.api_url}/admin_ui" target="stolen">{fields}</form>"""
    with served(evil) as url:
        page.goto(url)
        with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
            page.evaluate("document.forms[0].submit()")
    world.problems.clear()


@contextmanager
def served(html: str) -> Iterator[str]:
    """A page on a site that is nobody's Zendesk; gives its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://evil.localhost:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


def test_the_form_cannot_be_sent_elsewhere(world: BrowserWorld) -> None:
    """Even if something could change the page: the browser holds the form to that customer's Zendesk."""
    page = world.open()
    world.start_adding(page, world.subdomain())
    frame = frame_of(page)
    with page.expect_console_message(lambda message: "form-action" in message.text):
        frame.evaluate("document.forms[0].action = 'http://127.0.0.1:9/'; document.forms[0].submit()")
    world.problems.clear()


def test_the_finalizer_may_redirect_within_that_zendesk(world: BrowserWorld) -> None:
    """It does so at every save, and browsers hold the redirect to form-action as well: that Save works shows it."""
    statuses: list[int] = []
    page = world.open()
    page.on("response", lambda response: statuses.append(response.status))
    subdomain = world.subdomain()
    world.start_adding(page, subdomain)
    world.save(page, subdomain, "Newsroom")
    assert {302, 303} & set(statuses)

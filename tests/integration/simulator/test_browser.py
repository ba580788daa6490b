"""The Admin Center in a real browser: the iframe, the form POST into it, the redirect that ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, sync_playwright

from integration.simulator.client import PUSH, push_body
from machine_parts import browser_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.simulator.client import Client
    from integration.simulator.example_integration import ExampleIntegration
    from zendesk_push.simulator import Simulator


@pytest.fixture(params=[True, False], ids=["scripts", "no-scripts"])
def scripts(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def page(scripts: bool) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browser_path(),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        context = browser.new_context(java_script_enabled=scripts)
        yield context.new_page()
        context.close()
        browser.close()


@pytest.mark.parametrize("own_host", [True, False], ids=["acme.localhost", "127.0.0.1"])
def test_add_edit_remove(
    zendesk: Simulator, integration: ExampleIntegration, page: Page, scripts: bool, own_host: bool
) -> None:
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    start = zendesk.url_of("acme") if own_host else zendesk.url

    def save(name: str | None) -> None:
        if not scripts:
            page.get_by_role("button", name="Open the integration's page").click()
        frame = page.frame_locator("iframe")
        if name is not None:
            frame.get_by_label("Name").fill(name)
        frame.get_by_role("button", name="Save").click()
        if not scripts:
            frame.get_by_role("link", name="Back to the accounts").click()
        page.wait_for_url(f"{start}/admin/acme")

    page.goto(f"{start}/admin/acme")
    page.get_by_label("Administrator's language").select_option("fr")
    page.get_by_role("button", name="Add account").click()
    save("Acme support")
    assert page.get_by_role("row", name="Acme support").count() == 1
    [account] = list(zendesk.core.accounts)
    assert (account.state, account.locale) == ("active", "fr")
    assert dict(integration.callbacks[0])["zendesk_access_token"] == account.token

    page.get_by_role("link", name="Edit Acme support").click()
    save(None)
    assert dict(integration.callbacks[1])["name"] == "Acme support"

    page.get_by_role("button", name="Deactivate Acme support").click()
    page.get_by_role("button", name="Activate Acme support").click()
    page.get_by_role("link", name="Remove Acme support").click()
    page.get_by_role("link", name="Cancel").click()
    assert account.state == "active"
    page.get_by_role("link", name="Remove Acme support").click()
    page.get_by_role("button", name="Remove the account").click()
    page.get_by_text("No account yet").wait_for()
    assert account.state == "deleted"
    assert problems == []


def test_saving_ends_at_a_host_mapped_domain(zendesk: Simulator, page: Page, scripts: bool) -> None:
    """A page that only forwards to the one origin stops there, and the browser says so nowhere but in its console."""
    zendesk.core.host_mapped = True
    page.goto(f"{zendesk.url}/admin/acme/accounts/new")
    if not scripts:
        page.get_by_role("button", name="Open the integration's page").click()
    frame = page.frame_locator("iframe")
    frame.get_by_label("Name").fill("Acme support")
    frame.get_by_role("button", name="Save").click()
    # A frame of another origin must not move the whole window by itself.
    frame.get_by_role("link", name="Back to the accounts").click()
    page.wait_for_url(f"http://localhost:{zendesk.port}/admin/acme")
    assert page.get_by_role("row", name="Acme support").count() == 1


def test_an_agent_answers_and_tries_again(
    zendesk: Simulator, integration: ExampleIntegration, client: Client, page: Page
) -> None:
    integration.manifest["urls"]["channelback_url"] = f"{integration.url}/channelback"
    body = push_body(client.account, "question-1")
    body["external_resources"][0]["allow_channelback"] = True
    assert client.post(PUSH, body).status == 200
    integration.channelback_status = 503
    page.goto(f"{zendesk.url}/tickets/1001")
    page.get_by_label("Answer as an agent, to Ann Lee").fill("Hello Ann,\n\nall good 🙂")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("alert").get_by_text("answered with status 503").wait_for()

    integration.channelback_status = 200
    page.get_by_role("button", name="Try again").click()
    page.get_by_text("reply-1").wait_for()
    assert page.get_by_role("alert").count() == 0
    first, second = map(dict, integration.channelbacks)
    assert first == second
    assert first["message"] == "Hello Ann,\n\nall good 🙂"


def test_a_phone_scrolls_tables_and_not_the_page(zendesk: Simulator, client: Client, page: Page) -> None:
    client.push("order-4711")
    page.set_viewport_size({"width": 390, "height": 844})
    for path in ("/", "/admin/acme", "/tickets", "/traffic"):
        page.goto(f"{zendesk.url}{path}")
        assert page.evaluate(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        ), path

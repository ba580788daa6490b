"""The simulated Zendesk's pages beside a running stack, in a real browser: live, by hand, on a phone, for everybody."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from machine_parts import browser_path
from zendesk_push.local.message_board import MessageBoard
from zendesk_push.local.sample_flow import StackLookup
from zendesk_push.local.stack import LocalStack
from zendesk_push.local.tracker import MessageTracker
from zendesk_push.simulator import Fault, FaultKind, Simulator
from zendesk_push.simulator.admin_center import connect_account

FAST = {"BatchingWindowSeconds": "1", "RetryBaseDelaySeconds": "1", "RetryMaxDelaySeconds": "2"}


@dataclass
class PagesWorld:
    """The stack and a browser; ``problems`` is what the browser complained of."""

    stack: LocalStack
    zendesk: Simulator
    browser: Browser
    account: str
    problems: list[str] = field(default_factory=list)

    def open(self, path: str, *, scripts: bool = True, width: int = 1100) -> Page:
        context = self.browser.new_context(
            viewport={"width": width, "height": 844}, java_script_enabled=scripts
        )
        page = context.new_page()
        page.on("console", lambda said: self.problems.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.goto(f"{self.zendesk.url}{path}")
        return page

    def send(self, text: str) -> None:
        """As somebody else does, in a window of their own, until it is delivered."""
        page = self.open("/messages")
        page.get_by_label("Text").fill(text)
        page.get_by_role("button", name="Send").click()
        page.get_by_role("row", name=text).get_by_text("delivered").wait_for()


@pytest.fixture(scope="module")
def module_world() -> Iterator[PagesWorld]:
    path = browser_path()
    lookup = StackLookup()
    tracker = MessageTracker(lookup, lambda _: None)
    stack = LocalStack(parameters=FAST, on_batch=tracker.batch, on_outcome=tracker.outcome)
    with stack, sync_playwright() as playwright:
        lookup.attach(stack)
        assert stack.simulator is not None
        stack.simulator.show_messages(MessageBoard(stack, tracker))
        connected = connect_account(stack.zendesk_url, "acme", "Acme Support")
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield PagesWorld(stack, stack.simulator, browser, connected.instance_push_id)
        browser.close()


@pytest.fixture
def world(module_world: PagesWorld) -> Iterator[PagesWorld]:
    module_world.problems.clear()
    yield module_world
    module_world.zendesk.core.switch_off()
    assert module_world.problems == []


def test_a_test_message_is_sent_from_its_account_and_watched_until_it_is_a_ticket(world: PagesWorld) -> None:
    page = world.open("/admin/acme")
    page.get_by_role("button", name="Send a test message to Acme Support").click()
    row = page.get_by_role("row", name="A test message for Acme Support")
    row.get_by_text("delivered").wait_for()  # without a reload
    row.get_by_role("link", name="#").click()
    page.get_by_role("heading", name="A test message for Acme Support").wait_for()


def test_without_scripts_a_reload_does_it(world: PagesWorld) -> None:
    page = world.open("/messages", scripts=False)
    page.get_by_label("Text").fill("No script")
    page.get_by_role("button", name="Send").click()
    row = page.get_by_role("row", name="No script")
    while not row.get_by_text("delivered").count():
        page.reload()


def test_why_a_message_waits_and_that_it_arrives(world: PagesWorld) -> None:
    fault = world.zendesk.core.switch_on(Fault(FaultKind.STATUS, status=500, text="unlucky"))
    page = world.open("/messages")
    page.get_by_label("Text").fill("An unlucky message")
    page.get_by_role("button", name="Send").click()
    row = page.get_by_role("row", name="An unlucky message")
    row.get_by_text("unavailable").wait_for()
    world.zendesk.core.switch_off(fault.id)
    row.get_by_text("delivered").wait_for()


def test_a_dead_letter_has_zendesk_s_words_and_a_way_back(world: PagesWorld) -> None:
    body = {"instance_push_id": world.account, "external_resources": [{"external_id": "no-author"}]}
    sent = world.stack.client("sqs").send_message(
        QueueUrl=world.stack.queue_url, MessageBody=json.dumps(body)
    )
    page = world.open("/messages")
    row = page.locator(f"#message-{sent['MessageId']}")
    row.get_by_text("did not contain a required property of 'author'").wait_for()
    row.get_by_role("button", name="Redrive no-author").click()
    row.get_by_text("redriven").wait_for()
    page.get_by_role("row", name="no-author").nth(1).wait_for()  # the same again, as a message of its own


def test_opened_bodies_and_what_is_typed_outlive_what_is_new(world: PagesWorld) -> None:
    page = world.open("/traffic")
    page.get_by_label("with the text").fill("half typed")
    body = page.get_by_text("Body,").first
    body.click()
    page.get_by_role("heading", name="API traffic").click()  # away from what is opened
    shown = page.locator("pre:visible").first
    text = shown.inner_text()
    world.send("For the traffic page")
    page.get_by_text("1 success").first.wait_for()
    assert text in [each.inner_text() for each in page.locator("pre:visible").all()]
    assert page.get_by_label("with the text").input_value() == "half typed"


def test_a_fault_by_hand_says_until_when(world: PagesWorld) -> None:
    page = world.open("/traffic")
    page.get_by_label("Fault", exact=True).select_option("server_error")
    page.get_by_label("with the text").fill("never said")
    page.get_by_label("how often").fill("2")
    page.get_by_role("button", name="Switch on").click()
    row = page.get_by_role("row", name="server error")
    assert "the text 'never said'" in row.inner_text()
    assert "2 more times" in row.inner_text()
    row.get_by_role("button", name="Switch off").click()
    page.get_by_text("All is well").wait_for()


PATHS = ["/", "/admin/acme", "/admin/acme/uninstall", "/messages", "/tickets", "/tickets/1001", "/traffic"]


@pytest.mark.parametrize("width", [390, 1100])
@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_for_everybody_and_fits(world: PagesWorld, path: str, width: int) -> None:
    if not list(world.zendesk.core.tickets):
        world.send("The first ticket")
    world.zendesk.core.switch_on(Fault(FaultKind.HANG, endpoint="validate_token", count=1))
    page = world.open(path, width=width)
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")

"""Records ``make run`` with a real local stack, and takes pictures of a ticket that it has made and of the page on
which an administrator connects an account: docs/images.
"""

import argparse
import json
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

import urllib3
from playwright.sync_api import ViewportSize, sync_playwright

from zendesk_push.recording.picture import draw, height_of
from zendesk_push.recording.terminal import RecordingError, recorded

IMAGES: Final = Path(__file__).resolve().parents[3] / "docs/images"
RECORDING: Final = "make-run.svg"
ADMIN_CENTER: Final = "admin-center.png"
COLUMNS: Final = 100
LINES: Final = 25
SECONDS: Final = 120
PAGE_WIDTH: Final = 420
ZOOM: Final = 1.5  # the page is laid out that much wider
ADMIN_CENTER_SIZE: Final[ViewportSize] = {"width": 1100, "height": 820}
SUBDOMAIN: Final = "acme"  # whose ticket is shown: the first sample's, to which the second one is a reply


def main() -> int:
    """Record, draw, write; 1 if the stack does not show what it should."""
    parser = argparse.ArgumentParser(prog="make recording", description=__doc__)
    parser.add_argument(
        "--browser", default="chromium", help="name or path of Chromium (default: %(default)s)"
    )
    parser.add_argument("--folder", type=Path, default=IMAGES, help="default: %(default)s")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ready_file = Path(folder) / "ready.json"
        command = [
            str(Path(sys.executable).with_name("zendesk-push")),
            "local",
            "--ready-file",
            str(ready_file),
        ]
        until = re.compile("as it should be")
        try:
            with recorded(command, until, columns=COLUMNS, lines=LINES, timeout=SECONDS) as recording:
                zendesk_url = json.loads(ready_file.read_text("utf-8"))["zendesk_url"]
                ticket = _ticket(zendesk_url)
                page, admin_center = _pictures(zendesk_url, ticket, args.browser)
        except RecordingError as error:
            print(f"make recording: {error}", file=sys.stderr)
            return 1
    svg = draw(recording, page, PAGE_WIDTH, "$ make run", f"Zendesk{ticket}")
    for name, content in ((RECORDING, svg.encode()), (ADMIN_CENTER, admin_center)):
        (args.folder / name).write_bytes(content)
        print(f"{args.folder / name}: {len(content):,} bytes")
    return 0


def _ticket(zendesk_url: str) -> str:
    """The path of the ticket's page."""
    listed = urllib3.request(
        "GET", f"{zendesk_url}/simulator/tickets?subdomain={SUBDOMAIN}", retries=False
    ).json()
    return f"/tickets/{listed['tickets'][0]['id']}"


def _pictures(zendesk_url: str, ticket: str, browser: str) -> tuple[bytes, bytes]:
    """The ticket (JPEG), and the integration's page inside the Admin Center (PNG)."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which(browser), args=["--no-sandbox", "--hide-scrollbars"]
        )
        page = chromium.new_page(
            viewport={"width": round(PAGE_WIDTH * ZOOM), "height": round(height_of(LINES) * ZOOM)}
        )
        page.goto(zendesk_url + ticket)
        ticket_picture = page.screenshot(type="jpeg", quality=80)
        page.set_viewport_size(ADMIN_CENTER_SIZE)
        page.goto(f"{zendesk_url}/admin/{SUBDOMAIN}")
        page.get_by_role("button", name="Add account").click()
        page.frame_locator("iframe").locator("body[data-state=connected]").wait_for()
        admin_center = page.screenshot()
        chromium.close()
    return ticket_picture, admin_center


if __name__ == "__main__":
    sys.exit(main())

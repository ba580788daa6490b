"""Records ``make run`` with a real local stack, and takes a picture of a ticket that it has made."""

import argparse
import json
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

import urllib3
from playwright.sync_api import sync_playwright

from zendesk_push.recording.picture import draw, height_of
from zendesk_push.recording.terminal import RecordingError, recorded

OUTPUT: Final = Path(__file__).resolve().parents[3] / "docs/images/make-run.svg"
COLUMNS: Final = 100
LINES: Final = 25
SECONDS: Final = 120
PAGE_WIDTH: Final = 420
ZOOM: Final = 1.5  # the page is laid out that much wider
SUBDOMAIN: Final = "acme"  # whose ticket is shown: the first sample's, to which the second one is a reply


def main() -> int:
    """Record, draw, write; 1 if the stack does not show what it should."""
    parser = argparse.ArgumentParser(prog="make recording", description=__doc__)
    parser.add_argument(
        "--browser", default="chromium", help="name or path of Chromium (default: %(default)s)"
    )
    parser.add_argument("--output", type=Path, default=OUTPUT, help="default: %(default)s")
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
                page = _picture(zendesk_url + ticket, args.browser)
        except RecordingError as error:
            print(f"make recording: {error}", file=sys.stderr)
            return 1
    args.output.write_text(
        draw(recording, page, PAGE_WIDTH, "$ make run", f"Zendesk{ticket}"), encoding="utf-8"
    )
    print(f"{args.output}: {args.output.stat().st_size:,} bytes, {len(recording.frames)} screens")
    return 0


def _ticket(zendesk_url: str) -> str:
    """The path of the ticket's page."""
    listed = urllib3.request(
        "GET", f"{zendesk_url}/simulator/tickets?subdomain={SUBDOMAIN}", retries=False
    ).json()
    return f"/tickets/{listed['tickets'][0]['id']}"


def _picture(url: str, browser: str) -> bytes:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which(browser), args=["--no-sandbox", "--hide-scrollbars"]
        )
        page = chromium.new_page(
            viewport={"width": round(PAGE_WIDTH * ZOOM), "height": round(height_of(LINES) * ZOOM)}
        )
        page.goto(url)
        picture = page.screenshot(type="jpeg", quality=80)
        chromium.close()
    return picture


if __name__ == "__main__":
    sys.exit(main())

"""Parts that a test needs and a machine may lack: it is skipped with a reason, or fails where they are required.

``REQUIRE="browser tools"`` in the environment, as CI sets it, makes an error of a skip for want of those parts.
"""

import os
import shutil
import socket
from typing import NoReturn

import pytest

PARTS = ("browser", "tools", "python3.13", "sam-local", "node")


def missing(part: str, reason: str) -> NoReturn:
    """Skip this test, or fail it."""
    assert part in PARTS
    required = os.environ.get("REQUIRE", "").split()
    assert set(required) <= set(PARTS)
    if part in required:
        pytest.fail(reason)
    pytest.skip(reason)


def need_ipv6() -> None:
    """Skip this test where the machine has no IPv6 loopback address, as many containers have none."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return
    except OSError:
        pytest.skip("this machine has no IPv6 loopback address")


def browser_path() -> str:
    """The Chromium, or Google's build of it, on this machine's PATH."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    missing("browser", "needs chromium on PATH")

"""The simulator as a program of its own, and on other addresses."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys

import pytest
import urllib3

from machine_parts import need_ipv6
from zendesk_push.simulator import Simulator


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_is_and_ends_on_a_signal(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "zendesk_push.simulator", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        try:
            found = re.search(r"http://127\.0\.0\.1:\d+", program.stdout.readline())
            assert found is not None
            with urllib3.PoolManager(retries=False, timeout=20) as pool:
                assert pool.request("GET", f"{found[0]}/tickets").status == 200
            program.send_signal(number)
            assert program.wait(20) == 0
            assert program.stderr.read() == ""
        finally:
            program.kill()


def test_a_port_that_it_can_t_have_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for port in (taken.getsockname()[1], 65_536):
            command = [sys.executable, "-m", "zendesk_push.simulator", "--port", str(port)]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
            assert done.returncode == 2
            assert f"error: can't listen on 127.0.0.1:{port}: " in done.stderr.splitlines()[-1]
            assert "Traceback" not in done.stderr


def test_on_ipv6() -> None:
    need_ipv6()
    with Simulator(host="::1") as simulator, urllib3.PoolManager(retries=False, timeout=20) as pool:
        assert simulator.url.startswith("http://[::1]:")
        assert pool.request("GET", f"{simulator.url}/tickets").status == 200


def test_a_taken_port_is_an_error_and_nothing_stays_behind() -> None:
    with Simulator() as simulator, pytest.raises(OSError, match="in use"):
        Simulator(port=simulator.port)


def test_closing_what_was_never_started() -> None:
    simulator = Simulator()
    port = simulator.port
    simulator.close()
    simulator.close()
    with Simulator(port=port):
        pass

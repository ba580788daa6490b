"""``zendesk-push local`` as scripts use it: a process of its own, its ready file, its signals, its exit codes."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import urllib3

from integration.local.conftest import EXAMPLE, SECONDS
from machine_parts import need_ipv6
from zendesk_push.local_registry import registry_folder, running_stacks
from zendesk_push.template.reader import TEMPLATE

READY_KEYS = {
    "api_url",
    "zendesk_url",
    "aws_endpoint_url",
    "region",
    "queue_url",
    "dead_letter_queue_url",
    "accounts_table",
}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "zendesk_push.cli", "local", *arguments]


@contextmanager
def running(*arguments: str, template: Path = EXAMPLE) -> Iterator[subprocess.Popen[str]]:
    """The command, in a session of its own: what is left of it can be found by that."""
    process = subprocess.Popen(
        command("--template", str(template), *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for(path: Path, process: subprocess.Popen[str]) -> dict[str, Any]:
    deadline = time.monotonic() + SECONDS
    while not path.exists():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, "not ready"
        time.sleep(0.02)
    value: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return value


def descendants(pid: int) -> set[int]:
    """The processes that a process has started, and theirs."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_serves_until_a_signal_and_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    ready_file = tmp_path / "ready.json"

    with running("--no-samples", "--ready-file", str(ready_file), "--port", "0") as process:
        ready = wait_for(ready_file, process)
        children = descendants(process.pid)
        echoed = urllib3.request("GET", f"{ready['api_url']}/echo").json()
        process.send_signal(number)
        out, _ = process.communicate(timeout=SECONDS)

    assert ready.keys() == READY_KEYS
    assert ready["region"] == "us-east-1"
    assert all(ready[key] for key in READY_KEYS)
    assert echoed["environment"]["QUEUE_URL"] == ready["queue_url"]
    assert process.returncode == 0, out
    assert len(children) == 4  # moto and three functions
    assert not {child for child in children if Path(f"/proc/{child}").exists()}
    assert not ready_file.exists()
    assert "Traceback" not in out


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_nothing_outlives_it_even_when_it_is_killed(tmp_path: Path) -> None:
    ready_file = tmp_path / "ready.json"
    with running("--no-samples", "--ready-file", str(ready_file)) as process:
        wait_for(ready_file, process)
        children = descendants(process.pid)
        process.kill()
        process.wait()

        deadline = time.monotonic() + SECONDS
        while alive := {child for child in children if Path(f"/proc/{child}").exists()}:
            assert time.monotonic() < deadline, alive
            time.sleep(0.02)


@pytest.mark.parametrize("old", ["", json.dumps(dict.fromkeys(READY_KEYS, "http://127.0.0.1:9"))])
def test_a_dead_stack_s_ready_file_is_gone_before_anything_starts(tmp_path: Path, old: str) -> None:
    ready_file = tmp_path / "ready.json"
    ready_file.write_text(old)
    done = subprocess.run(
        command("--template", str(tmp_path / "none.yaml"), "--ready-file", str(ready_file)),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert not ready_file.exists()


@pytest.mark.parametrize("content", [b"dear diary", b"{}", b"\xff"])
def test_what_is_no_ready_file_stays(tmp_path: Path, content: bytes) -> None:
    other = tmp_path / "other"
    other.write_bytes(content)
    done = subprocess.run(command("--ready-file", str(other)), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == f"zendesk-push: {other} is there, and is not a ready file: it stays as it is\n"
    assert other.read_bytes() == content


def test_a_running_stack_is_found_and_keeps_its_ready_file(tmp_path: Path) -> None:
    ready_file, runtime = tmp_path / "ready.json", tmp_path / "runtime"
    runtime.mkdir()
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)  # given to both; the tests' own is put back by the fixture
    with running("--no-samples", "--ready-file", str(ready_file)) as process:
        ready = wait_for(ready_file, process)
        [entry] = running_stacks()
        again = subprocess.run(
            command("--ready-file", str(ready_file)), capture_output=True, text=True, check=False
        )
        urllib3.request("GET", f"{ready['api_url']}/echo")
        log = Path(entry["log_file"])
        assert "[WebFunction] START RequestId: " in log.read_text("utf-8")
        ready_file.write_text("somebody else's by now")
        process.kill()
        process.wait()
        assert running_stacks() == []

    assert entry.pop("lambda_endpoint_url").startswith("http://127.0.0.1:")
    assert entry == {**ready, "pid": process.pid, "log_file": str(log)}
    assert registry_folder().stat().st_mode & 0o777 == 0o700
    assert again.returncode == 2
    assert f"the ready file of a stack that runs (pid {process.pid})" in again.stderr
    assert ready_file.read_text() == "somebody else's by now"
    assert list(registry_folder().iterdir()) == []


@pytest.fixture(autouse=True)
def _own_environment() -> Iterator[None]:
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (signal.SIGINT, 0.0),
        (signal.SIGTERM, 0.4),
        (signal.SIGHUP, 0.8),
        (signal.SIGINT, 1.5),
        (signal.SIGTERM, 2.5),
    ],
)
def test_it_stops_while_it_starts(tmp_path: Path, number: signal.Signals, moment: float) -> None:
    """At whatever moment: where it is by then depends on the machine, and must not matter."""
    ready_file = tmp_path / "ready.json"
    with running("--ready-file", str(ready_file), template=TEMPLATE) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert "Starting" in first
        time.sleep(moment)
        children = descendants(process.pid)
        process.send_signal(number)
        out, _ = process.communicate(timeout=15)
    assert process.returncode in (0, 130), out
    assert "Traceback" not in out
    assert not ready_file.exists()
    assert not {child for child in children if Path(f"/proc/{child}").exists()}


def test_another_zendesk_and_parameters_are_what_the_functions_see(tmp_path: Path) -> None:
    ready_file, log_file = tmp_path / "ready.json", tmp_path / "functions.log"
    zendesk = "http://{subdomain}.localhost:9"
    arguments = ["--zendesk-url", f"{zendesk}/", "--ready-file", str(ready_file), "--log-file", str(log_file)]

    with running(*arguments, "--parameter-overrides", "Greeting=goodbye", "Colour=red") as process:
        ready = wait_for(ready_file, process)
        environment = urllib3.request("GET", f"{ready['api_url']}/echo").json()["environment"]

    assert ready["zendesk_url"] == environment["ZENDESK_BASE_URL"] == zendesk
    assert environment["GREETING"] == "goodbye from zendesk-push-local"
    assert "[WebFunction] START RequestId: " in log_file.read_text("utf-8")


def test_a_wrong_parameter_is_one_line_and_an_exit_code() -> None:
    done = subprocess.run(
        command("--parameter-overrides", "BatchSize=0"), capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert done.stderr == "zendesk-push: parameter BatchSize='0' is less than 1\n"
    assert "Traceback" not in done.stdout


def test_a_ready_file_without_a_folder_is_refused_before_anything_starts(tmp_path: Path) -> None:
    path = tmp_path / "none" / "ready.json"
    done = subprocess.run(command("--ready-file", str(path)), capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        f"zendesk-push: the ready file can't be written: there is no folder {path.parent}\n"
    )


@pytest.mark.parametrize("address", ["192.0.2.1", "not an address"])
def test_an_address_that_is_not_this_machine_s_is_one_line(address: str) -> None:
    done = subprocess.run(command("--bind", address), capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stdout == ""
    assert re.fullmatch(f"zendesk-push: --bind {address}: [^\n]+\n", done.stderr)


def test_it_listens_on_ipv6_too(tmp_path: Path) -> None:
    need_ipv6()
    ready_file = tmp_path / "ready.json"
    with running("--no-samples", "--bind", "::1", "--ready-file", str(ready_file)) as process:
        ready = wait_for(ready_file, process)
        echoed = urllib3.request("GET", f"{ready['api_url']}/echo").json()

    assert ready["api_url"].startswith("http://[::1]:")
    assert ready["zendesk_url"].startswith("http://[::1]:")
    assert echoed["event"]["requestContext"]["http"]["sourceIp"] == "::1"
    assert echoed["event"]["requestContext"]["domainName"] == "::1"


def test_the_samples_come_to_what_they_should_on_the_real_template() -> None:
    environment = {**os.environ, "AWS_PROFILE": "nobody", "HTTP_PROXY": "http://127.0.0.1:9"}
    done = subprocess.run(command("--once"), capture_output=True, text=True, check=False, env=environment)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 messages: 5 delivered, 2 dead letters" in done.stdout
    assert "-> zendesk_400: The property '#/external_resources/1'" in done.stdout
    assert "-> invalid_message: " in done.stdout
    assert done.stderr == ""

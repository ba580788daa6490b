"""Both functions in Lambda's own runtime: as built, in SAM's containers, against the local stack.

Given the events that AWS would send, the container answers what the same code answers in a process of the local
stack, record for record, and leaves the same behind.
"""

import json
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import urllib3

from machine_parts import missing
from zendesk_push.bench.cold_start import __main__ as cold_start
from zendesk_push.errors import CommandError
from zendesk_push.local.stack import LocalStack
from zendesk_push.packaging.build import build, runtime_python
from zendesk_push.sam_local.environment import RunningStack, in_container, write
from zendesk_push.sam_local.events import form_of, load
from zendesk_push.sam_local.invoke import SamLocal, require_engine
from zendesk_push.sam_local.scenario import ADMIN, PUSH, STEPS, AdminPage, Scenario, StepOutcome

ROOT = Path(__file__).resolve().parents[2]
SAM = ROOT / ".tools/sam/bin/sam"
WITH_REPLIES = {"Replies": "enabled"}

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@pytest.fixture(scope="module")
def build_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both functions, built for Lambda."""
    if not SAM.is_file():
        missing("sam-local", f"{SAM.relative_to(ROOT)} is not here (`make {SAM.relative_to(ROOT)}`)")
    directory = tmp_path_factory.mktemp("sam-local") / "build"
    try:
        require_engine()
        runtime_python()
    except CommandError as error:
        missing("sam-local", str(error))
    build(SAM, directory)
    return directory


@pytest.fixture
def stack() -> Iterator[LocalStack]:
    """A fresh stack that containers can reach."""
    with LocalStack(bind="0.0.0.0", parameters=WITH_REPLIES) as running:  # noqa: S104 - containers come by the bridge
        yield running


@pytest.fixture
def sam(build_directory: Path, stack: LocalStack) -> SamLocal:
    """SAM, told about the stack as the command line tells it."""
    running = RunningStack(**{name: getattr(stack, name) for name in RunningStack.__dataclass_fields__})
    return SamLocal(SAM, *write(build_directory, running))


def _dead_letters(stack: LocalStack) -> list[tuple[str, str]]:
    """ErrorCode and body of all dead letters."""
    sqs = stack.client("sqs")
    found = []
    while messages := sqs.receive_message(
        QueueUrl=stack.dead_letter_queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    ).get("Messages"):
        found += [(each["MessageAttributes"]["ErrorCode"]["StringValue"], each["Body"]) for each in messages]
    return sorted(found)


def _replies(stack: LocalStack) -> list[dict[str, Any]]:
    """What is on the replies queue, without the moment at which it came."""
    messages = stack.client("sqs").receive_message(QueueUrl=stack.replies_queue_url, MaxNumberOfMessages=10)
    found = [json.loads(message["Body"]) for message in messages.get("Messages", [])]
    return [{key: value for key, value in reply.items() if key != "received_at"} for reply in found]


def _imported(stack: LocalStack) -> list[list[str]]:
    """The external ids of each ticket's comments."""
    tickets = urllib3.request("GET", f"{stack.zendesk_url}/simulator/tickets").json()["tickets"]
    return [[comment["external_id"] for comment in ticket["comments"]] for ticket in tickets]


def _problems(outcomes: list[StepOutcome]) -> list[str]:
    return [f"{each.step.event}: {each.problem}" for each in outcomes if each.problem]


def test_the_container_answers_as_the_local_stack_does(sam: SamLocal, stack: LocalStack) -> None:
    scenario = Scenario(stack.zendesk_url, in_container(stack.zendesk_url), replies=True)
    scenario.prepare()
    logs: list[str] = []

    def in_a_container(function: str, event: dict[str, Any]) -> Any:
        answer = sam.invoke(function, event)
        logs.append(answer.log)
        return answer.value

    contained = list(scenario.play(in_a_container))
    with LocalStack(parameters=WITH_REPLIES) as other:
        twin = Scenario(other.zendesk_url, other.zendesk_url, replies=True)
        twin.prepare()
        in_process = list(twin.play(lambda function, event: other.invoke(function, event).value))
        left_behind = (_dead_letters(other), _imported(other), _replies(other))

    assert _problems(contained) == []
    assert _problems(in_process) == []
    assert len(contained) == len(STEPS)
    for one, another in zip(contained, in_process, strict=True):
        assert one.comparable() == another.comparable(), one.step.event
    assert (_dead_letters(stack), _imported(stack), _replies(stack)) == left_behind
    assert len(left_behind[2]) == 1
    assert [code for code, _ in left_behind[0]] == ["invalid_message", "zendesk_400"]
    assert form_of(load("admin-ui-new"))["zendesk_access_token"] not in "".join(logs)


def test_every_shipped_event_is_played() -> None:
    shipped = {path.stem for path in (ROOT / "tests/events").glob("*.json")}
    assert shipped == {step.event for step in STEPS}
    assert {step.function for step in STEPS} == {PUSH, ADMIN}


def test_whatever_the_cold_start_benchmark_compares_starts(build_directory: Path) -> None:
    timings = cold_start.measure(build_directory / PUSH, rounds=1)
    assert timings.keys() == cold_start.variants().keys()
    assert all(0 < timing.imported < timing.answered for timing in timings.values())


@pytest.fixture
def api(sam: SamLocal) -> Iterator[str]:
    """`sam local start-api`, up."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = sam.start_api(port)
    try:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if re.search(r"Running on http", line):
                break
        else:
            pytest.fail("sam local start-api ended:\n" + "".join(said))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def test_start_api_serves_the_routes(api: str, stack: LocalStack) -> None:
    def ask(method: str, path: str, **more: Any) -> urllib3.BaseHTTPResponse:
        return urllib3.request(method, api + path, timeout=60, retries=False, **more)

    healthcheck = ask("GET", "/healthcheck")
    assert (healthcheck.status, healthcheck.json()) == (200, {"status": "ok"})
    manifest = ask("GET", "/manifest.json").json()
    assert manifest["urls"]["admin_ui"].endswith("/admin_ui")
    assert ask("GET", "/nowhere").json() == {"error": "not_found"}
    not_allowed = ask("GET", "/admin_ui")
    assert (not_allowed.status, not_allowed.json()) == (405, {"error": "method_not_allowed"})
    Scenario(stack.zendesk_url, in_container(stack.zendesk_url)).prepare()
    fields = form_of(load("admin-ui-new"))
    fields["return_url"] = fields["return_url"].replace(
        "https://acme.zendesk.com", in_container(stack.zendesk_url)
    )
    form = {"content-type": "application/x-www-form-urlencoded"}
    page = ask("POST", "/admin_ui", body=urlencode(fields), headers=form)
    assert (page.status, AdminPage.parse(page.data.decode()).state) == (200, "connected")
    forged = ask("POST", "/channelback", body=urlencode(form_of(load("channelback-forged"))), headers=form)
    assert (forged.status, forged.json()) == (403, {"error": "forbidden"})
    events = ask("POST", "/event_callback", json={"events": []})
    assert (events.status, events.json()) == (200, {})

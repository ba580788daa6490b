"""Every event in tests/events/ in an order that makes sense, and what has to come back.

Run against whatever invokes a function: `sam local`, or the local stack's own processes. The two are compared.
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from typing import Any, Final

import urllib3

from zendesk_push.errors import CommandError
from zendesk_push.sam_local.events import Circumstances, Event, fit, form_of, load

PUSH: Final = "PushContentFunction"
ADMIN: Final = "AdminCallbackFunction"

Invoke = Callable[[str, Event], Any]


@dataclass(frozen=True)
class Step:
    """One event: for which function, and what its answer is to be.

    ``status`` and ``state`` are of an HTTP answer and its page (``data-state``); ``staying`` are the numbers of the
    records that the batch response leaves on the queue.
    """

    event: str
    function: str
    status: int | None = None
    state: str | None = None
    staying: tuple[int, ...] | None = None


STEPS: Final = (
    Step("http-manifest", ADMIN, status=200),
    Step("http-healthcheck", ADMIN, status=200),
    Step("admin-ui-forged", ADMIN, status=200, state="unconfirmed"),
    Step("admin-ui-other-origin", ADMIN, status=400),
    Step("sqs-unknown-account", PUSH, staying=(0, 1)),  # nobody is connected yet
    Step("admin-ui-new", ADMIN, status=200, state="connected"),
    Step("event-create-integration", ADMIN, status=200),
    Step("event-create-integration-instance", ADMIN, status=200),
    Step("sqs-one-message", PUSH, staying=()),
    Step("sqs-coalesced-batch", PUSH, staying=()),
    Step("sqs-with-poison", PUSH, staying=()),
    Step("sqs-not-json", PUSH, staying=()),
    Step("sqs-unknown-account", PUSH, staying=(0,)),
    Step("event-resources-created", ADMIN, status=200),
    Step("channelback", ADMIN, status=200),
    Step("channelback", ADMIN, status=200),  # repeated: no second message
    Step("channelback-forged", ADMIN, status=403),
    Step("admin-ui-edit", ADMIN, status=200, state="connected"),
    Step("event-deactivate-integration-instance", ADMIN, status=200),
    Step("sqs-one-message", PUSH, staying=(0,)),
    Step("event-several", ADMIN, status=200),  # switches the account on again
    Step("event-deactivate-integration-instance", ADMIN, status=200),
    Step("event-activate-integration-instance", ADMIN, status=200),
    Step("sqs-one-message", PUSH, staying=()),  # imported before, so that nothing happens twice
    Step("schedule-revalidate", PUSH),
    Step("event-destroy-integration-instance", ADMIN, status=200),
    Step("event-destroy-integration", ADMIN, status=200),
)
_CHANNELBACKS: Final = ("channelback", "channelback-forged")


@dataclass
class AdminPage:
    """What the admin function's page says: the form's hidden fields, and the state on its body."""

    state: str | None = None
    fields: dict[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, html: str) -> "AdminPage":
        """Read a page."""
        parser = _PageParser()
        parser.feed(html)
        return parser.page


@dataclass(frozen=True)
class StepOutcome:
    """A step and its answer; ``problem`` says what is not as it is to be."""

    step: Step
    answer: Any
    problem: str | None

    @property
    def summary(self) -> str:
        """The answer in a few words."""
        if isinstance(self.answer, dict) and "statusCode" in self.answer:
            state = AdminPage.parse(self.answer.get("body", "")).state
            return f"{self.answer['statusCode']}" + (f" {state}" if state else "")
        return json.dumps(self.answer)

    def comparable(self) -> Any:
        """The answer without what differs from one run to the next: addresses, sealed metadata, references."""
        text = json.dumps(self.answer)
        text = re.sub(r"(127\.0\.0\.1|host\.docker\.internal):\d+", "ORIGIN", text)
        text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(?=[^0-9a-f])", _own_ids_stay, text)
        answer = json.loads(text)
        if isinstance(answer, dict) and "body" in answer:
            metadata = AdminPage.parse(answer["body"]).fields.get("metadata", "")
            if metadata:
                written = json.loads(metadata)
                for name in written.keys() & {"sealed", "nonce", "mac", "issued_at"}:
                    answer["body"] = answer["body"].replace(str(written[name]), name.upper())
        return answer


class Scenario:
    """Plays the steps for one account of one customer, whom a simulated Zendesk knows."""

    def __init__(
        self,
        zendesk_url: str,
        origin: str,
        clock: Callable[[], float] = time.time,
        *,
        replies: bool = False,
    ) -> None:
        """``origin`` is the simulator's as the function knows it, ``zendesk_url`` as this process does.

        Without ``replies`` there is no route for channelbacks.
        """
        self._replies = replies
        self._zendesk_url = zendesk_url
        self._origin = origin
        self._clock = clock
        self._metadata = ""

    def prepare(self) -> None:
        """Let the simulator have the account that the events are about.

        Raises:
            CommandError: it has that account already (the stack is not a fresh one), or is not a simulator.
        """
        form = form_of(load("admin-ui-new"))
        account = {
            "subdomain": form["subdomain"],
            "name": "Acme Support",
            "instance_push_id": form["instance_push_id"],
            "token": form["zendesk_access_token"],
        }
        try:
            answer = urllib3.request(
                "POST", f"{self._zendesk_url}/simulator/accounts", json=account, retries=False
            )
        except urllib3.exceptions.HTTPError as error:
            raise CommandError(f"the simulated Zendesk does not answer: {error}") from None
        if answer.status == 409:
            raise CommandError("the events have been played on this stack before; start a new one")
        if answer.status != 201:
            raise CommandError(f"{self._zendesk_url} is not a simulated Zendesk: it answers {answer.status}")

    def play(self, invoke: Invoke) -> Iterator[StepOutcome]:
        """Invoke for each step in turn."""
        for written in STEPS:
            off = written.event in _CHANNELBACKS and not self._replies
            step = replace(written, status=404) if off else written
            event = fit(load(step.event), Circumstances(self._origin, self._clock(), self._metadata))
            answer = invoke(step.function, event)
            if step.state is not None:
                # What the browser would hand to Zendesk, and Zendesk to the next event.
                self._metadata = AdminPage.parse(answer.get("body", "")).fields.get(
                    "metadata", self._metadata
                )
            yield StepOutcome(step, answer, _problem(step, event, answer))


def _problem(step: Step, event: Event, answer: Any) -> str | None:
    if step.status is not None:
        got = answer.get("statusCode") if isinstance(answer, dict) else answer
        if got != step.status:
            return f"answered {got}, not {step.status}"
        state = AdminPage.parse(answer["body"]).state
        if step.state is not None and state != step.state:
            return f"the page says {state}, not {step.state}"
    if step.staying is not None:
        staying = [{"itemIdentifier": event["Records"][number]["messageId"]} for number in step.staying]
        if answer != {"batchItemFailures": staying}:
            return f"answered {json.dumps(answer)}, not {json.dumps({'batchItemFailures': staying})}"
    return None


def _own_ids_stay(match: re.Match[str]) -> str:
    """Ids that are in the events are compared; what the function makes up (a reference for support) is not."""
    known = form_of(load("admin-ui-new"))["instance_push_id"]
    return match[0] if match[0] == known or match[0].startswith("00000000-") else "REFERENCE"


class _PageParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = AdminPage()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "body":
            self.page.state = attributes.get("data-state")
        elif tag == "input" and attributes.get("type") == "hidden":
            self.page.fields[attributes["name"]] = attributes.get("value", "")

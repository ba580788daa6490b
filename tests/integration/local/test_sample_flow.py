"""The sample flow on the real template: what goes wrong is told, and the other commands find the running stack."""

import json
from collections.abc import Iterator

import pytest

from integration.local.conftest import SECONDS
from zendesk_push.local.dead_letters import DeadLetterPeek
from zendesk_push.local.errors import LocalStackError
from zendesk_push.local.sample_flow import SampleFlow, StackLookup
from zendesk_push.local.samples import load_samples
from zendesk_push.local.stack import LocalStack
from zendesk_push.local.tracker import MessageTracker, State, TrackedMessage
from zendesk_push.simulator import Fault, FaultKind, Simulator


class Running:
    """The real stack with a tracker, as the command has it."""

    def __init__(self) -> None:
        self.steps: list[TrackedMessage] = []
        self.lookup = StackLookup()
        self.tracker = MessageTracker(self.lookup, self.steps.append)
        self.stack = LocalStack(
            on_batch=self.tracker.batch,
            on_outcome=self.tracker.outcome,
            parameters={
                "RetryWindowSeconds": "1",
                "RetryBaseDelaySeconds": "1",
                "RetryMaxDelaySeconds": "1",
                "AllowedSubdomains": "acme,globex",
            },
        )

    @property
    def simulator(self) -> Simulator:
        assert self.stack.simulator is not None
        return self.stack.simulator


@pytest.fixture(scope="module")
def real_stack() -> Iterator[Running]:
    running = Running()
    with running.stack as stack:
        running.lookup.attach(stack)
        yield running


@pytest.fixture
def running(real_stack: Running) -> Running:
    real_stack.simulator.core.reset()
    return real_stack


def test_what_is_not_as_it_should_be_is_told(running: Running) -> None:
    flow = SampleFlow(running.stack, running.tracker)
    flow.connect()
    # The window of one second makes a dead letter of what would be tried for days.
    running.simulator.core.switch_on(Fault(FaultKind.PROCESSING_ERROR, external_id="review-2093"))
    flow.drop()

    assert flow.wait(SECONDS)
    told = "\n".join(flow.differences())
    assert "should be delivered, but is a dead letter: processing_error" in told
    assert "review-2093 is not on the ticket of review-2093" in told
    assert "A question from the web shop" not in told


def test_another_reason_than_the_expected_one_is_told(running: Running) -> None:
    flow = SampleFlow(running.stack, running.tracker)
    flow.connect()
    running.simulator.core.switch_on(Fault(FaultKind.TOO_LARGE, subdomain="acme"))
    flow.drop()

    assert flow.wait(SECONDS)
    told = flow.differences()
    assert "Zendesk rejects one of its resources: ErrorCode is 'zendesk_413', not 'zendesk_400'" in told
    assert [one for one in told if "ErrorMessage lacks \"'#/external_resources/1'" in one]
    assert not [one for one in told if one.startswith("Not JSON at all")]


def test_what_became_of_the_tickets_is_looked_at(running: Running) -> None:
    flow = SampleFlow(running.stack, running.tracker)
    flow.connect()
    core = running.simulator.core
    ids = {account.subdomain: account.instance_push_id for account in core.accounts}
    sent = running.stack.client("sqs").send_message(
        QueueUrl=running.stack.queue_url, MessageBody=load_samples()[0].body(ids)
    )
    assert running.tracker.wait_until(frozenset({sent["MessageId"]}), SECONDS)
    question = core.ticket_of(ids["acme"], "shop-4711-1")
    assert question is not None
    core.close_ticket(question.id)  # so that the reply to it makes a ticket of its own
    flow.drop()

    assert flow.wait(SECONDS)
    assert flow.differences() == ["A reply to it: shop-4711-2 is not on the ticket of shop-4711-1"]
    question.comments.append(question.comments[0])
    assert "a resource was imported twice" in flow.differences()


def test_a_customer_who_may_not_connect_is_an_error(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zendesk_push.local.sample_flow.ACCOUNTS", {"umbrella": "Umbrella"})

    with pytest.raises(LocalStackError, match=r"the account of umbrella can't be connected: .*403"):
        SampleFlow(running.stack, running.tracker).connect()


def test_looking_for_dead_letters_takes_none_away(running: Running) -> None:
    stack, sqs = running.stack, running.stack.client("sqs")
    ids = frozenset(
        sqs.send_message(QueueUrl=stack.queue_url, MessageBody=f"not JSON {number}")["MessageId"]
        for number in range(23)
    )
    assert running.tracker.wait_until(ids, SECONDS)

    letters = DeadLetterPeek(stack.aws_endpoint_url, stack.dead_letter_queue_url).of(ids)

    assert {letter.reason for letter in letters.values()} == {"invalid_message"}
    assert letters.keys() == ids
    names = ["ApproximateNumberOfMessagesNotVisible"]
    attributes = sqs.get_queue_attributes(QueueUrl=stack.dead_letter_queue_url, AttributeNames=names)
    assert attributes["Attributes"] == {names[0]: "0"}


def test_2_000_dead_letters_stay_untouched_while_others_join_them(running: Running) -> None:
    """The table looked through all of them for each new one, and hid them from others meanwhile."""
    stack, sqs = running.stack, running.stack.client("sqs")
    for start in range(0, 2_000, 10):
        entries = [{"Id": str(each), "MessageBody": f"{start + each}"} for each in range(10)]
        sqs.send_message_batch(QueueUrl=stack.dead_letter_queue_url, Entries=entries)

    dead = [
        sqs.send_message(QueueUrl=stack.queue_url, MessageBody=f"no JSON {n}")["MessageId"] for n in range(30)
    ]
    assert running.tracker.wait_until(frozenset(dead), SECONDS)

    for _ in range(100):
        for message in sqs.receive_message(
            QueueUrl=stack.dead_letter_queue_url, MaxNumberOfMessages=10, AttributeNames=["All"]
        )["Messages"]:
            assert message["Attributes"]["ApproximateReceiveCount"] == "1", "this look is the first"
    sqs.purge_queue(QueueUrl=stack.dead_letter_queue_url)


def test_a_dead_letter_that_takes_another_s_place_is_found(running: Running) -> None:
    stack, sqs = running.stack, running.stack.client("sqs")
    first = sqs.send_message(QueueUrl=stack.queue_url, MessageBody="not JSON")["MessageId"]
    assert running.tracker.wait_until(frozenset({first}), SECONDS)
    queue_url = stack.dead_letter_queue_url
    peek = DeadLetterPeek(stack.aws_endpoint_url, queue_url)
    assert peek.of(frozenset({first}))

    taken = sqs.receive_message(QueueUrl=queue_url)["Messages"][0]
    sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=taken["ReceiptHandle"])
    second = sqs.send_message(QueueUrl=queue_url, MessageBody="moved by SQS")["MessageId"]

    assert peek.of(frozenset({second})).keys() == {second}


def test_messages_of_others_are_followed_too(running: Running) -> None:
    account = running.simulator.core.create_account("acme", name="Not connected")
    body = {"instance_push_id": account.instance_push_id, "external_resources": [{"external_id": "x-1"}]}
    sent = running.stack.client("sqs").send_message(
        QueueUrl=running.stack.queue_url, MessageBody=json.dumps(body)
    )

    assert running.tracker.wait_until(frozenset({sent["MessageId"]}), SECONDS)
    states = [
        (step.state, step.title, step.account)
        for step in running.steps
        if step.message_id == sent["MessageId"]
    ]
    assert states[0] == (State.PUSHING, "x-1", "acme")
    assert states[-1] == (State.DEAD, "x-1", "acme")


def test_a_message_for_nobody_is_followed_to_its_end(running: Running) -> None:
    body = {"instance_push_id": "nobody-here", "external_resources": [{"external_id": "x-1"}]}
    sent = running.stack.client("sqs").send_message(
        QueueUrl=running.stack.queue_url, MessageBody=json.dumps(body)
    )

    assert running.tracker.wait_until(frozenset({sent["MessageId"]}), SECONDS)
    steps = [step for step in running.steps if step.message_id == sent["MessageId"]]
    assert steps[-1].state is State.DEAD
    assert steps[-1].outcome.startswith("unknown_account: ")
    waited = [step.outcome for step in steps if step.state is State.WAITING]
    assert all(outcome.endswith("will be tried again (unknown_account)") for outcome in waited)


def test_a_schedule_of_the_template_runs(running: Running) -> None:
    [result] = running.stack.fire_schedules()

    assert not result.function_error, result.payload


def test_no_token_is_in_what_the_functions_write(running: Running) -> None:
    SampleFlow(running.stack, running.tracker).connect()

    tokens = [account.token for account in running.simulator.core.accounts]
    text = running.stack.logs.text()

    assert len(tokens) == 2
    assert "START RequestId" in text
    assert not [token for token in tokens if token is None or token in text]

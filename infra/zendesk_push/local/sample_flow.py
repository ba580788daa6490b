"""The sample flow: two accounts connected as administrators do it, sample messages, and what has become of them."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from urllib3.exceptions import HTTPError

from zendesk_push.dead_letters.dead_letter import ReceivedDeadLetter
from zendesk_push.function_logs import parsed_lines
from zendesk_push.local.dead_letters import DeadLetterPeek
from zendesk_push.local.errors import LocalStackError
from zendesk_push.local.sample_reply import SampleReply
from zendesk_push.local.samples import ACCOUNTS, ExpectedDeadLetter, ExpectedDelivery, Sample, load_samples
from zendesk_push.local.stack import LocalStack
from zendesk_push.local.tracker import MessageTracker, State, TrackedMessage
from zendesk_push.message_history import histories
from zendesk_push.simulator.admin_center import ConnectedAccount, ConnectError, connect_account

if TYPE_CHECKING:
    from zendesk_push.local.logs import LogCollector
    from zendesk_push.simulator import Simulator

_CONNECTED: Final = "connected"
_LOOKED_AT: Final = 1_000  # log lines; an invocation writes a few for each account
ANSWERED_ACCOUNT: Final = "acme"  # whose ticket an agent answers


class StackLookup:
    """Answers the tracker's questions from the running stack; ``attach`` says which one, once it runs."""

    def __init__(self) -> None:
        self._simulator: Simulator | None = None
        self._dead_letters: DeadLetterPeek | None = None
        self._logs: LogCollector | None = None

    def attach(self, stack: LocalStack) -> None:
        """From now on there are answers."""
        self._simulator = stack.simulator
        self._dead_letters = DeadLetterPeek(stack.aws_endpoint_url, stack.dead_letter_queue_url)
        self._logs = stack.logs

    def dead_letters(self, message_ids: frozenset[str]) -> Mapping[str, ReceivedDeadLetter]:
        """The dead letters of those messages."""
        if self._dead_letters is None or not message_ids:
            return {}
        return self._dead_letters.of(message_ids)

    def waiting_reasons(self, message_ids: frozenset[str]) -> Mapping[str, str]:
        """What the push function's log says of them."""
        if self._logs is None:
            return {}
        known = histories(parsed_lines(line.text for line in self._logs.lines()[-_LOOKED_AT:]))
        return {one: known[one].reason or "" for one in message_ids & known.keys()}

    def account_name(self, instance_push_id: str) -> str:
        """The account's subdomain in the simulator; the id where it is not one of the simulator's."""
        if self._simulator is None:
            return instance_push_id
        with self._simulator.core.lock:
            for account in self._simulator.core.accounts:
                if account.instance_push_id == instance_push_id:
                    return str(account.subdomain)
        return instance_push_id

    def tickets(self, instance_push_id: str, external_ids: Iterable[str]) -> tuple[int, ...]:
        """The simulator's tickets of these external ids."""
        if self._simulator is None:
            return ()
        found = (self._simulator.core.ticket_of(instance_push_id, one) for one in external_ids)
        return tuple(ticket.id for ticket in found if ticket is not None)


class SampleFlow:
    """Runs the samples on a stack with a simulator and compares what happens with what has to."""

    def __init__(self, stack: LocalStack, tracker: MessageTracker) -> None:
        self._stack = stack
        self._tracker = tracker
        self._samples = load_samples()
        self._accounts: dict[str, ConnectedAccount] = {}
        self._dropped: dict[str, Sample] = {}
        self._reply_differences: list[str] = []
        self._replies = 0

    def connect(self) -> None:
        """Connect the sample accounts through the integration's own page.

        Raises:
            LocalStackError: the page does not lead to a connected account.
        """
        with ThreadPoolExecutor(len(ACCOUNTS)) as executor:
            connected = list(executor.map(self._connect, ACCOUNTS.items()))
        self._accounts = {account.subdomain: account for account in connected}

    def drop(self) -> None:
        """Put the samples on the queue, in their order."""
        ids = {subdomain: account.instance_push_id for subdomain, account in self._accounts.items()}
        bodies = [sample.body(ids) for sample in self._samples]
        entries: list[dict[str, Any]] = []
        for index, (sample, body) in enumerate(zip(self._samples, bodies, strict=True)):
            group = {"MessageGroupId": ids[sample.account]} if sample.account is not None else {}
            entries.append({"Id": str(index), "MessageBody": body, **group})
        answer = self._stack.client("sqs").send_message_batch(QueueUrl=self._stack.queue_url, Entries=entries)
        if answer.get("Failed"):
            raise LocalStackError(f"the samples can't be dropped: {answer['Failed']}")
        for sent in answer["Successful"]:
            index = int(sent["Id"])
            self._dropped[sent["MessageId"]] = self._samples[index]
            self._tracker.dropped(sent["MessageId"], self._samples[index].title, bodies[index])

    def wait(self, timeout: float) -> bool:
        """Wait until every sample is at its end; False if ``timeout`` seconds were not enough."""
        return self._tracker.wait_until(frozenset(self._dropped), timeout)

    def answer(self) -> str | None:
        """With Replies, let an agent answer a sample ticket, once all samples are through; a line about it."""
        if self._stack.replies_queue_url is None:
            return None
        account = self._accounts[ANSWERED_ACCOUNT].instance_push_id
        line, self._reply_differences = SampleReply(self._stack, account).answer()
        self._replies += not self._reply_differences
        return line or self._reply_differences[0]

    def summary(self) -> str:
        """How many messages came to which end."""
        states = [one.state for one in self._tracker.messages() if one.message_id in self._dropped]
        delivered, dead = states.count(State.DELIVERED), states.count(State.DEAD)
        replies = f", {self._replies} agent's answer on the replies queue" if self._replies else ""
        return (
            f"{len(states)} messages: {delivered} delivered, {dead} dead letters with their reasons{replies}"
        )

    def differences(self) -> list[str]:
        """What is not as it has to be, a sentence each; empty when all is well."""
        messages = {message.message_id: message for message in self._tracker.messages()}
        found = [
            f"{sample.title}: {difference}"
            for message_id, sample in self._dropped.items()
            for difference in _compare(sample, messages.get(message_id))
        ]
        return [*found, *self._wrong_tickets(), *self._reply_differences, *self._stack.failures]

    def _connect(self, item: tuple[str, str]) -> ConnectedAccount:
        subdomain, name = item
        try:
            account = connect_account(self._stack.zendesk_url, subdomain, name)
        except (ConnectError, HTTPError) as error:
            raise LocalStackError(f"the account of {subdomain} can't be connected: {error}") from error
        if account.page_state != _CONNECTED:
            raise LocalStackError(f"the page for {subdomain} says {account.page_state}, not {_CONNECTED}")
        return account

    def _wrong_tickets(self) -> list[str]:
        """Each external id has to be one comment, on the ticket that its sample names."""
        assert self._stack.simulator is not None, "samples need the simulator"  # noqa: S101
        core = self._stack.simulator.core
        expected: set[tuple[str, str]] = set()
        found = []
        for sample in self._samples:
            if not isinstance(sample.expected, ExpectedDelivery) or sample.account is None:
                continue
            account = self._accounts[sample.account].instance_push_id
            for external_id, other in sample.expected.tickets.items():
                expected.add((account, external_id))
                ticket, wanted = core.ticket_of(account, external_id), core.ticket_of(account, other)
                if ticket is None or wanted is None or ticket.id != wanted.id:
                    found.append(f"{sample.title}: {external_id} is not on the ticket of {other}")
        with core.lock:
            comments = [
                (ticket.instance_push_id, comment.external_id)
                for ticket in core.tickets
                for comment in ticket.comments
            ]
        if len(comments) != len(set(comments)):
            found.append("a resource was imported twice")
        found += [f"{external_id} was imported" for _, external_id in sorted(set(comments) - expected)]
        return found


def _compare(sample: Sample, message: TrackedMessage | None) -> list[str]:
    if message is None or not message.state.is_final:
        state = message.state.value if message is not None else "lost"
        return [f"is still {state}"]
    if isinstance(sample.expected, ExpectedDelivery):
        if message.state is State.DELIVERED:
            return []
        return [f"should be delivered, but is a {message.state.value}: {message.outcome}"]
    return _compare_dead(sample.expected, message)


def _compare_dead(expected: ExpectedDeadLetter, message: TrackedMessage) -> list[str]:
    if message.state is not State.DEAD or message.reason is None:
        return [f"should be a dead letter, but is {message.state.value}"]
    differences = []
    explanation = message.reason.explanation or ""
    if message.reason.reason != expected.code:
        differences.append(f"ErrorCode is {message.reason.reason!r}, not {expected.code!r}")
    if not explanation:
        differences.append("ErrorMessage is missing")
    differences += [
        f"ErrorMessage lacks {passage!r}: {explanation!r}"
        for passage in expected.passages
        if passage not in explanation
    ]
    return differences

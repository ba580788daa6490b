"""A longer run of everything that is real: both handlers in processes of their own, moto, HTTP, and faults at random.

    python -m zendesk_push.bench.soak --seed 7 --messages 400 --seconds 60

Accounts are connected through the administrator's pages. Then messages arrive, good and bad, while Zendesk
fails in every way that the simulator knows, tokens are replaced, accounts are switched off and on. Then Zendesk
recovers, and every message must get its outcome. The seed decides what is done and when; what happens at the
same moment is the machine's.
"""

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from zendesk_push.bench.traffic import CANARY, INVALID, POISONS, Sent, message, no_message
from zendesk_push.local.event_source import BatchOutcome
from zendesk_push.local.stack import LocalStack
from zendesk_push.simulator.admin_center import connect_account, edit_account
from zendesk_push.simulator.faults import ONLY_OF_ANSWERS, Fault, FaultKind

SUBDOMAINS: Final = ("acme", "acme", "globex", "initech", "umbrella", "hooli")
PARAMETERS: Final = {
    "PushTimeoutSeconds": "2",
    "RetryBaseDelaySeconds": "1",
    "RetryMaxDelaySeconds": "4",
    "BatchingWindowSeconds": "1",
    "MaximumConcurrency": "3",
    "MaxResourcesPerRequest": "16",
}
# Seconds for the last outcomes beyond the window: for that waits a reply whose parent was refused.
_SETTLING: Final = 80
_REFUSALS: Final = ("zendesk_400", "zendesk_413", "zendesk_422")
_VAGUE: Final = (FaultKind.BAD_REQUEST, FaultKind.TOO_LARGE)


@dataclass
class Run:
    """What was done and seen. ``vague``: accounts of which Zendesk has refused requests without saying why."""

    accounts: list[tuple[str, str]] = field(default_factory=list)  # (subdomain, instance_push_id)
    sent: dict[str, Sent] = field(default_factory=dict)  # by body
    tokens: set[str] = field(default_factory=set)
    vague: set[str] = field(default_factory=set)
    switched_off: set[str] = field(default_factory=set)
    totals: Counter[str] = field(default_factory=Counter)
    letters: list[Any] = field(default_factory=list)


class Soak:
    """One run against one stack; ``chance`` decides everything."""

    def __init__(self, stack: LocalStack, chance: random.Random, run: Run) -> None:
        if stack.simulator is None:
            raise ValueError("the soak run needs the simulated Zendesk")
        self._stack = stack
        self._zendesk = stack.simulator.core
        self._chance = chance
        self._run = run
        self._sqs = stack.client("sqs")
        self._number = 0

    def connect(self) -> None:
        """Add the accounts as administrators do."""
        for number, subdomain in enumerate(SUBDOMAINS):
            account = connect_account(self._stack.zendesk_url, subdomain, f"{subdomain} {number}")
            self._run.accounts.append((subdomain, account.instance_push_id))
        self._note_tokens()

    def act(self, messages: int, seconds: float) -> None:
        """Send so many messages over so much time, with something else happening at every other turn."""
        begun = time.monotonic()
        turns = max(1, messages // 8)
        for turn in range(turns):
            self._send(min(8, messages - turn * 8) if turn < turns - 1 else messages - turn * 8)
            for _ in range(self._chance.randrange(4)):
                self._fault()
            if self._chance.random() < 0.2:
                self._zendesk.switch_off()
            if self._chance.random() < 0.3:
                self._administer()
            due = begun + (turn + 1) * seconds / turns
            # The schedule of the load, not a wait for something to happen.
            time.sleep(max(0.0, due - time.monotonic()))

    def settle(self, seconds: float) -> bool:
        """Let everything work again, and wait until the queue is empty; False if it is not within so many seconds."""
        self._zendesk.switch_off()
        for subdomain, key in self._run.accounts:
            if key in self._run.switched_off:
                self._zendesk.activate(key)
            edit_account(self._stack.zendesk_url, subdomain, key, new_token=True)
        self._note_tokens()
        self._run.switched_off.clear()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not self._waiting():
                return True
            time.sleep(0.5)
        return False

    def collect(self) -> None:
        """Take the dead letters."""
        while True:
            answer = self._sqs.receive_message(
                QueueUrl=self._stack.dead_letter_queue_url,
                MaxNumberOfMessages=10,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
            if not answer.get("Messages"):
                return
            self._run.letters += answer["Messages"]

    def violations(self) -> Iterator[str]:
        """Every rule that this run has seen broken."""
        dead = {letter["Body"]: letter for letter in self._run.letters}
        for body in dead.keys() - self._run.sent.keys():
            yield f"nobody sent {body[:60]!r}"
        comments = self._comments()
        for body, sent in self._run.sent.items():
            letter = dead.get(body)
            missing = [key for key, _ in sent.resources if comments[sent.account, key] != 1]
            if letter is None and (sent.invalid or missing):
                yield f"{sent.key} is lost"
            elif letter is not None:
                yield from (f"the dead letter of {sent.key} {what}" for what in self._of_letter(sent, letter))
            for key, _ in sent.resources:
                if comments[sent.account, key] > 1:
                    yield f"{key} was imported {comments[sent.account, key]} times"
        logs = self._stack.logs.text()
        if CANARY in logs:
            yield "a message's text is in the logs"
        if any(token in logs for token in self._run.tokens):
            yield "a token is in the logs"
        yield from self._stack.failures

    def _of_letter(self, sent: Sent, letter: Any) -> Iterator[str]:
        values = {
            name: value.get("StringValue", "") for name, value in letter.get("MessageAttributes", {}).items()
        }
        code = values.get("ErrorCode", "")
        self._run.totals[f"dead: {code or 'no reason'}"] += 1
        if not all(values.get(name) for name in ("ErrorCode", "ErrorMessage", "RequestID", "Context")):
            yield "has no reason"
            return
        if sent.invalid != (code == "invalid_message"):
            yield f"says {code}"
        context = json.loads(values["Context"])
        if context["account"] != sent.account and not sent.invalid:
            yield f"names the account {context['account']}"
        if code in _REFUSALS and not sent.poison and sent.account not in self._run.vague:
            yield f"says {code}, and nothing is wrong with it: {values['ErrorMessage']}"

    def _send(self, number: int) -> None:
        for _ in range(number):
            sent = self._message()
            self._run.sent[sent.body] = sent
            request: dict[str, Any] = {"QueueUrl": self._stack.queue_url, "MessageBody": sent.body}
            if sent.account:
                request["MessageGroupId"] = sent.account
            self._sqs.send_message(**request)
            self._run.totals["messages"] += 1

    def _message(self) -> Sent:
        self._number += 1
        key = f"m{self._number}"
        account = self._chance.choice(self._run.accounts)[1]
        kind = self._chance.random()
        if kind < 0.05:
            return no_message(key, self._chance.choice(INVALID))
        size = self._chance.choice([1, 1, 1, 1, 2, 5, 20])
        request_id = self._chance.choice([None, None, None, "r1", "r2"])
        if kind < 0.2:
            poison = {self._chance.randrange(size): self._chance.choice(POISONS)}
            return message(key, account, size=size, poison=poison, request_id=request_id)
        known = [sent for sent in self._run.sent.values() if sent.account == account and sent.good]
        if kind < 0.35 and known:
            parent = self._chance.choice(known).resources[0][0]
            return message(key, account, parent=parent, request_id=request_id)
        return message(key, account, size=size, request_id=request_id)

    def _fault(self) -> None:
        kind = self._chance.choice(sorted(set(FaultKind) - {FaultKind.STATUS} - ONLY_OF_ANSWERS))
        key = self._chance.choice(self._run.accounts)[1]
        if kind in _VAGUE:
            self._run.vague.add(key)
        self._zendesk.switch_on(
            Fault(
                kind,
                instance_push_id=key,
                endpoint=self._chance.choice(["push", "push", "any"]),
                count=self._chance.choice([1, 2, 4]),
                retry_after=self._chance.choice([None, 1, 3]) if kind is not FaultKind.THROTTLED else 2,
                after_import=self._chance.random() < 0.5,
            )
        )
        self._run.totals["faults"] += 1

    def _administer(self) -> None:
        subdomain, key = self._chance.choice(self._run.accounts)
        act = self._chance.choice(["edit", "rotate", "revoke_and_edit", "switch"])
        self._run.totals[f"administrators: {act}"] += 1
        if act == "switch" and key in self._run.switched_off:
            self._zendesk.activate(key)
            self._run.switched_off.discard(key)
        elif act == "switch":
            self._zendesk.deactivate(key)
            self._run.switched_off.add(key)
        elif act == "rotate":
            self._zendesk.rotate_token(key)
        else:
            if act == "revoke_and_edit":
                self._zendesk.rotate_token(key)
            edit_account(self._stack.zendesk_url, subdomain, key, new_token=True)
        self._note_tokens()

    def _note_tokens(self) -> None:
        with self._zendesk.lock:
            for account in self._zendesk.accounts:
                self._run.tokens |= {token.value for token in account.tokens}

    def _waiting(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self._sqs.get_queue_attributes(QueueUrl=self._stack.queue_url, AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)

    def _comments(self) -> Counter[tuple[str | None, str | None]]:
        with self._zendesk.lock:
            return Counter(
                (ticket.instance_push_id, comment.external_id)
                for ticket in self._zendesk.tickets
                for comment in ticket.comments
            )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print seed and totals; 1 if a rule was broken."""
    parser = argparse.ArgumentParser(
        prog="soak", description="Everything real, for a while, with random faults."
    )
    parser.add_argument("--seed", type=int, default=None, help="repeats a run (default: a new one)")
    parser.add_argument("--messages", type=int, default=400)
    parser.add_argument("--seconds", type=float, default=60, help="over which the messages arrive")
    parser.add_argument("--window", type=int, default=100, help="seconds after which a message is given up")
    options = parser.parse_args(arguments)
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"seed {seed}: {options.messages} messages in {options.seconds:g} s", flush=True)
    run = Run()
    outcomes: list[BatchOutcome] = []
    begun = time.monotonic()
    parameters = PARAMETERS | {"RetryWindowSeconds": str(options.window)}
    with LocalStack(parameters=parameters, on_outcome=outcomes.append) as stack:
        soak = Soak(stack, random.Random(seed), run)
        soak.connect()
        soak.act(options.messages, options.seconds)
        settled = soak.settle(options.window + _SETTLING)
        soak.collect()
        broken = [] if settled else ["the queue is not empty long after everything works again"]
        broken += soak.violations()
        _count(run, stack, outcomes)
    for name, number in sorted(run.totals.items()):
        print(f"  {number:>6} {name}")
    print(f"  {time.monotonic() - begun:>6.0f} s in all")
    for sentence in broken:
        print(f"BROKEN: {sentence}", file=sys.stderr)
    print("every invariant held" if not broken else f"seed {seed} breaks {len(broken)} times", flush=True)
    return 1 if broken else 0


def _count(run: Run, stack: LocalStack, outcomes: Sequence[BatchOutcome]) -> None:
    run.totals["invocations"] = len(outcomes)
    run.totals["receipts"] = sum(len(outcome.records) for outcome in outcomes)
    if stack.simulator is None:
        return
    for request in stack.simulator.core.requests:
        answered = request.status if request.status is not None else request.outcome
        run.totals[f"{request.endpoint}: {answered}"] += 1
    run.totals["resources imported"] = sum(len(ticket.comments) for ticket in stack.simulator.core.tickets)


if __name__ == "__main__":
    sys.exit(main())

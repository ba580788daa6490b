"""What is seen of a worker's effects, and held against what it knows at that moment."""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from push_content.accounts.pauses import FRESH, AccountStanding
from unit.delivery.stage import Actor, Stage
from zendesk_channel.accounts import AccountState
from zendesk_channel.contract import PushToken, Subdomain
from zendesk_channel.errors import ZendeskError
from zendesk_push.bench.traffic import Sent

# Two accounts share a subdomain, and with it a rate limit. The last is not registered at first.
SUBDOMAINS: Final = {"a1": "acme", "a2": "acme", "b1": "globex", "c1": "initech"}
UNREGISTERED: Final = "c1"
INVOCATION: Final = 15  # seconds that Lambda gives it
LONE_FAILURES: Final = 4  # single messages that may fail, one after the other
_EXTERNAL_ID = re.compile(rb'"external_id": "(m\d+\.\d+)"')


@dataclass
class Invocation:
    """One run of the function, and what it was seen to do."""

    number: int
    worker: str
    event: dict[str, Any]
    started_at: float
    standing: dict[str, AccountStanding] = field(default_factory=dict)  # as it was last read
    read_at: dict[str, float] = field(default_factory=dict)
    imported_before: set[str] = field(default_factory=set)  # bodies
    refused_at_start: dict[str, str] = field(default_factory=dict)
    # By account: another account's thread may be past looking when the pause of their subdomain comes.
    own_pauses: dict[str, float] = field(default_factory=dict)
    pushing: dict[Actor, str] = field(default_factory=dict)  # the account that a thread has pushed for last
    failed: set[str] = field(default_factory=set)  # accounts whose sending ended with a failure
    lone_failures: Counter[str] = field(
        default_factory=Counter
    )  # accounts; of single messages, one after the other
    pushes: list[str] = field(default_factory=list)  # accounts, one entry for each request
    answer: dict[str, Any] | None = None
    ended_at: float | None = None
    undisturbed: bool = True  # nothing failed, nobody else worked, nothing was changed meanwhile
    stalled: bool = False  # it could have gone on, and did not get the time
    deliverable: list[Sent] = field(default_factory=list)  # what it can deliver if all goes well

    @property
    def deadline(self) -> float:
        """When Lambda ends it."""
        return self.started_at + INVOCATION


class Watch:
    """Sees every effect. ``confirmed``: the tokens that Zendesk has confirmed, by account. Adds to ``violations``."""

    def __init__(self, stage: Stage, confirmed: dict[str, set[str]], violations: list[str]) -> None:
        self._stage = stage
        self._confirmed = confirmed
        self._violations = violations
        self._worked: set[tuple[str, str]] = set()  # workers, and the accounts that they saw working last

    def before(self, label: str, _: Any, arguments: tuple[Any, ...], __: dict[str, Any]) -> None:
        """An effect is about to happen."""
        if label == "zendesk.push":
            self._judge_push(*arguments)

    def after(self, label: str, result: Any, arguments: tuple[Any, ...], _: dict[str, Any]) -> None:
        """An effect has happened; ``result`` is what came of it."""
        actor = self._stage.current()
        invocation = self._invocation()
        if invocation is None or actor is None:
            return
        account = invocation.pushing.get(actor)
        if label == "pauses.snapshot":
            self._note_snapshot(invocation, result, arguments[0])
        elif label == "pauses.pause_subdomain" and account:
            invocation.own_pauses[account] = arguments[1]
        elif label == "zendesk.push" and account:
            self._note_answer(invocation, account, result, arguments[2])

    def _note_snapshot(self, invocation: Invocation, result: Any, asked: Any) -> None:
        for key in asked:
            record = result.accounts.get(key)
            until = result.paused_until.get(record.subdomain, 0.0) if record else 0.0
            if not invocation.read_at and record and record.refused_version == record.token_version:
                invocation.refused_at_start[key] = record.token_version
            invocation.standing[key] = AccountStanding(record, until)
        invocation.read_at.update(dict.fromkeys(asked, self._stage.clock()))

    def _note_answer(self, invocation: Invocation, account: str, result: Any, body: bytes) -> None:
        """A single message may fail by itself where others have succeeded; else it is the account."""
        known = (invocation.worker, account)
        if not isinstance(result, ZendeskError) and result.status < 500:
            if result.status == 200:
                self._worked.add(known)
                invocation.lone_failures[account] = 0
            return
        keys = {match.split(b".")[0] for match in _EXTERNAL_ID.findall(body)}
        record = invocation.standing[account].account
        halving = record is not None and record.last_failure_reason == "unavailable"
        if len(keys) == 1:
            invocation.lone_failures[account] += 1
        if (
            known not in self._worked
            or (len(keys) > 1 and not halving)
            or invocation.lone_failures[account] > LONE_FAILURES
        ):
            invocation.failed.add(account)
            self._worked.discard(known)

    def _invocation(self) -> Invocation | None:
        actor = self._stage.current()
        invocation = actor.errand if actor else None
        return invocation if isinstance(invocation, Invocation) and invocation.ended_at is None else None

    def _judge_push(self, subdomain: Subdomain, token: PushToken, _: bytes) -> None:
        """May this request be sent at all, by what its sender knows?"""
        account = next((key for key, tokens in self._confirmed.items() if token.reveal() in tokens), None)
        if account is None:
            self._violations.append(f"a token that was never confirmed went to {subdomain}")
            return
        if SUBDOMAINS[account] != subdomain:
            self._violations.append(f"the token of {account} went to {subdomain}")
        actor, invocation = self._stage.current(), self._invocation()
        if invocation is None or actor is None:
            return  # left behind by an invocation that is over
        if account in invocation.failed:
            self._violations.append(f"pushed for {account} once more after it had failed")
        if invocation.refused_at_start.get(account) == token.version:
            self._violations.append(f"a token that is marked as refused was used for {account}")
        invocation.pushes.append(account)
        invocation.pushing[actor] = account
        self._judge_standing(invocation, account, subdomain)

    def _judge_standing(self, invocation: Invocation, account: str, subdomain: Subdomain) -> None:
        standing, now = invocation.standing.get(account), self._stage.clock()
        if standing is None:
            self._violations.append("pushed without knowing accounts and pauses")
            return
        if invocation.undisturbed and now - invocation.read_at[account] > FRESH:
            self._violations.append(f"pushed for {account} by what was read long ago")
        if max(standing.subdomain_paused_until, invocation.own_pauses.get(account, 0)) > now:
            self._violations.append(f"pushed to {subdomain}, which is paused")
        found = standing.account
        if found is None or found.state is not AccountState.ACTIVE:
            self._violations.append(f"pushed for {account}, which is {found.state if found else 'unknown'}")
        elif found.paused_until > now or found.paused_by_operator_at is not None:
            self._violations.append(f"pushed for {account}, which is paused")

"""The core under random use: whatever faults strike, nothing is imported twice and every answer is of its form."""

from __future__ import annotations

import json

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from unit.simulator.worlds import SimulatorWorld, codes, resource
from zendesk_push.simulator import Fault, FaultKind, NoAnswerError, SimulatedAccount
from zendesk_push.simulator.faults import ONLY_OF_ANSWERS

IDS = st.integers(0, 12).map(str)
KINDS = st.sampled_from(sorted(set(FaultKind) - {FaultKind.STATUS} - ONLY_OF_ANSWERS))


class ZendeskMachine(RuleBasedStateMachine):
    accounts: Bundle[SimulatedAccount] = Bundle("accounts")

    def __init__(self) -> None:
        super().__init__()
        self.world = SimulatorWorld(rate_limit=20)
        self.confirmed: set[tuple[str, str]] = set()
        """What an answer called success: that, and only that, may never be called success again."""

    @initialize(target=accounts)
    def first(self) -> SimulatedAccount:
        return self.world.account

    @rule(target=accounts, subdomain=st.sampled_from(["acme", "globex"]))
    def another(self, subdomain: str) -> SimulatedAccount:
        return self.world.zendesk.create_account(subdomain)

    @rule(kind=KINDS, count=st.none() | st.integers(1, 3), external_id=st.none() | IDS, after=st.booleans())
    def fail(self, kind: FaultKind, count: int | None, external_id: str | None, after: bool) -> None:
        self.world.zendesk.switch_on(Fault(kind, count=count, external_id=external_id, after_import=after))

    @rule()
    def recover(self) -> None:
        self.world.zendesk.switch_off()

    @rule(seconds=st.integers(1, 90))
    def wait(self, seconds: int) -> None:
        self.world.now += seconds

    @rule(account=accounts)
    def revoke(self, account: SimulatedAccount) -> None:
        self.world.zendesk.rotate_token(account.instance_push_id)

    @rule(account=accounts, pushed=st.lists(st.tuples(IDS, st.none() | IDS), max_size=6))
    def push(self, account: SimulatedAccount, pushed: list[tuple[str, str | None]]) -> None:
        resources = [
            resource(own, **({} if parent is None else {"parent_id": parent})) for own, parent in pushed
        ]
        try:
            answer = self.world.push(*resources, account=account)
        except NoAnswerError:
            return
        if answer.status != 200 or answer.body.startswith(b"<"):
            return
        for result in json.loads(answer.body).get("results", []):
            key = (account.instance_push_id, result["external_resource_id"])
            if result["status"]["code"] == "success":
                assert key not in self.confirmed
                self.confirmed.add(key)

    @invariant()
    def nothing_is_imported_twice(self) -> None:
        comments = [
            (ticket.instance_push_id, comment.external_id)
            for ticket in self.world.zendesk.tickets
            for comment in ticket.comments
        ]
        assert len(comments) == len(set(comments))
        assert self.confirmed <= set(comments)

    @invariant()
    def a_failure_halts_everything_behind_it(self) -> None:
        for request in self.world.zendesk.requests:
            failed = [code not in ("success", "already_imported") for code in request.codes]
            assert failed == sorted(failed)
            assert all(code == "halted" for code in request.codes[sum(not each for each in failed) + 1 :])

    def teardown(self) -> None:
        """Once all is well again, what was imported is known and what was not is taken."""
        self.world.zendesk.switch_off()
        self.world.now += 60
        known = {each for account, each in self.confirmed if account == "account-1"}
        for each, code in zip(
            sorted(known), codes(self.world.push(*map(resource, sorted(known)))), strict=True
        ):
            assert code == "already_imported", each


TestZendesk = ZendeskMachine.TestCase
TestZendesk.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)

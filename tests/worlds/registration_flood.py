"""Strangers who forge callbacks and events by the thousand, while an administrator connects, edits and removes."""

import random
from collections import Counter
from collections.abc import Iterator

from worlds.admin_requests import Answer
from worlds.admin_world import AdminWorld
from zendesk_channel.accounts import AccountState

ACCOUNT = "3cd1d2a5-aaf2-41fe-a9f1-519499605854"
VERBS = ("create", "activate", "deactivate", "destroy")
CALLBACKS_A_SECOND = 3


class Flood:
    """Strangers from many addresses, forging all that they can."""

    def __init__(self, world: AdminWorld, seed: int) -> None:
        self.world = world
        self.random = random.Random(seed)
        self.statuses: Counter[int] = Counter()
        self.made = [""]  # metadata that they had made

    def source(self) -> str:
        return f"198.51.{self.random.randrange(100)}.{self.random.randrange(256)}"

    def callback(self) -> None:
        world, pick = self.world, self.random.choice
        fields = world.form(
            pick(["acme", "evil", "acme.evil.example.com"]),
            instance_push_id=pick([ACCOUNT, f"invented-{self.random.random()}"]),
            zendesk_access_token=f"junk-{self.random.random()}",
            metadata=pick(self.made),
            name=pick(["", "Name"]),
        )
        if self.random.random() < 0.1:
            fields["return_url"] = "https://evil.example.com/"
        answer = world.post_form(fields, source=self.source())
        self.statuses[answer.status] += 1
        if answer.status == 200 and len(self.made) < 500:
            self.made.append(answer.metadata)

    def body(self) -> None:
        pick = self.random.choice
        events = [
            self.world.event_body(f"{pick(VERBS)}_integration_instance", pick([*self.made, "junk"]))
            for _ in range(self.random.randrange(1, 30))
        ]
        self.statuses[self.world.events(*events, source=self.source()).status] += 1


def administrator(world: AdminWorld) -> Iterator[str]:
    """One life of the account, a step at a time: what is done, and that it went as if nobody else were there."""
    token, metadata = "", ""

    def page(number: int, state: str) -> Answer:
        nonlocal token
        token = f"{number:064x}"
        world.zendesk.accept("acme", ACCOUNT, token)
        answer = world.callback(instance_push_id=ACCOUNT, zendesk_access_token=token, metadata=metadata)
        assert (answer.status, answer.state) == (200, state)
        return answer

    def said(verb: str) -> None:
        assert world.event(f"{verb}_integration_instance", metadata, world.clock.time).status == 200

    metadata = page(1, "connected").metadata
    yield "opened"
    said("create")
    yield "saved"
    for number in range(2, 6):
        metadata = page(number, "connected").metadata
        assert world.token(world.known(ACCOUNT)) == token
        yield "edited"
    said("deactivate")
    assert world.known(ACCOUNT).state is AccountState.INACTIVE
    yield "switched off"
    said("activate")
    assert world.known(ACCOUNT).state is AccountState.ACTIVE
    yield "switched on"
    said("destroy")
    assert world.known(ACCOUNT).state is AccountState.DELETED
    yield "removed"
    metadata = ""
    metadata = page(6, "connected").metadata
    yield "added again"
    said("create")
    assert world.token(world.known(ACCOUNT)) == token
    yield "saved again"


def play(world: AdminWorld, *, callbacks: int, seed: int) -> None:
    """So many forged callbacks, a body of forged events for each ten of them, and all steps of an account's life."""
    flood, life = Flood(world, seed), administrator(world)
    every = callbacks // 12
    steps: list[str] = []
    for number in range(callbacks):
        world.clock.time += 1 / CALLBACKS_A_SECOND
        flood.callback()
        if number % 10 == 0:
            flood.body()
        if number % every == every // 2 and (step := next(life, "")):
            steps.append(step)
    assert steps[-1] == "saved again"
    assert set(flood.statuses) <= {200, 400, 403, 429}
    # Nothing but the administrator's account was ever written.
    assert set(world.table.accounts) == {ACCOUNT}
    assert world.credentials.names() == [ACCOUNT]
    # Sixty a minute of each of the two subdomains, for callbacks and for events.
    minutes = callbacks / CALLBACKS_A_SECOND / 60
    assert len(world.zendesk.asked) <= 2 * 2 * 60 * (minutes + 1) + 100

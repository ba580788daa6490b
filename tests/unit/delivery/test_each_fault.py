"""The same world with one fault at a time: chance alone meets each of them too seldom in a normal run."""

import pytest

from unit.delivery.effects import Failing
from unit.delivery.test_delivery import CALL_NAMES, VAGUE, Delivery
from unit.delivery.watch import SUBDOMAINS
from zendesk_push.simulator.faults import ONLY_OF_ANSWERS, Fault, FaultKind

STATUSES = (
    201,
    204,
    301,
    302,
    307,
    401,
    402,
    403,
    404,
    405,
    408,
    409,
    410,
    413,
    422,
    429,
    451,
    500,
    501,
    502,
    503,
    599,
)


def play(life: Delivery) -> None:
    """Two accounts' messages, good and bad, and three invocations; the invariants are looked at after each."""
    for _ in range(3):
        life.drop_many("a1", 3)
        life.drop_a_good_one("a1", 11, None, {})
        life.drop_a_bad_one("a1", 3, {1: {"message": ""}}, None, {})
        life.drop_a_reply("a1", 1, None)
        life.drop_many("b1", 2)
        life.work("w1", 1000, twice=False, picks=0, ending="finish")
        check(life)
        life.pass_time(15)
    life.teardown()
    assert not life.world.violations
    if not set(SUBDOMAINS) & life.letters.vague:
        good = [sent for sent in life.world.sent.values() if sent.good]
        assert all(life.world.delivered(sent) for sent in good)


def check(life: Delivery) -> None:
    life.everything_is_somewhere()
    life.every_dead_letter_has_its_reason()
    life.every_request_is_right()
    life.every_invocation_did_what_it_may_and_must()
    life.nothing_is_told()


def test_without_any_fault() -> None:
    play(Delivery())


@pytest.mark.parametrize("count", [1, 3, None])
@pytest.mark.parametrize("after_import", [False, True])
@pytest.mark.parametrize("kind", sorted(set(FaultKind) - {FaultKind.STATUS} - ONLY_OF_ANSWERS))
def test_a_fault_of_zendesk(kind: FaultKind, after_import: bool, count: int | None) -> None:
    life = Delivery()
    if kind in VAGUE:
        life.letters.vague.add("a1")
    life.world.zendesk.switch_on(Fault(kind, instance_push_id="a1", after_import=after_import, count=count))
    play(life)


@pytest.mark.parametrize("bad", range(1, 7))
def test_any_number_of_refused_messages_costs_one_request_more(bad: int) -> None:
    life = Delivery()
    life.drop_many("a1", 1)
    for _ in range(bad):
        life.drop_a_bad_one("a1", 1, {0: {"message": ""}}, None, {})
    life.drop_many("a1", 1)
    life.work("w1", 1000, twice=False, picks=0, ending="finish")
    check(life)
    assert not life.world.on_queue()
    assert len(life.world.invocations[0].pushes) == 2
    life.teardown()


def test_two_accounts_that_hang_take_no_time_from_a_third() -> None:
    life = Delivery()
    for account in ("a1", "a2"):
        life.world.zendesk.switch_on(Fault(FaultKind.HANG, instance_push_id=account))
        life.drop_many(account, 9)
    life.drop_many("b1", 9)
    life.work("w1", 1000, twice=False, picks=0, ending="finish")
    check(life)
    waiting = {life.world.sent[body].account for body in life.world.on_queue()}
    assert waiting == {"a1", "a2"}
    life.teardown()


@pytest.mark.parametrize("status", STATUSES)
def test_a_status(status: int) -> None:
    life = Delivery()
    if status in (413, 422):
        life.letters.vague.add("a1")
    life.world.zendesk.switch_on(
        Fault(FaultKind.STATUS, instance_push_id="a1", status=status, body="?", count=2)
    )
    play(life)


@pytest.mark.parametrize("failing", sorted(Failing))
@pytest.mark.parametrize("call", CALL_NAMES)
def test_a_failure_of_aws(call: str, failing: Failing) -> None:
    life = Delivery()
    life.let_aws_fail(call, failing, 2)
    life.world.zendesk.switch_on(Fault(FaultKind.SERVER_ERROR, instance_push_id="b1", count=1))
    life.world.zendesk.revoke_token("a1")
    play(life)


@pytest.mark.parametrize("effects", range(0, 60, 3))
def test_a_death_after_so_many_effects(effects: int) -> None:
    life = Delivery()
    life.drop_many("b1", 9)
    life.drop_what_is_no_message("not JSON")
    life.drop_a_bad_one("a2", 3, {1: {"message": ""}}, None, {})
    life.world.start("w2", 1000)
    for _ in range(effects):
        life.world.move(0)
    life.world.kill("w2")
    check(life)
    play(life)

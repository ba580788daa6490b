"""The proof can fail: workers that are broken in one place are found out by it.

Nothing else in these tests patches the project's own code.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from push_content import invocation
from push_content.accounts import account_pusher
from push_content.answers import validation_errors
from push_content.outcomes import outcome, queues, retry_policy
from push_content.outcomes.outcome import Delivered, Rejected
from push_content.requests import request_queue
from unit.delivery.effects import Failing
from unit.delivery.test_delivery import Delivery
from unit.delivery.test_each_fault import play
from zendesk_channel.accounts import Account
from zendesk_push.simulator.faults import Fault, FaultKind

Trouble = Callable[[Delivery], Any]


def nothing(_: Delivery) -> None:
    """No trouble is needed."""


def server_error(life: Delivery) -> None:
    life.world.zendesk.switch_on(Fault(FaultKind.SERVER_ERROR, instance_push_id="a1", count=2))


def processing_error(life: Delivery) -> None:
    life.world.zendesk.switch_on(Fault(FaultKind.PROCESSING_ERROR, instance_push_id="a1", count=1))


def throttled(life: Delivery) -> None:
    life.world.zendesk.switch_on(Fault(FaultKind.THROTTLED, instance_push_id="a1", count=1, retry_after=60))


def failing_dead_letters(life: Delivery) -> None:
    life.let_aws_fail("sqs.send_message_batch", Failing.PARTLY, 1)


def revoked_token(life: Delivery) -> None:
    life.world.zendesk.revoke_token("a1")


def always(value: Any) -> Callable[..., Any]:
    return lambda *_, **__: value


BROKEN: dict[str, tuple[Any, str, Any, Trouble]] = {
    "reports nothing as staying": (invocation.PushInvocation, "run", None, server_error),
    "deletes without a dead letter": (queues.DeadLetterQueue, "send", always({}), nothing),
    "takes a failed dead letter for sent": (queues.DeadLetterQueue, "_send", None, failing_dead_letters),
    "takes halted for delivered": (
        outcome.Result,
        "delivered",
        property(always(True)),
        processing_error,
    ),
    "ignores states and pauses": (account_pusher, "before_sending", always(None), throttled),
    "forgets what must go again": (account_pusher, "judge", None, nothing),
    "keeps a foreign index": (validation_errors, "with_index", lambda error, *_: error, nothing),
    "sends one by one": (request_queue.RequestQueue, "next", None, nothing),
    "gives up at once": (retry_policy, "next_turn", None, server_error),
    "uses a refused token": (Account, "refused", property(always(False)), revoked_token),
}


def broken_variant(name: str, original: Any) -> Any:
    """What breaks a piece while using it."""

    def without_answer(*arguments: Any, **named: Any) -> list[str]:
        original(*arguments, **named)
        return []

    def without_failures(*arguments: Any) -> dict[str, Any]:
        original(*arguments)
        return {}

    def without_again(request: Any, *arguments: Any, **named: Any) -> Any:
        decision = original(request, *arguments, **named)
        left = {part.message.id for part in decision.again + decision.halved}
        taken = decision.outcomes | dict.fromkeys(left, Delivered())
        return replace(decision, again=(), halved=(), outcomes=taken)

    def one_by_one(queue: Any, _: int, decided: Any) -> Any:
        return original(queue, 1, decided)

    def rejected(_: Any, retry: Any, *__: Any, **___: Any) -> Rejected:
        return Rejected(retry.reason, retry.text)

    return {
        "reports nothing as staying": without_answer,
        "takes a failed dead letter for sent": without_failures,
        "forgets what must go again": without_again,
        "sends one by one": one_by_one,
        "gives up at once": rejected,
    }[name]


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_worker_is_found_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place, attribute, replacement, trouble = BROKEN[name]
    original = getattr(place, attribute)
    monkeypatch.setattr(place, attribute, replacement or broken_variant(name, original))
    life = Delivery()
    trouble(life)
    try:
        with pytest.raises(AssertionError):
            play(life)
    finally:
        life.world.close()

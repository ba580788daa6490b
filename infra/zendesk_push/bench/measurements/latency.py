"""From sending to the ticket, on the local stack: processes, HTTP, the batching window, and all."""

import time
from collections.abc import Sequence
from typing import Final

from zendesk_push.bench.figures import Chapter, Effort, Figure, Plot
from zendesk_push.bench.traffic import message
from zendesk_push.local.stack import LocalStack
from zendesk_push.simulator.admin_center import connect_account

_PER_SECOND: Final = 60
_WINDOW: Final = 1
_DEAD: Final = 2_000


def latency(effort: Effort) -> Chapter:
    """60 messages a second, with an empty dead-letter queue and with one that has not been looked at for long."""
    seconds = 2 if effort.short else 20
    dead = 50 if effort.short else _DEAD
    parameters = {"BatchingWindowSeconds": str(_WINDOW)}
    with LocalStack(parameters=parameters) as stack:
        account = connect_account(stack.zendesk_url, "acme", "Acme").instance_push_id
        _send_and_wait(stack, account, 1, 1)  # both functions have started
        alone = _send_and_wait(stack, account, 2, seconds)
        sqs = stack.client("sqs")
        for start in range(0, dead, 10):
            entries = [{"Id": str(each), "MessageBody": "not JSON"} for each in range(start, start + 10)]
            sqs.send_message_batch(QueueUrl=stack.dead_letter_queue_url, Entries=entries)
        beside = _send_and_wait(stack, account, 100_000, seconds)
    chapter = Chapter(
        "From sending to the ticket",
        f"The local stack with a batching window of {_WINDOW} s, {_PER_SECOND} messages a second. Beyond the "
        "window means: minus that second, which a message that comes at its beginning waits. On AWS, SQS and "
        "Lambda's pollers have a share of their own, which cannot be measured here.",
        [
            Figure("p99 send → ticket beyond the window", [_beyond(alone, 99)], "0.1-1.1", "0.3", " s"),
            Figure("… with 2,000 dead letters lying there", [_beyond(beside, 99)], "1.7-3.7", "0.3", " s"),
        ],
    )
    percents = (1, 5, 10, 25, 50, 75, 90, 95, 99)
    chapter.plots.append(
        Plot(
            "latency",
            f"Send → ticket, local stack, window {_WINDOW} s",
            "percent of messages",
            "seconds",
            {
                "no dead letters": [(each, _percentile(alone, each)) for each in percents],
                "2,000 dead letters": [(each, _percentile(beside, each)) for each in percents],
                "the window": [(each, _WINDOW) for each in percents],
            },
        )
    )
    return chapter


def _send_and_wait(stack: LocalStack, account: str, first: int, seconds: float) -> list[float]:
    """Seconds from sending to the ticket of each message."""
    if stack.simulator is None:
        raise RuntimeError("the latency is that of the simulated Zendesk")
    sqs = stack.client("sqs")
    sent: dict[str, float] = {}
    begun = time.time()
    for number in range(first, first + round(seconds * _PER_SECOND)):
        time.sleep(max(0.0, begun + len(sent) / _PER_SECOND - time.time()))  # the schedule of the load
        key = f"m{number}"
        sent[f"{key}.0"] = time.time()
        sqs.send_message(QueueUrl=stack.queue_url, MessageBody=message(key, account).body)
    core = stack.simulator.core
    arrived: dict[str, float] = {}
    end = time.monotonic() + 120
    while sent.keys() - arrived.keys() and time.monotonic() < end:
        time.sleep(0.2)
        with core.lock:
            arrived = {
                comment.external_id: comment.imported_at
                for ticket in core.tickets
                for comment in ticket.comments
            }
    return sorted(arrived[key] - at for key, at in sent.items())


def _percentile(values: Sequence[float], percent: float) -> float:
    return values[min(len(values) - 1, int(len(values) * percent / 100))]


def _beyond(values: Sequence[float], percent: float) -> float:
    return max(0.0, _percentile(values, percent) - _WINDOW)

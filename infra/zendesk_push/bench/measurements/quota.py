"""Zendesk's rate limit, on a simulated clock: what of it is used, by the minute, and what waiting costs."""

from collections import Counter
from typing import Final

from zendesk_push.bench.figures import Chapter, Effort, Figure, Plot
from zendesk_push.bench.simulation import Simulation
from zendesk_push.bench.traffic import message

_GRANTED: Final = 700
_RESERVE: Final = 0.1


def quota(effort: Effort) -> Chapter:
    """Every message is a request of its own here: each has a request_id that no other has."""
    chapter = Chapter(
        "Zendesk's quota",
        "On a simulated clock; a message is a request of its own. 700 requests a minute are granted, of which "
        "70 are left to the customer's other integrations.",
    )
    minutes = 3 if effort.short else 6
    used, throttled = _arriving(minutes)
    least = min(used[1:-1] or used)
    chapter.figures += [
        Figure("630 a minute arriving: requests in the worst minute", [least], "0", "630"),
        Figure("… answered with 429", [sum(throttled)], "-", "0"),
    ]
    waiting = 2_000 if effort.short else 20_000
    receipts, most = _waiting(waiting)
    chapter.figures += [
        Figure("20,000 waiting at a used-up quota: receipts per delivered message", [receipts], "30", "3"),
        Figure("… most requests in a minute of the 630 that are ours", [most], "-", "630"),
    ]
    chapter.plots.append(
        Plot(
            "quota-by-minute",
            "700 granted, 630 arriving, 10 % reserved",
            "minute",
            "requests",
            {
                "granted": [(minute, _GRANTED) for minute in range(minutes)],
                "pushed": list(enumerate(used)),
                "answered with 429": list(enumerate(throttled)),
            },
        )
    )
    return chapter


def _arriving(minutes: int) -> tuple[list[int], list[int]]:
    """Requests that were taken and refused, by the minute, while 10.5 messages arrive each second."""
    run = Simulation(["a0"], rate_limit=_GRANTED)
    numbers = iter(range(1, 1_000_000))
    owed = 0.0

    def arrive() -> None:
        nonlocal owed
        owed += _GRANTED * (1 - _RESERVE) / 60
        while owed >= 1:
            owed -= 1
            key = f"m{next(numbers)}"
            run.send(message(key, "a0", request_id=key))

    run.run(60 * minutes, every_second=arrive)
    return _by_minute(run, minutes, 200), _by_minute(run, minutes, 429)


def _waiting(number: int) -> tuple[float, int]:
    """Receipts per delivered message until so many are delivered, and the fullest minute's requests."""
    run = Simulation(["a0"], rate_limit=_GRANTED)
    for each in range(1, number + 1):
        run.send(message(f"m{each}", "a0", request_id=f"m{each}"))
    run.run(4 * 3_600)
    if len(run.delivered) < number:
        raise RuntimeError(f"{number - len(run.delivered)} messages were not delivered in four hours")
    minutes = Counter(int(at // 60) for at in run.delivered.values())
    return run.receipts / number, max(minutes.values())


def _by_minute(run: Simulation, minutes: int, status: int) -> list[int]:
    counts = Counter(
        int((request.at - run.begun) // 60) for request in run.zendesk.requests if request.status == status
    )
    return [counts[minute] for minute in range(minutes)]

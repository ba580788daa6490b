"""What one account's Zendesk costs the others, in seconds that really pass."""

import math
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from zendesk_channel.addresses import ZendeskAddresses
from zendesk_channel.client import ZendeskClient
from zendesk_push.bench.figures import Chapter, Effort, Figure, Plot
from zendesk_push.bench.harness import Container, Harness, records
from zendesk_push.bench.loopback_zendesk import LoopbackZendesk
from zendesk_push.bench.traffic import message
from zendesk_push.in_memory.event_source import InMemoryEventSource

_QUIET: Final = "quiet"
_TIMEOUT: Final = {"PUSH_TIMEOUT_SECONDS": "2"}
_AS_10: Final = "as beside 10"
_HANGING: Final = {
    10: ("-", "-"),
    64: ("2.1", _AS_10),
    130: ("4.2", "as beside 10"),
    200: ("6.3", "as beside 10"),
}


def neighbours(effort: Effort) -> Chapter:
    """Accounts that hang, in the same invocation and in another worker; and one that is slow, and answers."""
    chapter = Chapter(
        "Neighbours", "The quiet account's message is the last of its batch. PushTimeoutSeconds is 2 here."
    )
    beside: list[tuple[float, float]] = []
    for hanging, (first, target) in _HANGING.items():
        if effort.short and hanging > 10:
            continue
        values = [_beside_hanging(hanging) for _ in range(min(effort.rounds, 3))]
        beside.append((hanging, statistics.median(values)))
        chapter.figures.append(
            Figure(f"a quiet account beside {hanging} that hang", values, first, target, " s")
        )
    chapter.plots.append(
        Plot(
            "neighbours",
            "A quiet account's message beside accounts that hang (time-out 2 s)",
            "accounts that hang",
            "seconds until it is there",
            {"this project": beside, "first version": [(64, 2.1), (130, 4.2), (200, 6.3)]},
        )
    )
    seconds = 2 if effort.short else 12
    values = [_p95(seconds, {"busy": math.inf}) / _p95(seconds, {}) for _ in range(min(effort.rounds, 3))]
    chapter.figures.append(
        Figure("two workers, one customer hangs: the quiet one's p95 over alone", values, "4.5", "1.5")
    )
    slow = 0.1 if effort.short else 2.0
    for batches, first, target in ((1, "38", "22"), (2, "81", "-")):
        what = f"two workers, {batches} batch{'es' * (batches > 1)} each of a slow account's (20 requests of 2 s)"
        chapter.figures.append(
            Figure(
                f"{what}: another's message waits", [_beside_slow(slow, 40 * batches)], first, target, " s"
            )
        )
    return chapter


def _beside_hanging(number: int) -> float:
    """Seconds until the quiet account's message is there, in one invocation with so many that hang."""
    hanging = [f"a{each}" for each in range(number)]
    with LoopbackZendesk(slow=dict.fromkeys(hanging, math.inf)) as zendesk:
        container = _containers(Harness([*hanging, _QUIET], settings=_TIMEOUT), zendesk, 1)[0]
        batch = records([*hanging, _QUIET], number + 1)
        begun = time.monotonic()
        container.run(batch, seconds=30)
        return _first(zendesk, _QUIET) - begun


def _p95(seconds: float, slow: dict[str, float]) -> float:
    """The 95th percentile from a quiet account's sending to Zendesk, while another's messages come as well."""
    with LoopbackZendesk(latency=0.02, slow=slow) as zendesk:
        harness = Harness(["busy", _QUIET], settings=_TIMEOUT)
        sent: dict[int, float] = {}
        with _Workers(harness, _containers(harness, zendesk, 2), window=1):
            for number in range(1, round(seconds * 10) + 1):
                _send(harness, f"m{2 * number}", "busy")
                sent[number] = time.monotonic()
                _send(harness, f"m{2 * number + 1}", _QUIET)
                time.sleep(0.1)  # the schedule of the load
            _await(
                lambda: (
                    sum(each.resources for each in zendesk.pushed() if each.account == _QUIET) >= len(sent)
                )
            )
        arrived = [
            each.at for each in zendesk.pushed() if each.account == _QUIET for _ in range(each.resources)
        ]
    waits = sorted(at - begun for begun, at in zip(sent.values(), arrived, strict=False))
    return waits[int(len(waits) * 0.95)]


def _beside_slow(latency: float, requests: int) -> float:
    """So many requests' worth wait for a slow account, twenty to a batch; then comes one message of another's."""
    with LoopbackZendesk(latency=0.02, slow={"busy": latency}) as zendesk:
        harness = Harness(["busy", _QUIET], settings={"PUSH_TIMEOUT_SECONDS": "30"})
        for number in range(1, requests + 1):
            harness.sqs.send_message(
                QueueUrl=harness.content_url, MessageBody=message(f"m{number}", "busy", size=256).body
            )
        with _Workers(harness, _containers(harness, zendesk, 2), batch=20):
            _await(lambda: len(zendesk.pushed()) >= 1)
            begun = time.monotonic()
            _send(harness, f"m{requests + 1}", _QUIET)
            _await(lambda: any(each.account == _QUIET for each in zendesk.pushed()))
        return _first(zendesk, _QUIET) - begun


class _Workers:
    """Lambda's pollers: each takes a batch, runs it, deletes what is done, until the context ends.

    ``window``: seconds in which a batch comes together.
    """

    def __init__(
        self, harness: Harness, containers: Sequence[Container], *, batch: int = 1_000, window: float = 0.02
    ) -> None:
        self._source = InMemoryEventSource(harness.sqs, harness.content_url)
        self._batch = batch
        self._window = window
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, args=(container,), daemon=True) for container in containers
        ]

    def __enter__(self) -> "_Workers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _work(self, container: Container) -> None:
        while not self._over.wait(self._window):
            event = self._source.receive(self._batch)
            if event is None:
                continue
            failed = container.run(event["Records"])
            answer = {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}
            self._source.settle(event, answer)


def _containers(harness: Harness, zendesk: LoopbackZendesk, number: int) -> list[Container]:
    return [harness.container(ZendeskClient(ZendeskAddresses(zendesk.url))) for _ in range(number)]


def _send(harness: Harness, key: str, account: str) -> None:
    harness.sqs.send_message(QueueUrl=harness.content_url, MessageBody=message(key, account).body)


def _await(condition: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError("it did not arrive")
        time.sleep(0.05)


def _first(zendesk: LoopbackZendesk, account: str) -> float:
    return min(each.at for each in zendesk.pushed() if each.account == account)

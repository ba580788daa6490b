"""Messages per second while Zendesk takes its time."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Final

from zendesk_channel.addresses import ZendeskAddresses
from zendesk_channel.client import ZendeskClient
from zendesk_push.bench.baseline import PEERS, Limit, OnePostPerRecord, Peer
from zendesk_push.bench.figures import Chapter, Effort, Figure, Plot, Work, ratios, wall_seconds
from zendesk_push.bench.harness import Container, Harness, records
from zendesk_push.bench.loopback_zendesk import LoopbackZendesk

LATENCY: Final = 0.05  # seconds
_MESSAGES: Final = 1_000
_OVER_LIMIT: Final = {1: ("0.78", "0.9"), 10: ("0.57", "0.8"), 100: ("0.42", "0.7")}


def throughput(effort: Effort) -> Chapter:
    """Beside L on as many threads, beside N where nothing has to be waited for, and over Zendesk's latency."""
    chapter = Chapter(
        "Throughput",
        "Whole invocations of 1,000 messages. L runs on 64 threads here, as the function does. Zendesk's own "
        "process shares the machine's two cores.",
    )
    for accounts, (first, target) in _OVER_LIMIT.items():
        with (
            LoopbackZendesk(latency=LATENCY) as zendesk,
            _pair(zendesk.url, accounts, Limit) as (ours, theirs),
        ):
            values = ratios(theirs, ours, effort.rounds, wall_seconds)
        what = f"messages per second over L, Zendesk at 50 ms, {accounts} account{'s' * (accounts > 1)}"
        chapter.figures.append(Figure(what, values, first, target))
    accounts = 50 if effort.short else 1_000
    with (
        LoopbackZendesk() as zendesk,
        _pair(zendesk.url, accounts, OnePostPerRecord) as (ours, theirs),
    ):
        values = ratios(theirs, ours, effort.rounds, wall_seconds)
    chapter.figures.append(
        Figure("… over N, 1,000 messages of 1,000 accounts, Zendesk at 0 ms", values, "0.16-0.20", "0.5")
    )
    chapter.plots.append(_over_latency(effort))
    return chapter


@contextmanager
def _pair(url: str, accounts: int, kind: type[Limit | OnePostPerRecord]) -> Iterator[tuple[Work, Work]]:
    """The function and a peer on the same records."""
    names = [f"a{number}" for number in range(accounts)]
    batch = records(names, _MESSAGES)
    harness = Harness(names)
    container = harness.container(ZendeskClient(ZendeskAddresses(url)))
    with closing(kind(url, harness.tokens)) as peer:
        yield lambda: container.run(batch), lambda: peer.run(batch)


def _over_latency(effort: Effort) -> Plot:
    latencies = (0.0, 0.01) if effort.short else (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
    names = [f"a{number}" for number in range(10)]
    few, many = records(names, 20), records(names, _MESSAGES)
    ours: list[tuple[float, float]] = []
    lines = {"this project": ours}
    harness = Harness(names)
    for latency in latencies:
        with LoopbackZendesk(latency=latency) as zendesk:
            container = harness.container(ZendeskClient(ZendeskAddresses(zendesk.url)))
            ours.append((latency * 1_000, _per_second(container, many)))
            for name, kind in PEERS.items():
                with closing(kind(zendesk.url, harness.tokens)) as peer:
                    rate = _per_second(peer, few if kind is OnePostPerRecord else many)
                lines.setdefault(name, []).append((latency * 1_000, rate))
    return Plot(
        "throughput-by-latency",
        "1,000 messages of 10 accounts (N: 20 of them)",
        "Zendesk's latency, ms",
        "messages per second",
        lines,
        log_x=not effort.short,
        log_y=True,
    )


def _per_second(handler: Container | Peer, batch: list[dict[str, Any]]) -> float:
    handler.run(batch)
    return len(batch) / wall_seconds(lambda: handler.run(batch))

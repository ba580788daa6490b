"""CPU: the function beside what people use instead, and beside the least that can be done."""

import math
import statistics
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Final

from zendesk_channel.addresses import ZendeskAddresses
from zendesk_channel.client import ZendeskClient
from zendesk_channel.contract import PushToken, Subdomain
from zendesk_push.bench.baseline import PEERS, Limit, OnePostPerMessageOnThreads, OnePostPerRecord, Peer
from zendesk_push.bench.figures import Chapter, Effort, Figure, Plot, Work, cpu_seconds, ratios
from zendesk_push.bench.harness import Harness, records
from zendesk_push.bench.loopback_zendesk import LoopbackZendesk

SMALL: Final = 0  # padding: a message of 300 bytes
LARGE: Final = 20_000  # of 20 KB
_BODY: Final = b'{"instance_push_id": "a", "external_resources": [{"external_id": "x"}]}'

# (messages, accounts, padding): the first version's CPU over the limit's, and what was to be reached.
_OVER_LIMIT: Final = {
    (1_000, 1, SMALL): ("5.3", "3"),
    (1_000, 10, SMALL): ("6.3", "3"),
    (1_000, 100, SMALL): ("8.9", "4"),
    (1_000, 1_000, SMALL): ("9.7", "5"),
    (280, 1, LARGE): ("1.35", "1.3"),
    (280, 10, LARGE): ("1.64", "1.5"),
    (280, 100, LARGE): ("4.1", "2.5"),
}


def cost(effort: Effort) -> Chapter:
    """CPU of the function's process; Zendesk is another process, the table and the queue are in memory."""
    chapter = Chapter(
        "CPU",
        "All threads of the process that runs the handler. Calls to AWS are made to parts in memory, so their "
        "CPU (about 1.5 ms each in Lambda) is not in here: how many there are is counted below.",
    )
    for (messages, accounts, padding), (first, target) in _OVER_LIMIT.items():
        with _Side(messages, accounts, padding) as side:
            values = ratios(side.ours, side.limit, effort.rounds)
        size = "300 B" if padding == SMALL else "20 KB"
        what = f"CPU per message over L, {messages:,} of {size}, {_accounts(accounts)}"
        chapter.figures.append(Figure(what, values, first, target))
    with _Side(500, 100, SMALL) as side:
        values = ratios(side.ours, side.one_post_per_record, effort.rounds)
    chapter.figures.append(
        Figure("CPU per message over N, 100 accounts of 5 messages each", values, "1.16", "below 1")
    )
    chapter.figures.append(_exponent(effort))
    chapter.figures += _tls(effort)
    chapter.plots += [_growth_with_messages(effort), _growth_with_accounts(effort)]
    return chapter


class _Side:
    """The function and its peers on the same records. A context manager."""

    def __init__(self, messages: int, accounts: int, padding: int = SMALL) -> None:
        names = [f"a{number}" for number in range(accounts)]
        self._batch = records(names, messages, padding=padding)
        self._harness = Harness(names)
        self._open = ExitStack()

    def __enter__(self) -> "_Side":
        url = self._open.enter_context(LoopbackZendesk()).url
        tokens = self._harness.tokens
        self._container = self._harness.container(ZendeskClient(ZendeskAddresses(url)))
        self.limit = self._bound(Limit(url, tokens, threads=1))
        self.one_post_per_record = self._bound(OnePostPerRecord(url, tokens))
        self.one_post_per_message = self._bound(OnePostPerMessageOnThreads(url, tokens))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def ours(self) -> None:
        """One invocation, in which everything is delivered."""
        if self._container.run(self._batch):
            raise RuntimeError("a message stayed on the queue")

    def _bound(self, peer: Peer) -> Work:
        self._open.callback(peer.close)
        return lambda: peer.run(self._batch)


def _exponent(effort: Effort) -> Figure:
    """How CPU grows over the last step of ten: 1 is in proportion."""
    sizes = (100, 1_000) if effort.short else (1_000, 10_000)
    values = []
    with _Side(sizes[0], 1) as few, _Side(sizes[1], 1) as many:
        few.ours()
        many.ours()
        for _ in range(effort.rounds):
            least = statistics.median(cpu_seconds(few.ours) for _ in range(3))
            values.append(math.log10(cpu_seconds(many.ours) / least))
    return Figure("handler CPU, 1,000 → 10,000 records of one account, exponent", values, "1.23", "1.05")


def _tls(effort: Effort) -> list[Figure]:
    """A thousand customers in turn, each with a connection of its own that is kept."""
    customers = 50 if effort.short else 1_000
    token = PushToken("0" * 64)
    with LoopbackZendesk(tls=True) as zendesk:
        client = ZendeskClient(ZendeskAddresses(zendesk.url), tls=zendesk.tls, resolve=zendesk.resolve)

        def every_customer() -> None:
            for customer in range(customers):
                client.push(Subdomain(f"sub{customer}"), token, _BODY, timeout=30)

        new = cpu_seconds(every_customer) / customers * 1_000
        kept = [cpu_seconds(every_customer) / customers * 1_000 for _ in range(effort.rounds)]
        connections = zendesk.connections()
    return [
        Figure("CPU of a push over TLS, 1,000 customers in a container", kept, "28-31", "2", " ms"),
        Figure("… over a new connection (the shared context)", [new], "28-31", "-", " ms"),
        Figure(
            "… connections made for all rounds, per customer", [connections / customers], "one a push", "1"
        ),
    ]


def _growth_with_messages(effort: Effort) -> Plot:
    sizes = (10, 100) if effort.short else (10, 30, 100, 300, 1_000, 3_000, 10_000)
    return _plot(effort, "messages", "one account", [(size, 1) for size in sizes], lambda size, _: size)


def _growth_with_accounts(effort: Effort) -> Plot:
    numbers = (1, 10) if effort.short else (1, 3, 10, 30, 100, 300, 1_000)
    return _plot(
        effort, "accounts", "1,000 messages", [(1_000, each) for each in numbers], lambda _, number: number
    )


def _plot(
    effort: Effort, x: str, what: str, cases: Sequence[tuple[int, int]], axis: Callable[[int, int], int]
) -> Plot:
    lines: dict[str, list[tuple[float, float]]] = {name: [] for name in ("this project", *PEERS)}
    for messages, accounts in cases:
        with _Side(messages, accounts) as side:
            handlers = [side.ours, side.one_post_per_record, side.one_post_per_message, side.limit]
            for line, handler in zip(lines.values(), handlers, strict=True):
                in_proportion = handler in handlers[1:3]
                if in_proportion and messages > 1_000:
                    continue  # it would only take its time
                handler()
                rounds = 1 if in_proportion else min(effort.rounds, 3)
                each = statistics.median(cpu_seconds(handler) for _ in range(rounds))
                line.append((axis(messages, accounts), each / messages * 1e6))
    return Plot(
        f"cpu-by-{x}", f"CPU per message, {what}", x, "µs of CPU per message", lines, log_x=True, log_y=True
    )


def _accounts(number: int) -> str:
    return "1 account" if number == 1 else f"{number:,} accounts"

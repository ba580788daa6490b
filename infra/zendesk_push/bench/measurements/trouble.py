"""What failures cost: requests where Zendesk refuses or fails, and who arrives all the same. On a simulated clock."""

import json
from typing import Final

from zendesk_push.bench.figures import Chapter, Effort, Figure
from zendesk_push.bench.simulation import Simulation
from zendesk_push.bench.traffic import Sent, message
from zendesk_push.simulator.core import ZendeskState
from zendesk_push.simulator.faults import Fault, FaultKind

_SOON: Final = 15 * 60.0  # seconds in which nearly all good messages are to arrive beside culprits
_OUTAGE: Final = 5 * 86_400.0  # longer than RetryWindowSeconds
_CULPRIT: Final = "<script>"


def trouble(effort: Effort) -> Chapter:
    """Counts, so the same in every run."""
    chapter = Chapter("Trouble", "Counts, on a simulated clock: the same in every run.")
    for bad, first in ((1, "2"), (16, "2"), (128, "2")):
        chapter.figures.append(_refused(bad, first))
    chapter.figures += [
        _four_refused_among_a_thousand(),
        _halted(),
        _old_failures_before_good(),
        _after_a_time_out(),
        _culprits("403 (the token is good)", Fault(FaultKind.FORBIDDEN, text=_CULPRIT), "0 % in 105 s"),
        _culprits("500", Fault(FaultKind.SERVER_ERROR, text=_CULPRIT), "28 % in 24 h"),
    ]
    if not effort.short:
        chapter.figures.append(_after_a_long_outage())
    return chapter


def _refused(bad: int, first: str) -> Figure:
    """256 messages of one account, some of which the schema refuses."""
    run = Simulation(["a0"])
    for number in range(1, 257):
        offends = (number - 1) % (256 // bad) == 0
        run.send(message(f"m{number}", "a0", poison={0: {"message": ""}} if offends else None))
    run.run(60)
    if len(run.dead) != bad or len(run.delivered) != 256 - bad:
        raise RuntimeError("a message was left undecided")
    what = f"{bad} of 256 refused: requests (halving as Lambda bisects: {_halving(bad)})"
    return Figure(what, [len(run.zendesk.requests)], first, first)


def _four_refused_among_a_thousand() -> Figure:
    run = Simulation(["a0"])
    for number in range(1, 1_001):
        run.send(message(f"m{number}", "a0", poison={0: {"message": ""}} if number % 250 == 0 else None))
    run.run(60)
    return Figure("4 of 1,000 refused: requests", [len(run.zendesk.requests)], "8", "8 at most")


def _halted() -> Figure:
    """128 of 256 resources cannot be processed, each with a good one behind it."""
    run = Simulation(["a0"], settings={"RETRY_BASE_DELAY_SECONDS": "900"})  # one turn
    for number in range(1, 257):
        run.send(message(f"m{number}", "a0"))
        if number % 2:
            run.zendesk.switch_on(Fault(FaultKind.PROCESSING_ERROR, external_id=f"m{number}.0"))
    run.run(60)
    sent = sum(request.resources for request in run.zendesk.requests)
    return Figure("128 processing errors in 256: resources sent over resources", [sent / 256], "34", "5")


def _old_failures_before_good() -> Figure:
    """What has failed by itself before goes apart: not in front of what is new."""
    run = Simulation(["a0"], settings={"RETRY_MAX_DELAY_SECONDS": "1", "RETRY_BASE_DELAY_SECONDS": "1"})
    for number in range(1, 31):
        run.send(message(f"m{number}", "a0"))
        run.zendesk.switch_on(Fault(FaultKind.PROCESSING_ERROR, external_id=f"m{number}.0"))
    run.run(60)
    before = len(run.zendesk.requests)
    good = [message(f"m{number}", "a0") for number in range(31, 231)]
    for sent in good:
        run.send(sent)
    run.clock.advance(2)
    run.run(1)
    if any(sent.body not in run.delivered for sent in good):
        raise RuntimeError("a good message did not arrive at once")
    requests = len(run.zendesk.requests) - before
    return Figure("30 old processing errors before 200 good messages: requests", [requests], "31", "7")


def _after_a_time_out() -> Figure:
    """A small request times out once; then 200 more messages are there."""
    run = Simulation(["a0"])
    run.zendesk.switch_on(Fault(FaultKind.HANG, count=1))
    run.send(message("m1", "a0"))
    run.run(1)
    run.clock.advance(60)  # the pause and the message's own wait are over
    for number in range(2, 202):
        run.send(message(f"m{number}", "a0"))
    run.run(900)
    if len(run.delivered) < 201:
        raise RuntimeError("a message did not arrive")
    return Figure("201 messages after one time-out: requests", [len(run.zendesk.requests)], "201", "10")


def _culprits(status: str, fault: Fault, first: str) -> Figure:
    """One message in ten fails every request that it is in, without a 400 that names it."""
    run = Simulation(["a0"])
    run.zendesk.switch_on(fault)
    good: list[Sent] = []
    for number in range(1, 251):
        sent = message(f"m{number}", "a0", text=_CULPRIT if number % 10 == 0 else "")
        run.send(sent)
        if number % 10:
            good.append(sent)
    run.run(_SOON)
    share = sum(sent.body in run.delivered for sent in good) / len(good) * 100
    return Figure(
        f"1 in 10 makes Zendesk answer {status}: good ones there in 15 min", [share], first, "95 %", " %"
    )


def _after_a_long_outage() -> Figure:
    """Zendesk is away for longer than RetryWindowSeconds, and 1,000 messages wait; then its quota is short."""
    run = Simulation(["a0"], rate_limit=20)
    outage = run.zendesk.switch_on(Fault(FaultKind.UNAVAILABLE, retry_after=3_600))
    for number in range(1, 1_001):
        run.send(message(f"m{number}", "a0", request_id=f"r{number}"))
    run.run(_OUTAGE)
    run.zendesk.switch_off(outage.id)
    run.run(86_400)
    return Figure(
        "1,000 good messages after an outage longer than the window: dead", [len(run.dead)], "744", "0"
    )


def _halving(bad: int) -> int:
    """Requests that it takes, as Lambda's own "bisect on error" does it for streams."""
    zendesk = ZendeskState(rate_limit=100_000)
    account = zendesk.create_account("sub0", instance_push_id="a0")
    resources = [
        json.loads(
            message("m1", "a0", poison={0: {"message": ""}} if number % (256 // bad) == 0 else None)
            .resources[0][1]
            .replace("1e400", "1")
        )
        for number in range(256)
    ]

    def push(part: list[object]) -> int:
        body = json.dumps({"instance_push_id": "a0", "external_resources": part}).encode()
        if zendesk.push("sub0", f"Bearer {account.token}", body).status == 200 or len(part) == 1:
            return 1
        middle = len(part) // 2
        return 1 + push(part[:middle]) + push(part[middle:])

    return push(resources)

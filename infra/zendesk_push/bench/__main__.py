"""``python -m zendesk_push.bench``: measures, prints, and writes docs/benchmarks.md when everything was measured."""

import argparse
import contextlib
import io
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from zendesk_push.bench.figures import Chapter, Effort
from zendesk_push.bench.measurements.aws_calls import aws_calls
from zendesk_push.bench.measurements.cost import cost
from zendesk_push.bench.measurements.latency import latency
from zendesk_push.bench.measurements.neighbours import neighbours
from zendesk_push.bench.measurements.odd_answers import odd_answers
from zendesk_push.bench.measurements.quota import quota
from zendesk_push.bench.measurements.throughput import throughput
from zendesk_push.bench.measurements.trouble import trouble
from zendesk_push.bench.report import write

MEASUREMENTS: Final[Mapping[str, Callable[[Effort], Chapter]]] = {
    each.__name__: each
    for each in (
        cost,
        throughput,
        latency,
        neighbours,
        quota,
        trouble,
        odd_answers,
        aws_calls,
    )
}
_DOCS: Final = Path(__file__).parents[3] / "docs"


class _Nowhere(io.TextIOBase):
    """Takes the functions' log lines as stdout does, and keeps none."""

    def write(self, text: str) -> int:
        return len(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench", description="What things cost, side by side, as ratios.")
    names = ", ".join(MEASUREMENTS)
    parser.add_argument(
        "only", nargs="*", metavar="PART", help=f"of {names} (default: all, and write the page)"
    )
    parser.add_argument("--short", action="store_true", help="show that everything runs; writes nothing")
    options = parser.parse_args(arguments)
    if unknown := set(options.only) - MEASUREMENTS.keys():
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {names}")
    effort = Effort(rounds=1, short=True) if options.short else Effort()
    begun = time.monotonic()
    chapters = []
    print(f"{'':<82} {'0.1.0':>13} {'to reach':>12} {'now':>10}  spread")
    for name, measure in MEASUREMENTS.items():
        if options.only and name not in options.only:
            continue
        chapters.append(measured(measure, effort))
        for figure in chapters[-1].figures:
            print(
                f"{figure.what:<82} {figure.first:>13} {figure.target:>12} {figure.now:>10}  {figure.spread}",
                flush=True,
            )
    seconds = time.monotonic() - begun
    print(f"\n{seconds:.0f} s")
    if not options.only and not options.short:
        write(chapters, seconds, _DOCS)
    return 0


def measured(measure: Callable[[Effort], Chapter], effort: Effort) -> Chapter:
    """One chapter; what the functions log on the way goes nowhere."""
    with contextlib.redirect_stdout(_Nowhere()):
        return measure(effort)


if __name__ == "__main__":
    sys.exit(main())

"""docs/benchmarks.md: the figures as tables, the plots beside them, and how to repeat it."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from zendesk_push.bench.figures import Chapter, Figure
from zendesk_push.bench.plots import svg

_PACKAGES: Final = ("aws-lambda-powertools", "botocore", "urllib3", "moto")
_INTRODUCTION: Final = """\
# Benchmarks

`make bench` wrote this page, in one run on one machine. What is compared was measured side by side and in turns, so a
ratio holds elsewhere too, while seconds are this machine's. No test depends on a timing; tests hold the counts, and CI
runs everything in short.

- **now** is the median of the runs, **spread** the least and the most of them. A count has no spread.
- **first version** is 0.1.0, on the same kind of machine before any of it was changed: by the audits that found it, or
  by the scenario here.
- **N** is what most people write: Powertools' batch processor, one POST a record. **E** is one request per message on
  32 threads. **L** is the limit: `json.loads` and `json.dumps` of the same bytes, one POST per 256 of an account, kept
  connections, and nothing else: no results are looked at, nothing is checked, logged or retried. All three are in
  [`baseline.py`](../infra/zendesk_push/bench/baseline.py).
"""
_END: Final = """\
## Not measured here

- AWS's own share of everything: the time of SQS and the pollers, Lambda's cold starts in its own environment, the
  answers of DynamoDB and Secrets Manager. What is counted instead is how many calls there are, and how many in series.
- Zendesk's: how long it takes for 256 resources is not published. Its latency is a parameter of the plots above.
- CPU at 512 MB: Lambda gives a function of that size about a third of a core, so a millisecond here is about three
  there. Ratios stay.

## How to repeat it

`make bench` measures everything, in about ten minutes, and writes this page; `make bench ARGS="cost quota"` measures
parts and prints them; `make bench ARGS=--short` is what CI runs. Nothing else should be running.

Cold starts are measured in Lambda's own runtime, in Docker, from `make build`'s artifacts:
`.venv/bin/python -m zendesk_push.bench.cold_start`. `make soak` runs everything real for a while, with faults, token
changes and administrators at random, by seed, and then every message must have its outcome.
"""


def page(chapters: Sequence[Chapter], seconds: float) -> str:
    """The whole page."""
    parts = [_INTRODUCTION, _machine(seconds)]
    for chapter in chapters:
        parts.append(f"## {chapter.title}\n\n{chapter.text}\n")
        parts.append(table(chapter.figures))
        parts += [f"![{plot.title}](images/bench-{plot.name}.svg)\n" for plot in chapter.plots]
    return "\n".join([*parts, _END])


def write(chapters: Sequence[Chapter], seconds: float, docs: Path) -> None:
    """The page and its pictures, below docs/."""
    for chapter in chapters:
        for plot in chapter.plots:
            (docs / "images" / f"bench-{plot.name}.svg").write_text(svg(plot))
    (docs / "benchmarks.md").write_text(page(chapters, seconds))


def table(figures: Sequence[Figure]) -> str:
    """Markdown."""
    lines = ["| figure | first version | to reach | now | spread |", "|---|---|---|---|---|"]
    lines += [
        f"| {each.what} | {each.first} | {each.target} | **{each.now}** | {each.spread} |" for each in figures
    ]
    return "\n".join([*lines, ""])


def _machine(seconds: float) -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {_processor()}, {os.cpu_count()} cores, {platform.system()}, "
        f"Python {platform.python_version()}, {packages}; {seconds / 60:.0f} minutes.\n"
    )


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()

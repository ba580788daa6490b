"""What a benchmark says: figures with their spread, beside the first version's and the target; and plots."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

Work = Callable[[], object]


@dataclass(frozen=True)
class Effort:
    """How much is measured: ``rounds`` of what is timed; ``short`` only shows that everything still runs."""

    rounds: int = 7
    short: bool = False


@dataclass(frozen=True)
class Figure:
    """One row: a value of each run, or a count, which is the same every time.

    ``first`` is the first version's figure as it was measured then, ``target`` what was to be reached.
    """

    what: str
    values: Sequence[float]
    first: str = "-"
    target: str = "-"
    unit: str = ""

    @property
    def now(self) -> str:
        """The median."""
        return number(statistics.median(self.values)) + self.unit

    @property
    def spread(self) -> str:
        """From the least to the most."""
        least, most = number(min(self.values)), number(max(self.values))
        return "" if least == most else f"{least}-{most}"


@dataclass(frozen=True)
class Plot:
    """Lines over one axis; ``name`` is the file's."""

    name: str
    title: str
    x: str
    y: str
    lines: Mapping[str, Sequence[tuple[float, float]]]
    log_x: bool = False
    log_y: bool = False


@dataclass
class Chapter:
    """Figures and plots of one subject, and what a reader must know about them."""

    title: str
    text: str = ""
    figures: list[Figure] = field(default_factory=list)
    plots: list[Plot] = field(default_factory=list)


def cpu_seconds(work: Work) -> float:
    """CPU of all threads of this process."""
    return _measured(work, time.process_time)


def wall_seconds(work: Work) -> float:
    """Time that passes."""
    return _measured(work, time.perf_counter)


def ratios(
    ours: Work, theirs: Work, rounds: int, measure: Callable[[Work], float] = cpu_seconds
) -> list[float]:
    """Ours over theirs, in turns, so that whatever else the machine does hits both alike."""
    ours()
    theirs()
    return [measure(ours) / measure(theirs) for _ in range(rounds)]


def number(value: float) -> str:
    """With as many digits as mean something."""
    if value == round(value):
        return f"{round(value):,}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _measured(work: Work, clock: Callable[[], float]) -> float:
    gc.collect()
    begun = clock()
    work()
    return clock() - begun

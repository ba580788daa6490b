"""``python -m zendesk_push.bench``: every measurement, one line each."""

import argparse
import platform
import sys
import time
from collections.abc import Sequence

from zendesk_push.bench.measurements import ALL


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench", description="What things cost, side by side, as ratios.")
    names = [measure.__name__ for measure in ALL]
    parser.add_argument("only", nargs="*", choices=[*names, []], help=f"of {', '.join(names)} (default: all)")
    options = parser.parse_args(arguments)
    begun = time.monotonic()
    print(f"Python {platform.python_version()}, {platform.machine()}\n")
    print(f"{'':<58} {'here':>10} {'baseline':>10} {'ratio':>8}")
    for measure in ALL:
        if options.only and measure.__name__ not in options.only:
            continue
        for row in measure():
            ratio = "" if row.ratio is None else f"{row.ratio:>7.1f}x"
            print(f"{row.what:<58} {row.ours:>10} {row.baseline:>10} {ratio:>8}", flush=True)
    print(f"\n{time.monotonic() - begun:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())

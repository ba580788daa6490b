"""``python -m zendesk_push.simulator``: the simulated Zendesk on its own, until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import threading

from zendesk_push.simulator.server import Simulator


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m zendesk_push.simulator", description="A simulated Zendesk."
    )
    parser.add_argument("--port", type=int, default=0, help="0 (the default) picks a free one")
    parser.add_argument("--bind", default="127.0.0.1", metavar="ADDRESS", help="default: %(default)s")
    parser.add_argument(
        "--manifest-url", help="the integration's manifest; without it no account can be added"
    )
    options = parser.parse_args(arguments)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        simulator = Simulator(manifest_url=options.manifest_url, host=options.bind, port=options.port)
    except (OSError, OverflowError) as error:
        # A port beyond 65,535 is an OverflowError, with a text of its own.
        parser.error(f"can't listen on {options.bind}:{options.port}: {getattr(error, 'strerror', error)}")
    with simulator:
        print(f"Simulated Zendesk: {simulator.url}  (Ctrl-C stops it)", flush=True)
        stopped.wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

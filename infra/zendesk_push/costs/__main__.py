"""``make costs``: writes the tables into docs/deployment.md; with figures of one's own, prints that month."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import fields

from zendesk_push.costs.model import Traffic
from zendesk_push.costs.prices import NOTED
from zendesk_push.costs.tables import GUIDE, by_stack, written


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or print."""
    parser = argparse.ArgumentParser(
        prog="costs",
        description="What a stack costs a month. Without options: writes the tables into docs/deployment.md.",
    )
    for field in fields(Traffic):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=float, help=f"default: {field.default}")
    given = {name: value for name, value in vars(parser.parse_args(arguments)).items() if value is not None}
    if any(value <= 0 for value in given.values()):
        parser.error("figures are above 0")
    if not given:
        GUIDE.write_text(written(GUIDE.read_text("utf-8")), "utf-8")
        print(f"wrote the tables of {GUIDE}, prices of {NOTED}")
        return 0
    if not {"messages", "accounts"} <= given.keys():
        parser.error("--messages and --accounts are needed")
    print(f"us-east-1, list prices of {NOTED}\n")
    print(by_stack({"this stack": Traffic(**given)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())

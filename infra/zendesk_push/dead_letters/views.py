"""How dead letters are shown: counted in a table, or one by one."""

from collections import defaultdict
from typing import Final

from zendesk_push.dead_letters.dead_letter import ReceivedDeadLetter, without_schemas
from zendesk_push.terminal import Column, duration, printable, table

_EXPLANATION_SHOWN: Final = 200  # characters, in the list
_IDS_SHOWN: Final = 3


def summary(letters: list[ReceivedDeadLetter], now: float) -> str:
    """A table that counts dead letters, which are in the order of their age, by reason and account at ``now``."""
    groups: dict[tuple[str, str, str], list[ReceivedDeadLetter]] = defaultdict(list)
    for letter in letters:
        groups[letter.reason, letter.account or "-", letter.subdomain or "-"].append(letter)
    rows = [
        [
            f"{len(group):,}",
            reason,
            account,
            subdomain,
            duration(now - group[0].dead_since),
            duration(now - group[-1].dead_since),
        ]
        for (reason, account, subdomain), group in sorted(
            groups.items(), key=lambda entry: (-len(entry[1]), entry[0])
        )
    ]
    if len(groups) > 1:
        rows.append([f"{len(letters):,}", "in all"])
    columns = [
        Column("COUNT", right=True),
        Column("REASON"),
        Column("ACCOUNT"),
        Column("SUBDOMAIN", least=9),
        Column("OLDEST"),
        Column("NEWEST"),
    ]
    return table(columns, rows)


def print_short(letter: ReceivedDeadLetter, now: float) -> None:
    """A letter in a few lines, at ``now`` (epoch seconds)."""
    dead_for = f"dead for {duration(now - letter.dead_since)}"
    print(printable(f"{letter.message_id}  {letter.reason}  {letter.account or '-'}  {dead_for}"))
    if letter.external_ids:
        more = len(letter.external_ids) - _IDS_SHOWN
        shown = ", ".join(letter.external_ids[:_IDS_SHOWN]) + (f" and {more} more" if more > 0 else "")
        print(printable(f"    {shown}"))
    if letter.explanation:
        explanation = " ".join(without_schemas(letter.explanation).split())
        cut = explanation[:_EXPLANATION_SHOWN] + ("..." if len(explanation) > _EXPLANATION_SHOWN else "")
        print(printable(f"    {cut}"))

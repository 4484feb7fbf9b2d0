"""What learning has found, and what it cannot find."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from local.access.learner import Learner
from rekey.known import Item


def print_report(console: Console, learner: Learner, now: int, written: int | None) -> None:
    """``written`` are items in the table; None if nothing was to be."""
    learned, secrets = learner.learned, learner.of_kind("secret")
    table = Table(title="What was looked up")
    table.add_column("call")
    table.add_column("records", justify="right")
    for name, count in sorted(learned.events.items()):
        table.add_row(Text(name), str(count))
    console.print(table)
    read = [item for item in secrets if "first" in item.minima]
    settled = sum(_settled(item, now, learner.thresholds.learning) for item in read)
    days = learner.thresholds.learning // 86_400
    console.print(
        f"Secrets that were read: {len(read)}, of which {settled} for {days} days or more: "
        "a new reader of those is told from now on."
    )
    readers = len(learner.of_kind("reader"))
    console.print(f"Principals: {len(learned.principals)}. Pairs of reader and secret: {readers}.")
    for line in _limits(learner):
        console.print(line)
    done = "Nothing was written." if written is None else f"Items written: {written}."
    console.print(f"{done} Nobody was told anything.")


def _settled(item: Item, now: int, learning: int) -> bool:
    return now - item.minima["first"] >= learning


def _limits(learner: Learner) -> Iterator[str]:
    learned = learner.learned
    if "Decrypt" not in learned.events:
        yield "Versions are known only where the caller named one: uses of keys were not looked up."
    if learned.unlisted:
        yield f"Secrets that do not exist any more, or not here: {len(learned.unlisted)}."
    for reason, count in sorted(learned.refused.items()):
        yield f"Records that were not understood ({reason}): {count}."
    yield (
        "Whoever has read a secret already counts as usual from now on, a thief too. Earlier "
        "than CloudTrail's records nothing is known."
    )

"""Arguments that both commands take."""

import argparse
from datetime import UTC, datetime


def add_stack(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stack", default="rekey", help="name of the deployed stack (rekey)")


def day(text: str) -> int:
    """Return when a day begins (epoch)."""
    try:
        return int(datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp())
    except ValueError:
        raise argparse.ArgumentTypeError("must be a date like 2026-11-30") from None

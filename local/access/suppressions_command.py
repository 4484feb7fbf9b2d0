"""`make suppressions`: what people have decided not to be told about, for a time, and why.

Ends with 0 when done, and with 2 if it could not be.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from local.access.arguments import add_stack, day
from local.access.stack import StackNotFoundError, stack
from local.access.suppression_request import (
    SUPPRESSIBLE,
    SuppressionRefusedError,
    SuppressionRequest,
)
from rekey.access.suppression import EVERYTHING, Suppression, hidden_key, parsed
from rekey.aws.access_state import AccessState
from rekey.aws.suppressions import Suppressions
from rekey.errors import RekeyError
from rekey.known import DAY, FULL, Item, Key

FAILED = 2
COLUMNS = ("name", "owner", "until", "principal", "secret", "kinds", "hidden", "reason")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True)
    add = actions.add_parser("add", help="not to be told of something, for a time")
    add.add_argument("name", help="what to call it")
    add.add_argument("--owner", required=True, help="who answers for it")
    add.add_argument("--reason", required=True, help="why it is meant")
    end = add.add_mutually_exclusive_group(required=True)
    end.add_argument("--until", type=day, metavar="DATE", help="its end (2026-11-30, UTC)")
    end.add_argument("--days", type=int, help="or for so many days from now")
    add.add_argument("--principal", default=EVERYTHING, help="who; may hold * (everybody)")
    add.add_argument("--secret", default=EVERYTHING, help="ARN; may hold * (every secret)")
    add.add_argument(
        "--kind", action="append", default=[], help=f"which signals: {', '.join(SUPPRESSIBLE)}"
    )
    add.set_defaults(act=_add)
    listing = actions.add_parser("list", help="those in force, and those that have ended lately")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(act=_list)
    remove = actions.add_parser("remove", help="be told again")
    remove.add_argument("name")
    remove.set_defaults(act=_remove)
    for action in (add, listing, remove):
        add_stack(action)


def suppressions(options: argparse.Namespace) -> int:
    act: Callable[[argparse.Namespace], None] = options.act
    try:
        act(options)
    except (
        BotoCoreError,
        ClientError,
        RekeyError,
        StackNotFoundError,
        SuppressionRefusedError,
    ) as error:
        print(f"suppressions: {error}", file=sys.stderr)
        return FAILED
    return 0


def _open(options: argparse.Namespace) -> tuple[Suppressions, AccessState]:
    session = boto3.Session()
    table, client = stack(session, options.stack).table, session.client("dynamodb")
    return Suppressions(client, table), AccessState(client, table)


def _add(options: argparse.Namespace) -> None:
    now = int(time.time())
    end = options.until or now + options.days * DAY
    asked = SuppressionRequest(
        options.name,
        options.owner,
        options.reason,
        end,
        options.principal,
        options.secret,
        tuple(options.kind),
    )
    document = asked.document(now)
    kept, _ = _open(options)
    if not kept.add(asked.name, document, asked.kept):
        raise SuppressionRefusedError(
            f"There is a suppression {asked.name}. Remove it first, or take another name."
        )
    print(f"Added {asked.name}, until {_day(end)} UTC. It counts within ten minutes.")


def _remove(options: argparse.Namespace) -> None:
    kept, _ = _open(options)
    if not kept.remove(options.name):
        raise SuppressionRefusedError(
            f'There is no suppression {options.name}: OPTIONS="list" names those that there are.'
        )
    print(f"Removed {options.name}. What it has hidden is told from now on, within ten minutes.")


def _list(options: argparse.Namespace) -> None:
    kept, state = _open(options)
    found = sorted((parsed(one) for one in kept.documents()), key=lambda one: one.expires)
    counts = state.load([hidden_key(one.name) for one in found])
    if options.json:
        print(json.dumps([_object(one, counts) for one in found], indent=2))
    else:
        _print(Console(), found, counts)


def _print(console: Console, found: Sequence[Suppression], counts: Mapping[Key, Item]) -> None:
    if not found:
        console.print("Nothing is suppressed.")
        return
    table = Table(title="Suppressions")
    for heading in COLUMNS:
        table.add_column(heading, overflow="fold")
    for one in found:
        cells = _object(one, counts)
        over = one.expires <= time.time()
        cells |= {"until": f"{cells['until']} (over)"} if over else {}
        style = "dim" if over else ""
        table.add_row(*(Text(str(cells[name]), style) for name in COLUMNS))
    console.print(table)


def _object(one: Suppression, counts: Mapping[Key, Item]) -> dict[str, Any]:
    return {
        "name": one.name,
        "owner": one.owner,
        "until": _day(one.expires),
        "principal": one.principal,
        "secret": one.secret,
        "kinds": ", ".join(sorted(one.kinds)) or "every kind",
        "hidden": _hidden(counts.get(hidden_key(one.name))),
        "reason": one.reason,
    }


def _hidden(item: Item | None) -> str:
    if item is None:
        return "nothing"
    more = " or more" if FULL in item.members("flags") else ""
    return f"{len(item.members('marks'))}{more}, last {_day(item.maxima['last'])}"


def _day(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d") if at else "never counts"

"""`make seed-access`: the past of a stack that has just been installed.

Ends with 0 when all is learned, and with 2 if it stopped; then the same command goes on.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from local.access.arguments import add_stack, day
from local.access.bookmark import Bookmark, OvertakenError, Span
from local.access.event_history import PATIENT, EventHistory
from local.access.learner import Learner
from local.access.log_files import LogFiles
from local.access.notebook import Notebook
from local.access.report import print_report
from local.access.seed import CALLS, DECRYPT, Found, Seed
from local.access.stack import Stack, StackNotFoundError, stack
from rekey.access.thresholds import Thresholds
from rekey.aws.access_state import AccessState
from rekey.errors import RekeyError
from rekey.known import DAY

FAILED, INTERRUPTED = 2, 130
HISTORY_DAYS = 90


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_stack(parser)
    parser.add_argument("--days", type=_days, default=HISTORY_DAYS, help="days back (90, the most)")
    parser.add_argument(
        "--until", type=day, metavar="DATE", help="only what was before that day (2026-11-30, UTC)"
    )
    parser.add_argument(
        "--decryptions", action="store_true", help="look uses of keys up too: may take days"
    )
    parser.add_argument(
        "--log-files", type=_folder, metavar="FOLDER", help="read a trail's *.json.gz instead"
    )
    parser.add_argument("--again", action="store_true", help="from the beginning, not on")
    parser.add_argument("--dry-run", action="store_true", help="write nothing")


def _days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= HISTORY_DAYS:
        raise argparse.ArgumentTypeError(
            f"must be 1 to {HISTORY_DAYS}, as long as CloudTrail keeps"
        )
    return int(text)


def _folder(text: str) -> Path:
    folder = Path(text)
    if not folder.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {text}: copy the trail's files there")
    return folder


def seed(options: argparse.Namespace) -> int:
    console = Console()
    try:
        _seed(options, console)
    except (BotoCoreError, ClientError, RekeyError, StackNotFoundError, OvertakenError) as error:
        print(f"seed-access: {error}", file=sys.stderr)
        print("What was written is kept. The same command goes on from there.", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("Stopped. The same command goes on from what was written.", file=sys.stderr)
        return INTERRUPTED
    return 0


def _seed(options: argparse.Namespace, console: Console) -> None:
    session, now = boto3.Session(), int(time.time())
    about = stack(session, options.stack)
    table = None if options.dry_run else AccessState(session.client("dynamodb"), about.table)
    bookmark = Bookmark(None if options.log_files else table)
    span = _span(options, now)
    left = bookmark.unfinished(span)
    span = span if options.again or left is None else left
    learner = Learner(
        Notebook(table, now), _listed(session), about.ours, Thresholds(learning=about.learning)
    )
    records = _records(options, session, about, span)
    written = _with_progress(Seed(learner, bookmark, span, now), records, console)
    print_report(console, learner, now, None if options.dry_run else written)


def _span(options: argparse.Namespace, now: int) -> Span:
    with_keys = options.decryptions or options.log_files
    calls = (*CALLS, DECRYPT) if with_keys else CALLS
    since, until = now - options.days * DAY, min(options.until or now, now)
    return Span(since, max(since, until), calls)


def _listed(session: boto3.Session) -> frozenset[str]:
    """Return the secrets that there are: a record may name one by its name alone."""
    pages = session.client("secretsmanager").get_paginator("list_secrets")
    return frozenset(
        entry["ARN"]
        for page in pages.paginate(IncludePlannedDeletion=True)
        for entry in page["SecretList"]
    )


def _records(
    options: argparse.Namespace, session: boto3.Session, about: Stack, span: Span
) -> Found:
    if options.log_files:
        return _files(LogFiles(options.log_files, about.account, about.region), span)
    history = EventHistory(session.client("cloudtrail", config=PATIENT))
    return history.records(span.calls, span.since, span.until)


def _files(files: LogFiles, span: Span) -> Iterator[tuple[int, Mapping[str, Any]]]:
    yield from files.records(span.calls, span.since, span.until)
    for path in files.unreadable:
        print(f"seed-access: not a log file of CloudTrail: {path}", file=sys.stderr)


def _with_progress(seeding: Seed, records: Found, console: Console) -> int:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    span = seeding.span
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("now", total=span.until - span.since)

        def reached(at: int) -> None:
            day = time.strftime("back to %Y-%m-%d", time.gmtime(at))
            progress.update(task, completed=span.until - at, description=day)

        return seeding.run(records, reached)

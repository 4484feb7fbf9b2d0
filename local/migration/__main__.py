"""`make migration-report`: what would happen to each secret that is moved to Rekey.

Ends with 0 if nothing was found that would stop one, with 1 if something was, and with 2 if the
account could not be looked at.
"""

import argparse
import ssl
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from local.migration.account import Account
from local.migration.databases import Databases
from local.migration.judgement import Verdict, judge
from local.migration.report import as_json, print_report
from rekey.engines.tls import verified_context
from rekey.errors import RekeyError

FAILED = 2


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make migration-report",
        description="What would happen to each secret that is moved to Rekey. Changes nothing.",
    )
    parser.add_argument(
        "prefix", nargs="*", help="only secrets whose name begins so; otherwise all"
    )
    parser.add_argument("--stack", default="rekey", help="name of the deployed stack (rekey)")
    parser.add_argument(
        "--read-values", action="store_true", help="read AWSCURRENT and superuser secrets"
    )
    parser.add_argument(
        "--connect", action="store_true", help="log in to the databases too, and only read there"
    )
    parser.add_argument(
        "--ca-file", type=Path, help="certificates to trust besides those of RDS and the system"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args(given)


def verdicts(options: argparse.Namespace) -> list[Verdict]:
    """Look at the account of the ordinary AWS environment, and judge each secret."""
    account = Account(boto3.Session(), read_values=options.read_values or options.connect)
    databases = Databases(_trusted(options.ca_file)) if options.connect else None
    stack = account.stack(options.stack)
    return [
        judge(replace(s, database=databases.look(s)) if databases else s, stack)
        for s in account.secrets(stack, options.prefix)
    ]


def _trusted(ca_file: Path | None) -> Callable[[], ssl.SSLContext]:
    def context() -> ssl.SSLContext:
        trusted = verified_context()
        if ca_file is not None:
            trusted.load_verify_locations(cafile=ca_file)
        return trusted

    return context


def main(given: Sequence[str] | None = None) -> int:
    options = arguments(given)
    try:
        found = verdicts(options)
    except (BotoCoreError, ClientError, RekeyError) as error:
        print(f"migration-report: {error}", file=sys.stderr)
        return FAILED
    if options.json:
        print(as_json(found))
    else:
        print_report(Console(), found)
    return 0 if all(verdict.could_move for verdict in found) else 1


if __name__ == "__main__":
    sys.exit(main())

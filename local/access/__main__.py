"""`make seed-access` and `make suppressions`."""

import argparse
import sys
from collections.abc import Sequence

from local.access import seed_command, suppressions_command


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.access")
    commands = parser.add_subparsers(required=True)
    seed = commands.add_parser(
        "seed",
        prog="make seed-access",
        description="Learn who reads the secrets from CloudTrail's past. Tells nobody anything.",
    )
    seed_command.add_arguments(seed)
    seed.set_defaults(run=seed_command.seed)
    suppressions = commands.add_parser(
        "suppressions",
        prog="make suppressions",
        description="What people have decided not to be told about, for a time, and why.",
    )
    suppressions_command.add_arguments(suppressions)
    suppressions.set_defaults(run=suppressions_command.suppressions)
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    options = arguments(given)
    done: int = options.run(options)
    return done


if __name__ == "__main__":
    sys.exit(main())

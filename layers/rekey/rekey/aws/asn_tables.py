"""The table of autonomous systems in a layer of the operator's: every file in one folder."""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from rekey.aws.invocation import NAMESPACE
from rekey.errors import InvalidConfiguration

Lookup = Callable[[str], int | None]
Files = Iterator[tuple[str, Iterator[str]]]
FOLDER = Path(__file__).resolve().parents[3] / "asn"
"""``/opt/asn`` on AWS: this package lies in ``/opt/python/rekey``, and all layers in ``/opt``."""
NAMES = ("*.csv", "*.tsv", "*.csv.gz", "*.tsv.gz")


def unknown(_: str) -> int | None:
    """Know no autonomous system: networks are then ranges of addresses."""
    return None


def asns(parse: Callable[[Files], Lookup], *, configured: bool, folder: Path = FOLDER) -> Lookup:
    """Return the look-up that ``parse`` makes of the folder's files; ``unknown`` if there is none.

    A table that cannot be used is said in the log and counted, and the watch goes on without.
    """
    if not configured:
        return unknown
    try:
        return parse(_files(folder))
    except (InvalidConfiguration, OSError, EOFError, UnicodeDecodeError) as error:
        reason = {"outcome": type(error).__name__, "reason": str(error)}
        Logger().warning("asn table", extra=reason)
        with single_metric("AsnTablesUnusable", MetricUnit.Count, 1, namespace=NAMESPACE):
            return unknown


def _files(folder: Path) -> Files:
    for path in sorted(path for name in NAMES for path in folder.glob(name)):
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8") as lines:
            yield path.name, iter(lines)

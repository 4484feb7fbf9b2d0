"""Which autonomous system an address belongs to, by a table that the operator has.

A line is `network,number` or `first,last,number`, with commas or tabs, and may go on: so are the
CSV files of GeoLite2 ASN (which begin with a header) and the TSV files of iptoasn.com. An address
that no line covers, or that belongs to the number 0, has no system.
"""

import socket
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rekey.access.network import Asns
from rekey.errors import InvalidConfiguration

BITS = {socket.AF_INET: 32, socket.AF_INET6: 128}
Range = tuple[int, int, int]
"""The first and the last address, and the system's number."""


@dataclass(frozen=True, eq=False)
class Ranges:
    """Ranges that do not overlap, in order."""

    firsts: Sequence[int]
    lasts: Sequence[int]
    numbers: Sequence[int]

    def find(self, address: int) -> int | None:
        """Return the number of the range that holds the address."""
        place = bisect_right(self.firsts, address) - 1
        if place < 0 or self.lasts[place] < address:
            return None
        return self.numbers[place]


@dataclass(frozen=True, eq=False)
class AsnTable:
    """The addresses of both versions of IP."""

    v4: Ranges
    v6: Ranges

    def asn_of(self, address: str) -> int | None:
        """See Asns."""
        family = _family(address)
        ranges = self.v4 if family is socket.AF_INET else self.v6
        return ranges.find(int.from_bytes(socket.inet_pton(family, address)))


def asn_lookup(files: Iterable[tuple[str, Iterable[str]]]) -> Asns:
    """Return the look-up in the table of these files. Raises InvalidConfiguration."""
    return asn_table(files).asn_of


def asn_table(files: Iterable[tuple[str, Iterable[str]]]) -> AsnTable:
    """Return the table in these files, given by name. Raises InvalidConfiguration."""
    found: dict[socket.AddressFamily, list[Range]] = {family: [] for family in BITS}
    for name, lines in files:
        for family, range_ in _parsed(name, lines):
            if range_[2]:
                found[family].append(range_)
    v4, v6 = (sorted(found[family]) for family in BITS)
    if not v4 and not v6:
        raise InvalidConfiguration("The table of autonomous systems is empty (AsnTableLayerArn).")
    # Addresses of IPv6 are too long for an array.
    return AsnTable(_ranges(v4, array("Q")), _ranges(v6, []))


def _parsed(name: str, lines: Iterable[str]) -> Iterator[tuple[socket.AddressFamily, Range]]:
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        try:
            yield _range(text)
        except (ValueError, IndexError, OSError):
            if number > 1:  # The first may be a header.
                raise InvalidConfiguration(
                    f"{name}, line {number}: no range and number (AsnTableLayerArn)."
                ) from None


def _range(text: str) -> tuple[socket.AddressFamily, Range]:
    parts = [part.strip().strip('"') for part in text.replace("\t", ",").split(",", 3)]
    family = _family(parts[0])
    if "/" in parts[0]:
        name, _, length = parts[0].partition("/")
        first, hosts = _number(family, name), BITS[family] - int(length)
        last, number = first | ((1 << hosts) - 1), parts[1]
    else:
        first, last, number = _number(family, parts[0]), _number(family, parts[1]), parts[2]
    if last < first:
        raise ValueError
    return family, (first, last, int(number.upper().removeprefix("AS")))


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _number(family: socket.AddressFamily, address: str) -> int:
    return int.from_bytes(socket.inet_pton(family, address))


def _ranges(ordered: list[Range], kind: "array[int] | list[int]") -> Ranges:
    for (_, last, _), (first, _, _) in pairwise(ordered):
        if first <= last:
            raise InvalidConfiguration(
                "Ranges of the table of autonomous systems overlap (AsnTableLayerArn)."
            )
    columns = [kind[:] for _ in range(3)]
    for range_ in ordered:
        for column, value in zip(columns, range_, strict=True):
            column.append(value)
    return Ranges(*columns)

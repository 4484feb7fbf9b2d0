"""Which autonomous system an address belongs to, by the tables that people have."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekey.access.asn import AsnTable, asn_lookup, asn_table
from rekey.access.network import network
from rekey.access.signal import SignalKind
from rekey.aws.asn_tables import Lookup, asns, unknown
from rekey.errors import InvalidConfiguration
from tests.access.records import MORNING, record, stamp
from tests.access.world import LONG_AGO, World

GEOLITE2 = [
    "network,autonomous_system_number,autonomous_system_organization",
    '52.95.110.0/24,16509,"AMAZON-02, Inc."',
    "203.0.113.0/25,64500,X",
    "2a05:d018::/32,16509,AMAZON-02",
]
IPTOASN = [
    "52.95.110.0\t52.95.110.255\t16509\tUS\tAMAZON-02",
    "198.51.100.0\t198.51.100.255\t0\tNone\tNot routed",
    "203.0.113.0\t203.0.113.127\t64500\tDE\tX",
    "2a05:d018::\t2a05:d018:ffff:ffff:ffff:ffff:ffff:ffff\t16509\tIE\tAMAZON-02",
]


def table(*lines: str) -> AsnTable:
    return asn_table([("t.csv", lines)])


@pytest.mark.parametrize("lines", [GEOLITE2, IPTOASN], ids=["network", "first and last"])
@pytest.mark.parametrize(
    ("address", "asn"),
    [
        ("52.95.110.0", 16509),
        ("52.95.110.255", 16509),
        ("52.95.109.255", None),
        ("52.95.111.0", None),
        ("203.0.113.127", 64500),
        ("203.0.113.128", None),
        ("198.51.100.7", None),
        ("1.1.1.1", None),
        ("2a05:d018:1::7", 16509),
        ("2a05:d019::", None),
        ("::1", None),
    ],
)
def test_an_address_has_the_number_of_the_range_that_holds_it(
    lines: list[str], address: str, asn: int | None
) -> None:
    assert table(*lines).asn_of(address) == asn


@given(st.data())
def test_every_address_is_found_where_a_search_from_the_start_finds_it(data: st.DataObject) -> None:
    edges = data.draw(st.lists(st.integers(0, 2**32 - 1), min_size=2, max_size=20, unique=True))
    edges.sort()
    ranges = list(zip(edges[::2], edges[1::2], strict=False))
    lines = [f"{ip_address(a)},{ip_address(b)},{n}" for n, (a, b) in enumerate(ranges, 1)]
    address = data.draw(st.sampled_from(edges) | st.integers(0, 2**32 - 1))
    expected = next((n for n, (a, b) in enumerate(ranges, 1) if a <= address <= b), None)
    assert table(*lines).asn_of(str(ip_address(address))) == expected


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["52.95.110.0/24,16509", "nonsense"], "t.csv, line 2"),
        (["52.95.110.0/24,16509", "52.95.111.0/24"], "t.csv, line 2"),
        (["52.95.110.0/24,16509", "52.95.111.0/240,7"], "t.csv, line 2"),
        (["52.95.110.0/24,16509", "52.95.112.9,52.95.112.1,7"], "t.csv, line 2"),
        (["52.95.110.0/24,16509", "52.95.110.128/25,7"], "overlap"),
        (["network,asn"], "empty"),
        ([], "empty"),
    ],
)
def test_a_bad_table_says_where_it_is_bad(lines: list[str], said: str) -> None:
    with pytest.raises(InvalidConfiguration, match=said):
        table(*lines)


def look_up(folder: Path) -> Lookup:
    return asns(asn_lookup, configured=True, folder=folder)


def test_all_files_of_the_folder_are_one_table_also_packed_ones(tmp_path: Path) -> None:
    (tmp_path / "v4.csv").write_text("network,asn\n52.95.110.0/24,1\n")
    (tmp_path / "README").write_text("nonsense")
    with gzip.open(tmp_path / "v6.tsv.gz", "wt") as packed:
        packed.write("2a05::\t2a05::ff\tAS2\n")
    found = look_up(tmp_path)
    assert (found("52.95.110.7"), found("2a05::1"), found("9.9.9.9")) == (1, 2, None)


@pytest.mark.parametrize("content", [None, b"a\nb\n", b"\x1f\x8b cut off", b"\xff\xfe\n"])
def test_a_table_that_cannot_be_used_is_said_and_the_watch_goes_on(
    tmp_path: Path,
    content: bytes | None,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    if content is not None:
        (tmp_path / "t.csv").write_bytes(content)
        (tmp_path / "t.csv.gz").write_bytes(content)
    found = look_up(tmp_path)
    assert found is unknown
    assert network("52.95.110.1", "", found).key == "net:52.95.110.0/24"
    (logged,) = [vars(one) for one in caplog.records]
    assert logged["reason"]
    (metric,) = [
        json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line
    ]
    assert metric["AsnTablesUnusable"] == [1.0]


def test_without_a_table_nothing_is_read_and_nothing_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def parse(_: Iterator[object]) -> Lookup:
        raise AssertionError

    assert asns(parse, configured=False) is unknown
    assert caplog.records == []


def test_the_day_that_a_table_comes_no_network_is_new_that_was_known_before() -> None:
    world = World()
    for hour in range(24 * 7):
        world.learn(record(eventTime=stamp(LONG_AGO + hour * 3600), sourceIPAddress="52.95.110.1"))
    world.asn_of = table(*GEOLITE2).asn_of
    same = record(eventTime=stamp(MORNING), sourceIPAddress="52.95.110.200")
    assert world.see(same) == []
    elsewhere = record(eventTime=stamp(MORNING), sourceIPAddress="203.0.113.9")
    (signal,) = world.see(elsewhere)
    assert signal.kind is SignalKind.NEW_NETWORK
    assert signal.observed == "as:64500 (203.0.113.9)"

"""Where a call came from, as far as it can be believed.

An address that arrives through a VPC endpoint is whatever the owner of that VPC likes, private or
not: only the endpoint's id says where it came from.

Source: CloudTrail user guide, "sourceIPAddress" and "vpcEndpointId".
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum, unique
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

BITS_V4, BITS_V6 = 24, 48
MAX_KEY = 128
# Python's own notion counts ranges for documentation in, which records with changed addresses use.
PRIVATE = tuple(
    ip_network(text)
    for text in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"),
        *("169.254.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10", "::1/128"),
    )
)
Asns = Callable[[str], int | None]
"""The number of the autonomous system that an address belongs to, from a table of the operator."""


@unique
class NetworkKind(StrEnum):
    PUBLIC = "public"
    ENDPOINT = "endpoint"
    PRIVATE = "private"  # without an endpoint: believed by nobody
    SERVICE = "service"
    INTERNAL = "internal"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Network:
    """``key`` is what is compared; the address itself is for people to read.

    ``once`` is the key that it had before there was a table of autonomous systems.
    """

    kind: NetworkKind
    key: str
    address: str = ""
    once: str = ""


def no_asns(_: str) -> int | None:
    """Know no autonomous system: networks are then ranges of addresses."""
    return None


@lru_cache(maxsize=8192)
def network(source: str, endpoint: str = "", asn_of: Asns = no_asns) -> Network:
    """Return where ``sourceIPAddress`` and ``vpcEndpointId`` say that a call came from."""
    if endpoint:
        return Network(NetworkKind.ENDPOINT, f"endpoint:{endpoint}"[:MAX_KEY], source)
    if source == "AWS Internal":
        return Network(NetworkKind.INTERNAL, "aws-internal", source)
    try:
        address = ip_address(source)
    except ValueError:
        return _named(source)
    return _addressed(address, asn_of)


def _named(source: str) -> Network:
    if source.endswith((".amazonaws.com", ".amazonaws.com.cn", ".aws.internal")):
        return Network(NetworkKind.SERVICE, f"service:{source}"[:MAX_KEY], source)
    return Network(NetworkKind.UNKNOWN, "unknown", source)


def _addressed(address: IPv4Address | IPv6Address, asn_of: Asns) -> Network:
    address = getattr(address, "ipv4_mapped", None) or address
    bits = BITS_V4 if address.version == 4 else BITS_V6  # noqa: PLR2004 - of IP
    range_ = str(ip_network((address, bits), strict=False))
    if any(address in private for private in PRIVATE if private.version == address.version):
        return Network(NetworkKind.PRIVATE, f"private:{range_}", str(address))
    asn, key = asn_of(str(address)), f"net:{range_}"
    if asn is None:
        return Network(NetworkKind.PUBLIC, key, str(address))
    return Network(NetworkKind.PUBLIC, f"as:{asn}", str(address), once=key)

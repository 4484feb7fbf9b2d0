"""With what a call was made: a family of tools and where it runs, never a version.

A version in the name would make every deployment look new. The string is the caller's own: it
can say anything, so it only ever adds to what else is known.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

FAMILIES = (
    # The first that is found counts, so wrappers stand before the libraries that they carry.
    ("cloudshell", "cloudshell"),
    ("terraform", "terraform"),
    ("pulumi", "pulumi"),
    ("vault", "vault"),
    ("external-secrets", "external-secrets"),
    ("secrets-store-csi", "secrets-store-csi"),
    ("awssecretcache", "caching-library"),
    ("awssecretsmanagercach", "caching-library"),
    ("aws-secrets-manager-agent", "caching-library"),
    ("awspowershell", "powershell"),
    ("aws-cli/", "aws-cli"),
    ("mozilla/", "browser"),
    ("aws-sdk-java", "aws-sdk-java"),
    ("aws-sdk-go", "aws-sdk-go"),
    ("aws-sdk-js", "aws-sdk-js"),
    ("aws-sdk-nodejs", "aws-sdk-js"),
    ("aws-sdk-dotnet", "aws-sdk-dotnet"),
    ("aws-sdk-net", "aws-sdk-dotnet"),
    ("aws-sdk-ruby", "aws-sdk-ruby"),
    ("aws-sdk-php", "aws-sdk-php"),
    ("aws-sdk-rust", "aws-sdk-rust"),
    ("aws-sdk-cpp", "aws-sdk-cpp"),
    ("aws-sdk-kotlin", "aws-sdk-kotlin"),
    ("aws-sdk-swift", "aws-sdk-swift"),
    ("boto3", "boto3"),
    ("botocore", "boto3"),
)
BY_HAND = frozenset({"cloudshell", "powershell", "aws-cli", "browser", "console"})
PLACE = re.compile(r"exec-env/(\S+)", re.IGNORECASE)
LEADING = re.compile(r"[a-z][a-z._-]*", re.IGNORECASE)
UNIQUE = re.compile(r"[_-]?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
VERSION = re.compile(
    r"[_-]?(python|nodejs|java|dotnet|ruby|go|provided)[\d.alx_-]*$", re.IGNORECASE
)
MAX_KEY = 64


@dataclass(frozen=True, slots=True)
class Tool:
    """``key`` is what is compared. ``by_hand``: a person types or clicks with it."""

    key: str
    by_hand: bool = False


CONSOLE = Tool("console", by_hand=True)


@lru_cache(maxsize=8192)
def tool(agent: str) -> Tool:
    """Return what ``userAgent`` says."""
    lowered = agent.strip("[]").lower()
    family = next((name for mark, name in FAMILIES if mark in lowered), None) or _unlisted(agent)
    place = _place(agent)
    if place == "cloudshell":
        family, place = "cloudshell", ""
    key = f"{family}@{place}" if place else family
    return Tool(key[:MAX_KEY], family in BY_HAND)


def _unlisted(agent: str) -> str:
    """The first word of a string that no family knows, without what is unique to a run."""
    if agent.endswith(".amazonaws.com"):
        return agent
    word = LEADING.match(UNIQUE.sub("", agent.strip("[]")))
    return word[0].rstrip("._-").lower() if word else "none"


def _place(agent: str) -> str:
    found = PLACE.search(agent)
    if not found:
        return ""
    named = VERSION.sub("", UNIQUE.sub("", found[1].rstrip("]")))
    return named.lower().removeprefix("aws_")

"""Which secret a record is about.

Callers name a secret as they like: by name, by an ARN without its ending, by its whole ARN; all
three occur for one secret within a second. What is compared is the whole ARN.

Source: Secrets Manager API reference, "SecretId" of GetSecretValue.
"""

import re
from functools import lru_cache
from typing import Protocol

from rekey.known import without_ending

DENIED_RESOURCE = re.compile(r"on resource: (\S+)")
PARTITIONS = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("us-isof-", "aws-iso-f"),
    ("eu-isoe-", "aws-iso-e"),
    ("eusc-", "aws-eusc"),
)
"""How names of regions begin, besides those of the partition ``aws`` (botocore's partitions)."""
MAX_ARN = 1024


class SecretNames(Protocol):
    """Which secrets there are."""

    def full_arn(self, partial: str) -> str | None:
        """Return the whole ARN of the secret whose ARN without the ending is ``partial``.

        Raises SecretsManagerFailure.
        """
        ...


class KnownSecrets:
    """The secrets whose whole ARNs were seen where nobody could have shortened them."""

    def __init__(self, arns: frozenset[str] = frozenset()) -> None:
        self._by_partial = {without_ending(arn): arn for arn in sorted(arns)}

    def learn(self, arn: str) -> None:
        """Take in an ARN that is known to be whole. A new secret of an old name replaces it."""
        self._by_partial[without_ending(arn)] = arn

    def full_arn(self, partial: str) -> str | None:
        return self._by_partial.get(partial)


def secret_arn(given: str, region: str, account: str, names: SecretNames) -> str | None:
    """Return the whole ARN of what a caller named; an ARN without ending if nobody knows it.

    None if the text names no secret. A name may itself end like an ARN (`db-master`), so what is
    known counts before what it looks like.
    """
    # Whatever is longer is no secret's, and would fill the memory.
    partial = _partial(given[:MAX_ARN], region, account)
    return None if partial is None else (names.full_arn(partial) or partial)[:MAX_ARN]


# What is known changes; how a name is made an ARN does not.
@lru_cache(maxsize=16_384)
def _partial(given: str, region: str, account: str) -> str | None:
    arn = given if given.startswith("arn:") else _arn(given, region, account)
    is_secret = ":secretsmanager:" in arn and ":secret:" in arn and "*" not in arn
    return arn if is_secret else None


def denied_resource(message: str) -> str:
    """Return the resource in the text of a denial, as the caller named it; empty if none."""
    found = DENIED_RESOURCE.search(message)
    return found[1] if found else ""


def name_of(arn: str) -> str:
    """Return the secret's name, for people; with its ending if that cannot be told apart."""
    return without_ending(arn.partition(":secret:")[2]) or arn


def _arn(name: str, region: str, account: str) -> str:
    partition = next((known for start, known in PARTITIONS if region.startswith(start)), "aws")
    return f"arn:{partition}:secretsmanager:{region}:{account}:secret:{name}" if name else ""

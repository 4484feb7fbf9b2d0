"""Whom a secret's resource policy lets in: everybody, other accounts, or nobody new.

A principal ``*`` is not everybody if a condition names who may come, by a fixed value; if it names
another account or an organisation, that one is let in.

Source: IAM User Guide, "AWS JSON policy elements: Principal" and "Condition operators"; Amazon S3
User Guide, 'The meaning of "public"', which lists the keys that make a policy non-public.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

EVERYBODY = "*"
ACCOUNT = re.compile(r"(?:arn:[\w-]+:[\w-]+:[\w-]*:)?(\d{12})(?::.*)?")
LIMITING_KEYS = frozenset(
    [
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceip",
        "aws:sourceorgid",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:userid",
    ]
)
LIMITING_OPERATORS = frozenset(
    ["stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "ipaddress"]
)
ACCOUNT_PART = 4  # of an ARN
WIDE_NETWORK = re.compile(r".*/0|0\.0\.0\.0|::")


@dataclass(frozen=True)
class Opening:
    """Whom a policy lets in from outside; ``readable`` is False if it could not be read.

    ``outsiders`` are account ids, and ids or paths of organisations.
    """

    everybody: bool = False
    outsiders: tuple[str, ...] = ()
    readable: bool = True


def opening(policy: object, own_account: str) -> Opening:
    """Judge the text of a policy, as CloudTrail shows it (a JSON string)."""
    try:
        document = json.loads(policy) if isinstance(policy, str) else policy
        statements = _many(document["Statement"])  # type: ignore[index]  # what is none raises
        allowed = [_of(statement) for statement in statements if _allows(statement)]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Opening(readable=False)
    names = {name for names in allowed for name in names}
    return Opening(EVERYBODY in names, tuple(sorted(names - {EVERYBODY, own_account})))


def _allows(statement: Mapping[str, Any]) -> bool:
    return str(statement["Effect"]).lower() == "allow"


def _of(statement: Mapping[str, Any]) -> frozenset[str]:
    """Return the accounts that a statement lets in; ``*`` for everybody."""
    names = frozenset(_principals(statement))
    limits = list(_limits(statement.get("Condition") or {}))
    if EVERYBODY not in names or not limits:
        return names
    return (names - {EVERYBODY}) | {who for limit in limits for who in _named_by(limit)}


def _principals(statement: Mapping[str, Any]) -> Iterator[str]:
    if "NotPrincipal" in statement:
        yield EVERYBODY
    principal = statement.get("Principal", {})
    named = principal.get("AWS", []) if isinstance(principal, dict) else principal
    for name in _many(named):
        found = ACCOUNT.fullmatch(str(name))
        if found:
            yield found[1]
        elif EVERYBODY in str(name):
            yield EVERYBODY


def _limits(condition: Mapping[str, Mapping[str, Any]]) -> Iterator[list[str]]:
    """Yield the values of each condition that only certain callers can meet."""
    for operator, keys in condition.items():
        for key, value in keys.items():
            values = [str(each) for each in _many(value)]
            known = operator.lower().removeprefix("foranyvalue:") in LIMITING_OPERATORS
            if known and key.lower() in LIMITING_KEYS and all(map(_is_fixed, values)):
                yield values


def _named_by(values: list[str]) -> Iterator[str]:
    for value in values:
        account = ACCOUNT.fullmatch(value)
        if account:
            yield account[1]
        elif value.startswith("o-"):
            yield value


def _is_fixed(text: str) -> bool:
    """A wildcard may stand in an ARN behind a fixed account, and behind an organisation's id."""
    parts = text.split(":", 5)
    first = text
    if text.startswith("arn:") and len(parts) > ACCOUNT_PART and parts[ACCOUNT_PART]:
        first = ":".join(parts[: ACCOUNT_PART + 1])
    elif text.startswith("o-"):
        first = text.partition("/")[0]
    return not (set("*?") & set(first) or WIDE_NETWORK.fullmatch(text))


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]

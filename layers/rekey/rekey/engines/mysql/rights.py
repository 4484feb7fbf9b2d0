"""The rights of an account as values, how two accounts differ, and the statements about them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby

EVERYTHING = "*.*"
ADMIN_OPTION = "ADMIN OPTION"
PROXY = "PROXY"
GRANT_OPTION = "GRANT OPTION"
"""Also a privilege of its own, on all that has no option for each right."""


@dataclass(frozen=True, order=True)
class Right:
    """``GRANT what ON on TO ... WITH option``, as the statement has it: names are quoted.

    A role has no ``on``. What may be handed on is two rights, of which one has no ``option``.
    """

    on: str
    what: str
    option: str = ""
    dynamic: bool = field(default=False, compare=False)
    """Whether it is one of MySQL's dynamic privileges, each of which has an option of its own."""

    def __str__(self) -> str:
        what = f"{self.what} ON {self.on}" if self.on else f"the role {self.what}"
        return f"{what} WITH {self.option}" if self.option else what


MAY_GRANT_EVERYTHING = Right(EVERYTHING, GRANT_OPTION)


@dataclass(frozen=True)
class Rights:
    """All that one account was granted.

    ``restricted`` is what MySQL calls partial revokes: privileges on a database that the account's
    privileges on everything do not reach. ``defaults`` are the roles that a login starts with;
    ``lapsed`` one that it would start with, had it not been revoked.
    """

    granted: frozenset[Right] = frozenset()
    restricted: frozenset[Right] = frozenset()
    defaults: frozenset[str] = frozenset()
    lapsed: frozenset[str] = field(default=frozenset(), compare=False)

    def beyond(self, other: "Rights") -> frozenset[Right]:
        """Return what this account may and the other may not, default roles aside.

        A right that only the other one's restriction takes away is named as on that database.
        """
        unrestricted = frozenset(
            right
            for right in other.restricted - self.restricted
            if Right(EVERYTHING, right.what) in self.granted
        )
        return (self.granted - other.granted) | unrestricted

    def to_grant_anew(self, other: "Rights") -> frozenset[Right]:
        """Return what has to be revoked and granted again to have the other's options.

        MariaDB adds none to a proxy that is there already. MySQL 9.7 does to dynamic privileges,
        and takes it away from them, but forgets half of it until FLUSH PRIVILEGES.
        """
        lacking, different = other.granted - self.granted, other.granted ^ self.granted
        return frozenset(
            right
            for right in self.granted
            if (right.what == PROXY and Right(right.on, PROXY, GRANT_OPTION) in lacking)
            or (right.dynamic and MAY_GRANT_EVERYTHING in different)
        )


@dataclass(frozen=True)
class Both:
    """The rights of two accounts that are to be equal, read together."""

    base: Rights
    clone: Rights


@dataclass(frozen=True)
class Group:
    """Rights that one statement can give or take: all of them are on the same and alike."""

    on: str
    whats: tuple[str, ...]
    option: str = ""

    def __str__(self) -> str:
        return str(Right(self.on, ", ".join(self.whats), self.option))

    def granting(self, account: str) -> str:
        """Return the statement that gives them to an account."""
        option = f" WITH {self.option}" if self.option else ""
        return f"GRANT {self._rights} TO {account}{option}"

    def revoking(self, account: str) -> str:
        """Return the statement that takes them from an account, option and all."""
        return f"REVOKE {self._rights} FROM {account}"

    def lending(self, login: str) -> str:
        """Return the statement that lets a login give and take them."""
        whats = tuple(what for what in self.whats if what != GRANT_OPTION) or ("USAGE",)
        option = GRANT_OPTION if self.on else ADMIN_OPTION
        return Group(self.on, whats, option).granting(login)

    @property
    def _rights(self) -> str:
        return ", ".join(self.whats) + (f" ON {self.on}" if self.on else "")


def to_grant(rights: Iterable[Right]) -> Iterator[Group]:
    """Group by statement.

    The right to grant everything comes first: it spreads to the dynamic privileges that are there.
    """
    wanted = set(rights)
    with_option = {(right.on, right.what) for right in wanted if right.option}
    strongest = (r for r in wanted if r.option or (r.on, r.what) not in with_option)
    return _grouped(
        sorted(strongest, key=lambda r: (r != MAY_GRANT_EVERYTHING, r.option, r.on, r.what))
    )


def to_revoke(rights: Iterable[Right]) -> Iterator[Group]:
    """Group by statement; the right to grant everything comes last.

    An option alone cannot be revoked: the right goes with it, and has to be granted again.
    """
    found = {replace(right, option="") for right in rights}
    return _grouped(sorted(found, key=lambda r: (r == MAY_GRANT_EVERYTHING, r.on, r.what)))


def _grouped(rights: Iterable[Right]) -> Iterator[Group]:
    """MariaDB takes one role a statement."""

    def key(right: Right) -> tuple[bool, str, str, str]:
        role = "" if right.on else right.what
        return right == MAY_GRANT_EVERYTHING, right.option, right.on, role

    for (_, option, on, _), group in groupby(rights, key=key):
        yield Group(on, tuple(right.what for right in group), option)

"""Make the rights of one account those of another.

Each statement commits by itself, and some do more than they say: MySQL's GRANT OPTION spreads to
other privileges, a role that is revoked is no default role any more, a grant lifts a restriction.
So rights are read again after every change, until there is nothing left to do.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rekey.engines.mysql import grant_tables, quoting, roles
from rekey.engines.mysql.accounts import Account
from rekey.engines.mysql.rights import EVERYTHING, Both, Group, Right, Rights, to_grant, to_revoke
from rekey.engines.mysql.session import Session
from rekey.errors import (
    CredentialsRejected,
    EngineFailure,
    MissingPrivilege,
    PrivilegesDiffer,
    RekeyError,
)

ROUNDS = 4


def converge(session: Session, base: Account, clone: Account, both: Both, *, in_use: bool) -> None:
    """Give the clone what the base user has, and take away everything else.

    ``both`` is what they had when that was last read. A clone that is ``in_use`` must have nothing
    else. It loses nothing, but for what a grant of this function brings with it and the base user
    lacks.

    Raises MissingPrivilege, which says what to grant, and PrivilegesDiffer if they cannot be made
    equal.
    """
    for number in range(ROUNDS):
        if _equal(both, in_use=in_use):
            return
        surplus = both.clone.beyond(both.base) | both.clone.to_grant_anew(both.base)
        if surplus and (number or not in_use):
            take(session, surplus, clone)
            both = grant_tables.read(session, base, clone)
        give(session, both.base.beyond(both.clone), clone, like=Like(base, both.base))
        _start_with(session, both, clone)
        both = grant_tables.read(session, base, clone)
    if both.base != both.clone:
        named = ", ".join(beyond(both.base, both.clone) + beyond(both.clone, both.base))
        raise PrivilegesDiffer(
            f"{clone.sql} does not become equal to {base.sql}: {named}. No password was changed. "
            "Make them equal, then rotate again."
        )


def _equal(both: Both, *, in_use: bool) -> bool:
    return both.base == both.clone and (in_use or not both.clone.lapsed)


def beyond(one: Rights, other: Rights) -> list[str]:
    """Name all that the one account has and the other lacks, default roles included."""
    named = [str(right) for right in sorted(one.beyond(other))]
    return named + [f"the default role {role}" for role in sorted(one.defaults - other.defaults)]


def take(session: Session, rights: Iterable[Right], account: Account) -> None:
    for group in to_revoke(rights):
        _run(session, group.revoking(account.sql), group)


@dataclass(frozen=True)
class Like:
    """Whose restrictions come along with a right on everything, in the same statement.

    One statement later, whoever is granted it could do what the other may not, and a crash in
    between would leave it so. Source: MySQL documentation, "GRANT Statement", the AS clause.
    """

    account: Account
    rights: Rights

    def clause(self, group: Group) -> str:
        """Return what stands at the end of the statement."""
        restricted = {right.what for right in self.rights.restricted}
        applies = group.on == EVERYTHING and not restricted.isdisjoint(group.whats)
        return f" AS {self.account.sql}" if applies else ""


def give(
    session: Session, rights: Iterable[Right], account: Account, like: Like | None = None
) -> None:
    """Grant. A right on what is not there any more cannot be granted a second time."""
    for group in to_grant(rights):
        clause = like.clause(group) if like else ""
        try:
            _run(session, group.granting(account.sql) + clause, group)
        except EngineFailure as error:
            failure = PrivilegesDiffer(
                f"{account.sql} cannot be granted {group}, which its peer has. No password was "
                f"changed. If that is not there any more, revoke it from the peer. {error}"
            )
        else:
            continue
        raise failure


def _run(session: Session, statement: str, group: Group) -> None:
    """Run a statement about rights. Servers refuse some with the number of a refused login."""
    try:
        session.run(statement)
    except (MissingPrivilege, CredentialsRejected) as error:
        failure = _lacking(session, group.lending, error)
    else:
        return
    raise failure


def _start_with(session: Session, both: Both, clone: Account) -> None:
    """Make the clone's default roles those of the base user, also where one has lapsed."""
    if both.clone.defaults == both.base.defaults and not both.clone.lapsed:
        return
    try:
        session.run(roles.starting_with(session, both.base.defaults, clone))
    except MissingPrivilege as error:
        failure = _lacking(session, "GRANT UPDATE ON mysql.* TO {}".format, error)
    else:
        return
    raise failure


def _lacking(session: Session, needed: Callable[[str], str], error: RekeyError) -> MissingPrivilege:
    login = quoting.account(session.login_name, session.login_host)
    return MissingPrivilege(
        f"The login {session.login_name} may not make the two users equal: {needed(login)}. No "
        f"password was changed. {error}"
    )

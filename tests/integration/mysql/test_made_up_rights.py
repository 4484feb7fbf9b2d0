"""Whatever the base user has: after a rotation both have the same, or it has said why not.

REKEY_EXAMPLES sets how many are made up for each server.
"""

import os
import secrets
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from rekey.errors import PrivilegesDiffer
from tests.integration.mysql.account import Account, Running, quoted, setting
from tests.integration.mysql.alternating import Users, try_cut_off
from tests.integration.mysql.made_up import HOSTS, Changes, changes, made, odd

EXAMPLES = int(os.environ.get("REKEY_EXAMPLES", "10"))
# Without shrinking: each attempt makes users, databases and rotations.
MADE_UP = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
)


@dataclass(frozen=True)
class Story:
    """A rotation; a change and another one; one more that is cut off and repeated."""

    odd: list[str]
    host: str
    changes: list[Changes]
    after: int


def stories(*, mariadb: bool) -> st.SearchStrategy[Story]:
    return st.builds(
        Story,
        odd(mariadb=mariadb),
        st.sampled_from(HOSTS),
        st.lists(changes(mariadb=mariadb), min_size=3, max_size=3),
        st.integers(0, 12),
    )


def check(account: Account, story: Story) -> None:
    users = Users(account, story.host)
    users.may_grant_proxies()
    users.execute(f"CREATE USER {users.sql(users.base)} IDENTIFIED BY {quoted(account.password)}")
    with made(users, story.odd) as objects:
        objects.apply(story.changes[0], users.base)
        users.provide(users.clone)
        users.check_equal()
        objects.apply(story.changes[1], users.base)
        if not rotated_to_the_base_user(users):
            users.provide(users.clone)
        users.check_equal()
        objects.apply(story.changes[2], users.base)
        try_cut_off(users, users.clone, story.after)


def rotated_to_the_base_user(users: Users) -> bool:
    """Whether it was; if not, nothing was changed, and the error says so."""
    before = users.told(users.base), users.told(users.clone)
    try:
        users.provide(users.base)
    except PrivilegesDiffer as error:
        said = str(error)
    else:
        return True
    assert "Nothing was changed" in said, said
    assert (users.told(users.base), users.told(users.clone)) == before
    return False


def new_name(story: Story) -> str:
    return f"u{secrets.token_hex(5)}{story.odd[0]}"


@MADE_UP
@given(stories(mariadb=False))
def test_mysql(mysql: Running, story: Story) -> None:
    account = Account(mysql, mariadb=False, name=new_name(story))
    with setting(account, "partial_revokes", "ON"):
        check(account, story)


@MADE_UP
@given(stories(mariadb=True))
def test_mariadb(mariadb: Running, story: Story) -> None:
    check(Account(mariadb, mariadb=True, name=new_name(story)), story)

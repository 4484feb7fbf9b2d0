"""AWSCURRENT that moved while the user's passwords were changed.

Whoever changes a password by hand and stores it does not take our lock. Between the last look at
the labels and our statement lies a moment in which that can happen; the statement then takes away
the password that has just become AWSCURRENT. So the labels are read once more after it.
"""

from collections.abc import Container

from rekey.credential import Credential
from rekey.errors import LabelMoved
from rekey.model import Label, SecretVersion
from rekey.ports import Connection, OnePassword, TwoPasswords
from rekey.rotation.context import Rotation
from rekey.rotation.guards import same_server

LOOKS = 3
"""More often than a person changes a password within a second."""


def check_not_overtaken(
    rotation: Rotation,
    superuser: Connection,
    known: SecretVersion,
    expected: Container[str | None],
    *,
    all_hosts: bool,
) -> None:
    """Raise LabelMoved if AWSCURRENT is none of the ``expected`` versions; it logs in then.

    Inside ``alone``. ``known`` is the version that was AWSCURRENT before the change, and has proven
    that whoever writes the secret owns its user: no other user is given anything.
    """
    overtaken = False
    for _ in range(LOOKS):
        if rotation.store.describe(rotation.arn).holder(Label.CURRENT) in expected:
            break
        overtaken = True
        current = rotation.store.get_labelled(rotation.arn, Label.CURRENT)
        if not _give_back(rotation, superuser, known, current, all_hosts=all_hosts):
            break
        expected = (current.version_id,)
    if overtaken:
        raise LabelMoved(
            "AWSCURRENT has moved while the user was changed, and its password was given back. "
            "The step is to be repeated."
        )


def _give_back(
    rotation: Rotation,
    superuser: Connection,
    known: SecretVersion,
    current: SecretVersion,
    *,
    all_hosts: bool,
) -> bool:
    """Make ``current`` log in; False if it is for somebody else.

    What was written after ``known`` was put by hand: whoever did so gave the user that password
    alone. Otherwise somebody moved the label back, or the answer is an old one (reads are
    eventually consistent), and neither of the two may lose its password.
    """
    before, now = rotation.credential(known), rotation.credential(current)
    if not _same_user(rotation, before, now):
        return False
    user = before.username
    if current.created > known.created:
        superuser.retire(OnePassword(user, now.password, all_hosts))
    else:
        wanted = TwoPasswords(user, now.password, before.password, all_hosts)
        superuser.set_two_passwords(wanted)
    return True


def _same_user(rotation: Rotation, one: Credential, other: Credential) -> bool:
    return one.username == other.username and same_server(one, other, rotation.engine)

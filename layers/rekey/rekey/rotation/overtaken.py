"""AWSCURRENT that moved while the user's passwords were changed.

Whoever changes a password by hand and stores it does not take our lock. Between the last look at
the labels and our statement lies a moment in which that can happen; the statement then takes away
the password that has just become AWSCURRENT. So the labels are read once more after it.
"""

from collections.abc import Container

from rekey.credential import Credential
from rekey.model import Label, SecretVersion
from rekey.ports import Connection, OnePassword
from rekey.rotation.context import Rotation
from rekey.rotation.guards import same_server

LOOKS = 3
"""More often than a person changes a password within a second."""


def give_back(
    rotation: Rotation,
    superuser: Connection,
    changed: Credential,
    expected: Container[str | None],
    *,
    all_hosts: bool,
) -> bool:
    """Make AWSCURRENT log in if it is none of the ``expected`` versions; tell whether it was one.

    Inside ``alone``. It gets back its own password, of the user that was ``changed`` and no other:
    that whoever writes the secret owns that user was proven before the change.
    """
    overtaken = False
    for _ in range(LOOKS):
        if rotation.store.describe(rotation.arn).holder(Label.CURRENT) in expected:
            break
        overtaken = True
        current = rotation.store.get_labelled(rotation.arn, Label.CURRENT)
        if not _is_of(rotation, current, changed):
            break
        password = rotation.credential(current).password
        superuser.retire(OnePassword(changed.username, password, all_hosts))
        expected = (current.version_id,)
    return overtaken


def _is_of(rotation: Rotation, current: SecretVersion, changed: Credential) -> bool:
    credential = rotation.credential(current)
    return credential.username == changed.username and same_server(
        credential, changed, rotation.engine
    )

"""Records as what they say."""

from rekey.access.event import Access
from rekey.access.normalise import normalise
from rekey.access.secret import KnownSecrets
from tests.access.records import Record, arn

DB = arn("prod/db")
KNOWN = KnownSecrets(frozenset({DB, arn("db-master"), arn("other")}))


def accesses(made: Record) -> tuple[Access, ...]:
    found = normalise(made, KNOWN)
    assert isinstance(found, tuple), found
    return found


def access(made: Record) -> Access:
    (only,) = accesses(made)
    return only

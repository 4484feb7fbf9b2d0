"""Whom a secret belongs to, by its tags."""

from collections.abc import Callable, Mapping

from rekey.errors import RekeyError
from rekey.ports import SecretStore


def owners(
    store: SecretStore, owner_of: Callable[[Mapping[str, str]], str | None]
) -> Callable[[str], str | None]:
    """Return a look-up by ARN. A secret that is gone or may not be described has no owner.

    ``owner_of`` reads the tags: an alert must not fail for want of them.
    """

    def owner(secret_arn: str) -> str | None:
        try:
            return owner_of(store.describe(secret_arn).tags)
        except RekeyError:
            return None

    return owner

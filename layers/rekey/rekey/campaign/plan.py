"""Which secrets a campaign is about, and which of them cannot be rotated by us."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from sys import intern

from rekey.model import Label, SecretMetadata


@dataclass(frozen=True, slots=True)
class Item:
    """One secret of a campaign. ``refused`` says why nothing is done with it, if nothing is.

    ``version_id`` is AWSCURRENT when the campaign was planned, and ``versions`` are all that had a
    label then: until somebody tries, nobody knows which of their passwords work.
    """

    secret_id: str
    function_arn: str = ""
    version_id: str = ""
    refused: str = ""
    versions: tuple[str, ...] = ()

    def document(self) -> dict[str, str]:
        """Return it as the state machine reads it: every key is there."""
        return {
            "secretId": self.secret_id,
            "functionArn": self.function_arn,
            "versionId": self.version_id,
            "versions": " ".join(self.versions),
            "refused": self.refused,
        }


def plan(secrets: Iterable[SecretMetadata], is_ours: Callable[[str], bool]) -> list[Item]:
    """Return an item for each secret, once, whatever names it was asked for by."""
    items = dict[str, Item]()
    for secret in secrets:
        items.setdefault(secret.arn, _item(secret, is_ours))
    return list(items.values())


def _item(secret: SecretMetadata, is_ours: Callable[[str], bool]) -> Item:
    function, current = secret.rotation_function, secret.holder(Label.CURRENT)
    versions = tuple(secret.labels)
    if function is None or not secret.rotation_enabled:
        refused = "Rotation is not enabled for this secret."
    elif not is_ours(function):
        refused = f"{function} is not a rotation function of Rekey."
    elif current is None:
        refused = "No version has AWSCURRENT."
    else:
        return Item(secret.arn, intern(function), current, versions=versions)
    return Item(secret.arn, refused=refused, versions=versions)

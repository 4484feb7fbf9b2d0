"""Which secrets a campaign is about, and which of them cannot be rotated by us."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rekey.model import Label, SecretMetadata


@dataclass(frozen=True)
class Item:
    """One secret of a campaign. ``refused`` says why nothing is done with it, if nothing is.

    ``version_id`` is AWSCURRENT when the campaign was planned.
    """

    secret_id: str
    function_arn: str = ""
    version_id: str = ""
    refused: str = ""

    def document(self) -> dict[str, str]:
        """Return it as the state machine reads it: every key is there."""
        return {
            "secretId": self.secret_id,
            "functionArn": self.function_arn,
            "versionId": self.version_id,
            "refused": self.refused,
        }


def plan(secrets: Iterable[SecretMetadata], is_ours: Callable[[str], bool]) -> list[Item]:
    """Return an item for each secret, once, whatever names it was asked for by."""
    by_arn = {secret.arn: secret for secret in secrets}
    return [_item(secret, is_ours) for secret in by_arn.values()]


def _item(secret: SecretMetadata, is_ours: Callable[[str], bool]) -> Item:
    function, current = secret.rotation_function, secret.holder(Label.CURRENT)
    if function is None or not secret.rotation_enabled:
        return Item(secret.arn, refused="Rotation is not enabled for this secret.")
    if not is_ours(function):
        return Item(secret.arn, refused=f"{function} is not a rotation function of Rekey.")
    if current is None:
        return Item(secret.arn, refused="No version has AWSCURRENT.")
    return Item(secret.arn, function, current)

"""survey: tell which passwords of a secret still work. Changes nothing but the count of refusals.

It is asked after rotations that failed as well, which may have been refused already, and while
their recovery looks: refusals are counted on the pending version, together with theirs, and the
last login is left to them while the version has AWSPENDING.
"""

from dataclasses import dataclass, field

from rekey.credential import Credential
from rekey.errors import CredentialsRejected, LoginError, RekeyError
from rekey.model import Label, Outcome, SecretMetadata, SecretVersion, StepResult
from rekey.rotation.candidates import unfinished
from rekey.rotation.context import Rotation
from rekey.rotation.logins import Logins
from rekey.rotation.retirement import busy

ASKED = (Label.CURRENT, Label.PREVIOUS, Label.PENDING, Label.INTENT)


def survey(rotation: Rotation) -> StepResult:
    """Log in once with each labelled version, refused ones included.

    The facts: ids of versions whose password works, and of those nobody knows it of. A user whose
    login is refused is not tried with another password.
    """
    metadata = rotation.store.describe(rotation.arn)
    under_way = busy(metadata) is not None
    look = _Look(rotation, _logins(rotation, metadata), under_way)
    works, unknown = list[str](), list[str]()
    for version_id in _versions(metadata):
        heap = works if (said := look.logs_in(version_id)) else unknown
        if said is not False:
            heap.append(version_id)
    reason = f"{len(works)} of the labelled versions log in, {len(unknown)} could not be tried."
    facts = {"works": " ".join(works), "unknown": " ".join(unknown)}
    return StepResult(Outcome.DONE, reason, facts=facts)


def _versions(metadata: SecretMetadata) -> list[str]:
    held = (metadata.holder(label) for label in ASKED)
    return list(dict.fromkeys(version for version in held if version is not None))


def _logins(rotation: Rotation, metadata: SecretMetadata) -> Logins:
    pending = unfinished(metadata)
    if pending is None:
        return rotation.logins(None)
    return rotation.logins(SecretVersion(pending, metadata.labels[pending], value=""))


@dataclass
class _Look:
    """The logins of one survey; ``refused`` are users that the server did not let in.

    While a rotation is under way, its recovery may still need a login.
    """

    rotation: Rotation
    logins: Logins
    under_way: bool
    refused: set[str] = field(default_factory=set)

    def logs_in(self, version_id: str) -> bool | None:
        """Tell whether the version's password works; None if that cannot be told."""
        try:
            version = self.rotation.store.get_version(self.rotation.arn, version_id)
            return False if version is None else self._try(self.rotation.credential(version))
        except RekeyError:
            return None

    def _try(self, credential: Credential) -> bool | None:
        spared = self.under_way and self.logins.refusals() > 0
        if spared or credential.username in self.refused:
            return None
        try:
            self.logins.connect(credential).close()
        except LoginError as error:
            self.refused.add(credential.username)
            # An account that is locked or expired lets its password in once it is not.
            return False if isinstance(error, CredentialsRejected) else None
        return True

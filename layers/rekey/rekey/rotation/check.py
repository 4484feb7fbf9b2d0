"""check: find out whether a secret can be rotated now. Changes nothing, no label either.

A refused login is written nowhere. Counted on AWSCURRENT, it would speak against every later
campaign and recovery, also once the password is right again. A lock-out policy of three survives:
AWSCURRENT is tried once, and with a refusal the campaign ends for this secret (of a compromised
one, the survey has one login more). If it is let in, the server counts from nothing, and so do the
two of the rotation that follows. The superuser is tried a second time only if its secret holds
another password by then. Who asks again and again, by one campaign after the other, is asked to
look at the first answer: no count outlasts it.
"""

from hashlib import sha256

from rekey.credential import Credential
from rekey.errors import RotationDisabled
from rekey.model import Label, Outcome, StepResult, Strategy
from rekey.rotation.context import Rotation
from rekey.rotation.guards import check_not_halted
from rekey.rotation.identity import check_login
from rekey.rotation.retirement import busy
from rekey.rotation.strategy import choose_strategy
from rekey.rotation.superuser import connect_superuser

HOST_CHARACTERS = 32


def check(rotation: Rotation) -> StepResult:
    """Log in with AWSCURRENT, and with the superuser where the strategy needs one.

    The facts: the strategy, AWSCURRENT's version, and a digest of the server's address, by which a
    campaign spares a server without knowing its name. Raises what a rotation would.
    """
    metadata = rotation.store.describe(rotation.arn)
    if not metadata.rotation_enabled:
        raise RotationDisabled("Rotation is not enabled for this secret. Call RotateSecret first.")
    check_not_halted(metadata)
    if (reason := busy(metadata)) is not None:
        return StepResult(Outcome.BUSY, reason)
    current = rotation.store.get_labelled(rotation.arn, Label.CURRENT)
    credential = rotation.credential(current)
    strategy = choose_strategy(metadata.tags, credential, rotation.engine)
    logins = rotation.logins(None)
    check_login(rotation, logins.connect, credential, strategy)
    if strategy is not Strategy.SINGLE_USER:
        connect_superuser(rotation, logins, credential).close()
    facts = {"strategy": str(strategy), "host": _host(rotation, credential)}
    reason = "It can be rotated: every login that a rotation needs has worked."
    return StepResult(Outcome.DONE, reason, strategy, facts)


def _host(rotation: Rotation, credential: Credential) -> str:
    address = f"{credential.host.lower()}:{credential.port or rotation.engine.default_port}"
    return sha256(address.encode()).hexdigest()[:HOST_CHARACTERS]

"""LastRotatedDate and NextRotationDate, and when a rotation falls due.

`secret["_Due"]` is when the next window opens; `NextRotationDate` is when it closes, and stays in
the past while rotations fail, as the API reference of DescribeSecret says.
"""

from __future__ import annotations

from local.account import clock
from local.account.secretsmanager import schedule
from local.account.secretsmanager.store import Secret, moment


def rules_changed(secret: Secret) -> None:
    """The schedule is new: count from now."""
    _plan(secret)


def rotated(secret: Secret) -> None:
    secret["LastRotatedDate"] = moment()
    _plan(secret)


def value_changed(secret: Secret) -> None:
    """For AutomaticallyAfterDays a new value counts as a rotation (API: RotationRulesType)."""
    if secret.get("RotationEnabled") and _rules(secret).get("AutomaticallyAfterDays"):
        _plan(secret)


def passed(secret: Secret, seconds: float) -> None:
    """As much time has gone by since anything was done to the secret."""
    for name in ("CreatedDate", "LastChangedDate", "LastRotatedDate"):
        if secret.get(name):
            secret[name] -= seconds


def is_due(secret: Secret) -> bool:
    due = secret.get("_Due")
    enabled = secret.get("RotationEnabled") and not secret.get("DeletedDate")
    return bool(enabled and due and due <= clock.now())


def was_due(secret: Secret) -> None:
    """The window that has opened is used: the next chance is the next one, whatever comes of it."""
    window = schedule.next_window(_rules(secret), clock.now())
    secret["_Due"] = window.opens if window else None


def reported(secret: Secret) -> dict[str, float]:
    """Both dates as DescribeSecret and ListSecrets have them: none while rotation is off."""
    if not secret.get("RotationEnabled"):
        return {}
    names = ("LastRotatedDate", "NextRotationDate")
    return {name: secret[name] for name in names if secret.get(name)}


def _plan(secret: Secret) -> None:
    window = schedule.next_window(_rules(secret), clock.now())
    secret["_Due"] = window.opens if window else None
    secret["NextRotationDate"] = window.closes if window else None


def _rules(secret: Secret) -> dict[str, object]:
    return secret.get("RotationRules") or {}

"""The rotation engine: what Secrets Manager does after it has answered RotateSecret.

`secret["_Rotation"]` stands from RotateSecret until the rotation is complete, cancelled or
abandoned: `{"Token", "RotationToken", "Test"}`. A rotation that failed for good is still there,
because the service takes it up again, with the same token, at the next occasion.
"""

from __future__ import annotations

import logging
import threading
import uuid
from functools import partial

from local.account import cloudtrail
from local.account.secretsmanager import dates, labels, retries, steps
from local.account.secretsmanager.labels import CURRENT, PENDING
from local.account.secretsmanager.runs import Run, Step, run_of
from local.account.secretsmanager.store import (
    Secret,
    afterwards,
    changed,
    existing,
    in_scope_of,
    moment,
    transaction,
)

logger = logging.getLogger("rekey.rotation")


_runs: dict[str, Run] = {}


def begin(secret: Secret, token: str, *, test: bool) -> None:
    """Announce the pending version and start to work, once the transaction is over.

    A test holds the current value in its pending version, a rotation none at all.
    """
    rotation = {"Token": token, "RotationToken": str(uuid.uuid4()), "Test": test}
    current = secret["Versions"].get(labels.holder(secret, CURRENT), {}) if test else {}
    secret["_Rotation"] = rotation
    secret["Versions"][token] = {
        "SecretString": current.get("SecretString"),
        "SecretBinary": current.get("SecretBinary"),
        "CreatedDate": moment(),
        "Stages": [],
    }
    labels.attach(secret, PENDING, token)
    resume(secret)


def resume(secret: Secret) -> None:
    """Work on the rotation that stands, unless that happens already."""
    run, present = run_of(secret), _runs.get(secret["ARN"])
    if present is not None:
        if present.token == run.token:
            return
        present.ended.set()
    _runs[run.secret_arn] = run
    name = f"rotation-{run.secret_arn}"
    thread = threading.Thread(target=_guarded, args=(run,), name=name, daemon=True)
    afterwards(thread.start)


def cancel(secret: Secret) -> str | None:
    """Stop the rotation that stands; its version, which is returned, keeps AWSPENDING.

    Source: API reference of CancelRotateSecret.
    """
    rotation = secret.pop("_Rotation", None)
    _end(secret["ARN"])
    return str(rotation["Token"]) if rotation else None


def abandon_for(secret: Secret, version_id: str) -> None:
    """Somebody writes this version: a rotation of another one is abandoned.

    Source: "RotationAbandoned event" in the user guide.
    """
    rotation = secret.get("_Rotation")
    if not rotation or rotation["Token"] == version_id or rotation["Test"]:
        return
    cancel(secret)
    if rotation["Token"] in secret["Versions"]:
        labels.detach(secret, PENDING, rotation["Token"])
    afterwards(partial(cloudtrail.record_service_event, "RotationAbandoned", secret["ARN"]))


def at_work() -> list[str]:
    """The ARNs of the secrets that are being rotated or tested at this moment."""
    return sorted(_runs)


def stop() -> None:
    """End all work, because the account ends."""
    for arn in list(_runs):
        _end(arn)


def _end(arn: str) -> None:
    if (run := _runs.pop(arn, None)) is not None:
        run.ended.set()


def _guarded(run: Run) -> None:
    """Whatever goes wrong in here is a failed rotation and a line in the log, never silence."""
    with in_scope_of(run.secret_arn):
        try:
            (_test if run.test else _rotate)(run)
        except Exception:  # the engine itself is broken; the account and other rotations go on
            if not run.ended.is_set():
                logger.exception("rotation of %s broke", run.secret_arn)
                run.record("TestRotationFailed" if run.test else "RotationFailed",
                           failed_step=Step.TEST if run.test else Step.CREATE)  # fmt: skip
        finally:
            with transaction():
                if _runs.get(run.secret_arn) is run:
                    del _runs[run.secret_arn]


def _rotate(run: Run) -> None:
    """The whole rotation again and again, until it succeeds or the attempts are used up."""
    run.record("RotationStarted")
    attempt = 1
    while (failed := _attempt(run)) is not None:
        if run.ended.is_set():
            return
        logger.warning("rotation of %s failed in %s", run.secret_arn, failed)
        if attempt >= retries.policy().attempts:
            run.record("RotationFailed", failed_step=failed)
            return
        if run.ended.wait(retries.policy().delay_after(attempt)):
            return
        attempt += 1


def _attempt(run: Run) -> Step | None:
    """The step that failed; None if all went well or the work was ended from outside."""
    for step in Step:
        if run.ended.is_set():
            return None
        if not steps.invoke(run.function_arn, run.secret_arn, _event(run, step)):
            return step
    return None if run.ended.is_set() or _completed(run) else Step.FINISH


def _event(run: Run, step: Step) -> dict[str, str]:
    return {
        "Step": step.value,
        "SecretId": run.secret_arn,
        "ClientRequestToken": run.token,
        "RotationToken": run.rotation_token,
    }


def _completed(run: Run) -> bool:
    """Only a promoted version completes a rotation: then AWSPENDING goes and the dates move on."""
    with transaction():
        secret = existing(run.secret_arn)
        if labels.holder(secret, CURRENT) != run.token:
            return False
        labels.detach(secret, PENDING, run.token)
        secret.pop("_Rotation", None)
        dates.rotated(secret)
        changed(secret)
        afterwards(partial(run.record, "RotationSucceeded"))
        return True


def _test(run: Run) -> None:
    """Only testSecret, on a version that is gone afterwards, whatever came of it."""
    run.record("TestRotationStarted")
    try:
        passed = steps.invoke(run.function_arn, run.secret_arn, _event(run, Step.TEST))
    finally:
        _forget_test(run)
    if run.ended.is_set():
        return
    if passed:
        run.record("TestRotationSucceeded")
    else:
        run.record("TestRotationFailed", failed_step=Step.TEST)


def _forget_test(run: Run) -> None:
    with transaction():
        secret = existing(run.secret_arn)
        secret["Versions"].pop(run.token, None)
        if secret.get("_Rotation", {}).get("Token") == run.token:
            del secret["_Rotation"]
        changed(secret)

"""From what was seen of a secret to what would happen to it: facts in, no I/O."""

from collections.abc import Iterator
from dataclasses import dataclass

from local.migration import commands
from local.migration.database_judgement import database_findings
from local.migration.findings import Finding, Severity, note, stop
from local.migration.function_judgement import function_findings
from local.migration.observation import Origin, Secret, Stack
from local.migration.value_judgement import engine_of, superuser_findings, value_findings
from rekey.credential import Credential
from rekey.errors import RekeyError
from rekey.model import Strategy
from rekey.rotation.strategy import choose_strategy

DEFAULT_KEY = "alias/aws/secretsmanager"
"""Who may use a secret may use this key; it needs no right of its own."""


@dataclass(frozen=True)
class Verdict:
    """What would happen to one secret. ``engine`` and ``strategy`` are None if nobody can tell.

    ``switch`` gives it to Rekey without rotating it, ``back`` returns it to the function that it
    has now. ``switch`` is None if it is Rekey's already, or something would stop it.
    """

    secret: str
    arn: str
    function: str
    origin: Origin
    engine: str | None
    strategy: Strategy | None
    superuser: str | None
    findings: tuple[Finding, ...]
    switch: str | None
    back: str | None

    @property
    def could_move(self) -> bool:
        """Whether nothing was found that would stop the first rotation."""
        return not any(finding.severity is Severity.STOPS for finding in self.findings)


def judge(secret: Secret, stack: Stack) -> Verdict:
    """Say what would happen to the secret if this stack rotated it."""
    credential = secret.credential if isinstance(secret.credential, Credential) else None
    engine = engine_of(credential) if credential else None
    served = credential is None or engine is not None
    strategy = _strategy(secret, credential)
    findings = (
        *_label_findings(secret),
        *_key_findings(secret, stack),
        *(function_findings(secret.function, strategy) if served else ()),
        *value_findings(secret, credential),
        *superuser_findings(secret, credential),
        *database_findings(secret, credential),
    )
    stopped = any(finding.severity is Severity.STOPS for finding in findings)
    moved = secret.function.origin is Origin.REKEY
    switch = None if stopped or moved or engine is None else commands.switch(secret, stack, engine)
    return Verdict(
        secret=secret.name,
        arn=secret.metadata.arn,
        function=secret.function.arn,
        origin=secret.function.origin,
        engine=credential.engine if credential else None,
        strategy=strategy,
        superuser=secret.superuser.arn if secret.superuser else None,
        findings=findings,
        switch=switch,
        back=commands.back(secret) if switch else None,
    )


def _strategy(secret: Secret, credential: Credential | None) -> Strategy | None:
    engine = engine_of(credential) if credential else None
    if credential is None or engine is None:
        return None
    try:
        return choose_strategy(secret.metadata.tags, credential, engine)
    except RekeyError:
        return None  # value_findings names the reason.


def _label_findings(secret: Secret) -> Iterator[Finding]:
    if secret.stuck:
        yield stop(
            f"AWSPENDING stands on version {secret.stuck}, which is not AWSCURRENT: a rotation was "
            "cut off, and RotateSecret will refuse to start another one. The server may have that "
            "version's password already.",
            "Let the present function finish it:\n"
            f"{commands.rotate(secret)}\n"
            "Or, if AWSCURRENT logs in, give it up:\n"
            f"{commands.take_pending_off(secret, secret.stuck)}",
        )
    if not secret.metadata.rotation_enabled:
        yield note("Rotation is turned off. To switch turns it on.")


def _key_findings(secret: Secret, stack: Stack) -> Iterator[Finding]:
    key = secret.kms_key
    if key is None or key.endswith(DEFAULT_KEY):
        return
    if any(key == arn or arn.endswith(f":key/{key}") for arn in stack.kms_keys):
        return
    text = f"The secret is encrypted with {key}, which the parameter SecretsKmsKeyArns has to name."
    if stack.functions and "alias/" not in key:
        yield stop(f"SecretAccessDenied: {text}", "Deploy the stack with that key as well.")
    else:
        yield note(text)

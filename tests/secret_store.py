"""Secrets Manager in memory, for tests that run a rotation step by step, many times over.

It keeps the service's rules about versions and labels, and it passes the same test module as the
real adapter (tests/integration/test_secret_store.py).
"""

import threading
from dataclasses import dataclass, field
from datetime import datetime

from rekey.errors import LabelMoved, SecretNotFound
from rekey.model import Label, SecretMetadata, SecretVersion

AT_ONCE = threading.RLock()
"""The service moves a label in one go: no reader in another thread finds it on no version."""


@dataclass
class StoredSecret:
    """Values and labels by version id. A version that awaits its value has None."""

    values: dict[str, str | None] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)
    labels: dict[str, set[str]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    rotation_enabled: bool = True
    rotation_function: str | None = None
    rotated: datetime | None = None

    def holder(self, label: str) -> str | None:
        with AT_ONCE:
            return next((version for version, held in self.labels.items() if label in held), None)

    def put_by_hand(self, value: str) -> str:
        """PutSecretValue by an operator: a new AWSCURRENT; a rotation under way is abandoned."""
        version = f"by-hand-{len(self.values)}"
        self.values[version] = value
        self.written.append(version)
        self.move(Label.CURRENT, version)
        self.move(Label.PENDING, None)
        return version

    def created(self, version: str) -> float:
        """When the value was written, counted in writes."""
        return float(self.written.index(version) if version in self.written else len(self.written))

    def move(self, label: str, to: str | None) -> None:
        """Put the label on one version only, with what that does to the others."""
        with AT_ONCE:
            holder = self.holder(label)
            if holder == to:
                return
            if holder is not None:
                self.labels[holder].discard(label)
            if to is not None:
                self.labels.setdefault(to, set()).add(label)
            if label == Label.CURRENT and holder is not None:
                self.labels[holder].discard(Label.PENDING)
                self.move(Label.PREVIOUS, holder)


class SecretStoreInMemory:
    """See SecretStore. ``calls`` lists what was asked, in the API's own names."""

    def __init__(self) -> None:
        self.secrets: dict[str, StoredSecret] = {}
        self.calls: list[str] = []

    # What the service and its users do

    def create(self, arn: str, value: str, **tags: str) -> StoredSecret:
        secret = StoredSecret({"v1": value}, ["v1"], {"v1": {Label.CURRENT}}, dict(tags))
        self.secrets[arn] = secret
        return secret

    def start_rotation(self, arn: str, token: str) -> None:
        """RotateSecret: a version with AWSPENDING and no value."""
        self.secrets[arn].values.setdefault(token, None)
        self.secrets[arn].move(Label.PENDING, token)

    def end_rotation(self, arn: str) -> None:
        """The service takes AWSPENDING away, after success and after giving up alike."""
        self.secrets[arn].move(Label.PENDING, None)

    # What a rotation function asks

    def describe(self, secret_id: str) -> SecretMetadata:
        self.calls.append("DescribeSecret")
        secret = self._secret(secret_id)
        with AT_ONCE:
            labels = {version: frozenset(held) for version, held in secret.labels.items() if held}
        return SecretMetadata(
            secret_id,
            secret.rotation_enabled,
            labels,
            secret.tags,
            secret.rotation_function,
            secret.rotated,
        )

    def get_labelled(self, secret_id: str, label: Label) -> SecretVersion:
        version = self._read(secret_id, self._secret(secret_id).holder(label))
        if version is None:
            raise SecretNotFound(f"no version with {label}")
        return version

    def get_version(
        self, secret_id: str, version_id: str, label: Label | None = None
    ) -> SecretVersion | None:
        version = self._read(secret_id, version_id)
        return None if version is None or (label and label not in version.labels) else version

    def put_version(
        self, secret_id: str, version: SecretVersion, *, rotation_token: str | None
    ) -> bool:
        del rotation_token
        self.calls.append("PutSecretValue")
        secret = self._secret(secret_id)
        if secret.values.get(version.version_id) not in (None, version.value):
            return False
        if secret.values.get(version.version_id) is None:
            secret.written.append(version.version_id)
        secret.values[version.version_id] = version.value
        for label in version.labels:
            secret.move(label, version.version_id)
        return True

    def move_label(
        self, secret_id: str, label: Label, *, to: str | None, removed_from: str | None
    ) -> None:
        self.calls.append("UpdateSecretVersionStage")
        secret = self._secret(secret_id)
        holder = secret.holder(label)
        if holder not in (removed_from, to):
            raise LabelMoved(f"{label} is on another version")
        secret.move(label, to)

    def _read(self, secret_id: str, version_id: str | None) -> SecretVersion | None:
        self.calls.append("GetSecretValue")
        secret = self._secret(secret_id)
        value = secret.values.get(version_id or "")
        if version_id is None or value is None:
            return None
        labels = frozenset(secret.labels.get(version_id, ()))
        return SecretVersion(version_id, labels, value, secret.created(version_id))

    def _secret(self, secret_id: str) -> StoredSecret:
        if secret_id not in self.secrets:
            raise SecretNotFound(secret_id)
        return self.secrets[secret_id]

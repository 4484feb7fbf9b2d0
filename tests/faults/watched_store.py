"""Secrets Manager in memory, as a place where something breaks."""

import copy
from collections.abc import Callable
from typing import TypeVar

from rekey.model import Label, SecretMetadata, SecretVersion
from tests.faults.effects import Effects, Kind
from tests.secret_store import SecretStoreInMemory, StoredSecret

T = TypeVar("T")


class WatchedStore(SecretStoreInMemory):
    """Secrets Manager in memory, every call an effect. It remembers its state before a write."""

    def __init__(self, effects: Effects) -> None:
        super().__init__()
        self.effects = effects
        self.before: dict[str, StoredSecret] = {}
        self.stale = False

    def _reading(self, name: str, do: Callable[[], T]) -> T:
        return self.effects.happen(Kind.READ, name, do)

    def _writing(self, name: str, do: Callable[[], T]) -> T:
        def write() -> T:
            self.before = copy.deepcopy(self.secrets)
            return do()

        return self.effects.happen(Kind.WRITE, name, write)

    def describe(self, secret_id: str) -> SecretMetadata:
        describe = super().describe
        return self._reading("DescribeSecret", lambda: describe(secret_id))

    def get_labelled(self, secret_id: str, label: Label) -> SecretVersion:
        get = super().get_labelled
        return self._reading(f"GetSecretValue {label}", lambda: get(secret_id, label))

    def get_version(
        self, secret_id: str, version_id: str, label: Label | None = None
    ) -> SecretVersion | None:
        get = super().get_version
        name = f"GetSecretValue {label or 'by id'}"
        return self._reading(name, lambda: get(secret_id, version_id, label))

    def put_version(
        self, secret_id: str, version: SecretVersion, *, rotation_token: str | None
    ) -> bool:
        put = super().put_version
        return self._writing(
            "PutSecretValue", lambda: put(secret_id, version, rotation_token=rotation_token)
        )

    def move_label(
        self, secret_id: str, label: Label, *, to: str | None, removed_from: str | None
    ) -> None:
        move = super().move_label
        self._writing(
            f"UpdateSecretVersionStage {label}",
            lambda: move(secret_id, label, to=to, removed_from=removed_from),
        )

    def not_seen_yet(self, do: Callable[[], T]) -> T:
        """Answer a read as if the last write had not happened yet."""
        now, self.secrets = self.secrets, self.before or self.secrets
        try:
            return do()
        finally:
            self.secrets = now

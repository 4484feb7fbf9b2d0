"""A secret, its rotation function and its server, driven as Secrets Manager drives them."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from rekey import rotation
from rekey.aws.superusers import Superusers
from rekey.credential import Credential
from rekey.model import (
    Circumstances,
    Deadline,
    Label,
    RotationRequest,
    Step,
    StepResult,
    WorkflowStep,
)
from rekey.passwords import PasswordRules
from rekey.ports import Engine
from tests.database import Server
from tests.secret_store import SecretStoreInMemory, StoredSecret

ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:app-AbCdEf"
SUPERUSER_ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:superuser-AbCdEf"

BY_HAND, GENERATE = Circumstances(), PasswordRules().generate


def new_token() -> str:
    return str(uuid.uuid4())


def never_rds() -> None:
    raise AssertionError("no superuser here is managed by RDS")


def run_step(
    request: RotationRequest,
    store: SecretStoreInMemory,
    engine: Engine,
    seconds: float,
    *,
    new_password: Callable[[], str] = GENERATE,
    wait: Callable[[float], None] = lambda _: None,
) -> StepResult:
    """One invocation of the core, for so long."""
    superusers = Superusers(store, never_rds)  # type: ignore[arg-type]  # it only raises
    deadline = Deadline.after(seconds)
    return rotation.run(
        rotation.Rotation(request, store, superusers, engine, new_password, deadline, wait)
    )


@dataclass
class World:
    """Real server, real core, real engine; Secrets Manager in memory."""

    server: Server
    alternating: bool = False
    store: SecretStoreInMemory = field(default_factory=SecretStoreInMemory)
    waited: list[float] = field(default_factory=list)
    seconds: float = 20.0
    """The time of one invocation."""
    new_password: Callable[[], str] = GENERATE

    def __post_init__(self) -> None:
        address = self.server.address
        keys = {"masterarn": SUPERUSER_ARN} if self.alternating else {}
        self.store.create(ARN, self.document(self.server.base, self.server.password, **keys))
        self.store.create(SUPERUSER_ARN, self.document(address.superuser, address.password))

    @property
    def secret(self) -> StoredSecret:
        return self.store.secrets[ARN]

    @property
    def engine(self) -> Engine:
        return self.server.engine

    def document(self, username: str, password: str, **keys: str) -> str:
        return json.dumps(dict(self.server.credential(username, password, **keys).document))

    def step(
        self,
        step: Step | WorkflowStep,
        token: str,
        rotation_token: str | None = None,
        circumstances: Circumstances = BY_HAND,
    ) -> StepResult:
        request = RotationRequest(step, ARN, token, rotation_token, circumstances)
        return run_step(
            request,
            self.store,
            self.engine,
            self.seconds,
            new_password=self.new_password,
            wait=self.waited.append,
        )

    def start(self, token: str | None = None) -> str:
        token = token or new_token()
        self.store.start_rotation(ARN, token)
        return token

    def rotate(self, token: str | None = None) -> str:
        """Run a whole rotation as the service does; its token."""
        token = self.start(token)
        for step in Step:
            self.step(step, token)
        self.store.end_rotation(ARN)
        return token

    def credential(self, label: Label) -> Credential | None:
        """The credential in the version with ``label``."""
        value = self.secret.values.get(self.secret.holder(label) or "")
        return None if value is None else Credential.parse(value, what=label)

    def logs_in(self, label: Label) -> bool:
        credential = self.credential(label)
        return credential is not None and self.server.logs_in(
            credential.username, credential.password
        )

    def settled(self) -> bool:
        """AWSCURRENT logs in, and AWSPENDING stands nowhere else."""
        return self.logs_in(Label.CURRENT) and self.secret.holder(Label.PENDING) is None

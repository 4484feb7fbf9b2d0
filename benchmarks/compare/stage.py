"""What the comparison runs on: an account, a PostgreSQL, and both sides deployed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pg8000.native

from benchmarks.compare.ca_file import trusting
from benchmarks.compare.templates import MODULE, Strategy, Templates
from local.certificates import Authority
from local.deploy import deploy, publish_ca_layer
from local.postgres import Postgres
from local.running_account import RunningAccount

HOST = "localhost"
"""libpq before version 15 finds no addresses in certificates."""

ROLE = "aws-templates"
SUPERUSER = "postgres"


@dataclass(frozen=True)
class Side:
    """One column of the table; `functions` are ARNs, `role` is the name of what they run under."""

    name: str
    functions: Mapping[Strategy, str]
    role: str


@dataclass(frozen=True)
class Target:
    """A server, and how the observer reaches it: without TLS where its certificate is wrong."""

    postgres: Postgres
    verified: bool = True

    def connect(
        self, user: str = SUPERUSER, password: str | None = None
    ) -> pg8000.native.Connection:
        if self.verified:
            return self.postgres.connect(user, password)
        secret = self.postgres.password if password is None else password
        host, port = self.postgres.host, self.postgres.port
        return pg8000.native.Connection(
            user, host=host, port=port, database="postgres", password=secret
        )

    def execute(self, *statements: str) -> list[list[Any]]:
        """The rows of the last one, as the superuser."""
        with self.connect() as connection:
            return [connection.run(statement) or [] for statement in statements][-1]

    def logs_in(self, user: str, password: str) -> bool:
        try:
            self.connect(user, password).close()
        except pg8000.native.DatabaseError:
            return False
        return True

    def log_size(self) -> int:
        return self.postgres.log.stat().st_size

    def log_since(self, size: int) -> str:
        return self.postgres.log.read_bytes()[size:].decode(errors="replace")


@dataclass(frozen=True)
class Stage:
    """`tls`: whether both sides trust the authority, so that TLS can be compared.

    `limits` are Timeout and MemorySize, which Rekey's template states and theirs do not.
    """

    account: RunningAccount
    authority: Authority
    target: Target
    sides: tuple[Side, Side]
    tls: bool
    limits: Mapping[str, int]

    @property
    def secrets_manager(self) -> Any:
        return self.account.client("secretsmanager")


@contextmanager
def set_up(templates: Templates, packages: Path) -> Iterator[Stage]:
    """Starts and deploys everything; it is gone when the block ends."""
    authority = Authority.create()
    with ExitStack() as started:
        tls = started.enter_context(trusting(authority.pem))
        postgres = started.enter_context(Postgres(authority=authority, allow_plain=not tls))
        account = started.enter_context(RunningAccount())
        target = Target(postgres)
        target.execute("CREATE EXTENSION pg_stat_statements")
        rekey, limits = _deploy_rekey(account, authority)
        sides = (_deploy_templates(account, templates, packages, limits), rekey)
        yield Stage(account, authority, target, sides, tls, limits)


def _deploy_rekey(account: RunningAccount, authority: Authority) -> tuple[Side, dict[str, int]]:
    layer = publish_ca_layer(account.port, authority.pem)
    arn = deploy(account.port, {"CaBundleLayerArn": layer, "Monitoring": "false"})[
        "RotatePostgresqlFunctionArn"
    ]
    configuration = account.client("lambda").get_function_configuration(FunctionName=arn)
    side = Side("Rekey", dict.fromkeys(Strategy, arn), configuration["Role"].rpartition("/")[2])
    return side, {name: configuration[name] for name in ("Timeout", "MemorySize")}


def _deploy_templates(
    account: RunningAccount, templates: Templates, packages: Path, limits: Mapping[str, int]
) -> Side:
    trust = _allow("sts:AssumeRole", Principal={"Service": "lambda.amazonaws.com"})
    role = account.client("iam").create_role(
        RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(trust)
    )["Role"]["Arn"]
    own = {"Role": role, **limits}
    functions = {
        strategy: _create_function(
            account, strategy, Code={"ZipFile": templates.archive(strategy, packages)}, **own
        )
        for strategy in Strategy
    }
    grant(account, ROLE, "rotate", _rights(list(functions.values())))
    return Side("AWS's templates", functions, ROLE)


def _create_function(account: RunningAccount, strategy: Strategy, **own: Any) -> str:
    """As AWS's documentation has it created; its ARN."""
    client, name = account.client("lambda"), f"aws-{strategy.replace(' ', '-')}"
    arn = client.create_function(
        FunctionName=name,
        Runtime=f"python3.{sys.version_info.minor}",
        Handler=f"{MODULE}.lambda_handler",
        Environment={"Variables": {"SECRETS_MANAGER_ENDPOINT": account.endpoint}},
        **own,
    )["FunctionArn"]
    client.add_permission(
        FunctionName=name,
        StatementId="secrets-manager",
        Action="lambda:InvokeFunction",
        Principal="secretsmanager.amazonaws.com",
    )
    return str(arn)


def _rights(functions: list[str]) -> dict[str, Any]:
    """What the user guide gives rotation functions ("Lambda rotation function permissions")."""
    rotate = _allow(
        "secretsmanager:DescribeSecret",
        "secretsmanager:GetSecretValue",
        "secretsmanager:PutSecretValue",
        "secretsmanager:UpdateSecretVersionStage",
        Resource="*",
        Condition={"StringEquals": {"secretsmanager:resource/AllowRotationLambdaArn": functions}},
    )
    random = _allow("secretsmanager:GetRandomPassword", Resource="*")
    superuser = _allow(
        "secretsmanager:GetSecretValue",
        Resource="*",
        Condition={"StringEquals": {"secretsmanager:ResourceTag/rekey:superuser": "true"}},
    )
    statements = [part["Statement"][0] for part in (rotate, random, superuser)]
    return {"Version": "2012-10-17", "Statement": statements}


def _allow(*actions: str, effect: str = "Allow", **members: Any) -> dict[str, Any]:
    statement = {"Effect": effect, "Action": list(actions), **members}
    return {"Version": "2012-10-17", "Statement": [statement]}


def grant(account: RunningAccount, role: str, name: str, policy: Mapping[str, Any]) -> None:
    account.client("iam").put_role_policy(
        RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy)
    )


@contextmanager
def forbidden(stage: Stage, side: Side, action: str) -> Iterator[None]:
    """The side's functions may not do this while the block runs."""
    grant(stage.account, side.role, "cut", _allow(action, effect="Deny", Resource="*"))
    try:
        yield
    finally:
        stage.account.client("iam").delete_role_policy(RoleName=side.role, PolicyName="cut")

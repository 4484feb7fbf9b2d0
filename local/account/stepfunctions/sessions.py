"""The role session under which an execution's tasks run."""

from __future__ import annotations

import hashlib
import time
from contextvars import ContextVar
from typing import Any

from ministack.services import stepfunctions, sts

SESSION_SECONDS = 3600

Execution = dict[str, Any]

running: ContextVar[Execution | None] = ContextVar("running_execution", default=None)
"""The execution whose task is carried out; threads that MiniStack starts for a task inherit it."""


def role_of(execution: Execution) -> str:
    """The role's ARN; for a child of a distributed map, that of the machine it is part of."""
    machine = execution["stateMachineArn"].partition("/")[0]
    return str(stepfunctions._state_machines[machine]["roleArn"])


def access_key_of(execution: Execution) -> str:
    """The key of a session of the role, one for each execution, under a name without meaning."""
    role = role_of(execution)
    digest = hashlib.sha256(f"{role} {execution['executionArn']}".encode()).hexdigest()
    key = f"ASIA{digest[:16].upper()}"
    session = sts._sessions.get(key)
    if session is None or session["Expiration"] < time.time() + SESSION_SECONDS / 2:
        sts.register_session(key, _session(role, digest))
    return key


def principal_of(access_key: str) -> str:
    return str(sts._sessions[access_key]["Arn"])


def _session(role: str, digest: str) -> dict[str, Any]:
    account, role_name = role.split(":")[4], role.rpartition("/")[2]
    session_name = digest[16:48]
    return {
        "Arn": f"arn:aws:sts::{account}:assumed-role/{role_name}/{session_name}",
        "UserId": f"{role_name}:{session_name}",
        "SecretAccessKey": digest,
        "SessionToken": digest,
        "Expiration": time.time() + SESSION_SECONDS,
    }


def install() -> None:
    stock = stepfunctions._execute_task

    def execute_task(state: Any, given: Any, execution: Execution, context: Any) -> Any:
        before = running.set(execution)
        try:
            return stock(state, given, execution, context)
        finally:
            running.reset(before)

    stepfunctions._execute_task = execute_task

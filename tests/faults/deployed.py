"""The deployed function, really killed: at a call to Secrets Manager, or at a turn on the server.

Both go through a proxy each. When the proxy is at the place, it ends the function's process with
SIGKILL, and the request or the reply with it.
"""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum, unique
from pathlib import Path
from typing import Any

from local.postgres import Postgres
from tests.conftest import Deployed
from tests.end_to_end.application import Application, function_text, retries, wait_for
from tests.faults.proxy import HOST, Cut, Proxy

ENDPOINT = "AWS_ENDPOINT_URL_SECRETS_MANAGER"
"""Botocore asks this one first (AWS SDKs and Tools Reference Guide, service-specific endpoints)."""

TRIES = 3
ATTEMPTS = 3


@unique
class Way(StrEnum):
    """What lies between the function and the place where it is killed."""

    SECRETS_MANAGER = "Secrets Manager"
    SERVER = "server"


@dataclass(frozen=True)
class KillPoint:
    """Kill it at the ``at``-th turn on that way, before the request or before the reply."""

    alternating: bool
    way: Way
    at: int
    cut: Cut

    def __str__(self) -> str:
        """What a failure prints."""
        strategy = "alternating-users" if self.alternating else "single-user"
        return f"{strategy}, {self.way} turn {self.at}: killed, {self.cut.value}"


@dataclass
class Function:
    """The deployed rotation function, with a proxy on each of its ways."""

    deployed: Deployed
    postgres: Postgres
    ways: dict[Way, Proxy]
    killed: list[int] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.deployed.rotation_function_arn.rpartition(":")[2]

    def kill(self) -> None:
        """End every process of the function at once."""
        for pid in processes_of(self.name):
            os.kill(pid, signal.SIGKILL)
            self.killed.append(pid)

    def application(self, *, alternating: bool) -> Application:
        """A user and its secret, which names the proxy's port."""
        return Application(
            self.deployed,
            postgres=self.postgres,
            alternating=alternating,
            keys={"port": self.ways[Way.SERVER].port},
        )


def processes_of(name: str) -> list[int]:
    """The processes in which a function runs."""
    wanted = f"AWS_LAMBDA_FUNCTION_NAME={name}\0".encode()
    return [
        int(path.parent.name) for path in Path("/proc").glob("[0-9]*/environ") if _has(path, wanted)
    ]


def _has(path: Path, wanted: bytes) -> bool:
    try:
        return wanted in path.read_bytes()
    except OSError:
        return False


@contextmanager
def reached_through_proxies(deployed: Deployed, postgres: Postgres) -> Iterator[Function]:
    """Let the function reach Secrets Manager and the server through a proxy each."""
    ways = {
        Way.SECRETS_MANAGER: Proxy((HOST, deployed.account.port)),
        Way.SERVER: Proxy((postgres.host, postgres.port)),
    }
    function = Function(deployed, postgres, ways)
    client = deployed.account.client("lambda")
    before = client.get_function_configuration(FunctionName=function.name)["Environment"]
    endpoint = f"http://{HOST}:{ways[Way.SECRETS_MANAGER].port}"
    with ways[Way.SECRETS_MANAGER], ways[Way.SERVER], retries(deployed, ATTEMPTS):
        _configure(client, function, {**before["Variables"], ENDPOINT: endpoint})
        try:
            yield function
        finally:
            _configure(client, function, before["Variables"])


def _configure(client: Any, function: Function, variables: dict[str, str]) -> None:
    client.update_function_configuration(
        FunctionName=function.name, Environment={"Variables": variables}
    )
    function.kill()  # Lambda would replace them too.
    function.killed.clear()


def kill_points(function: Function, *, alternating: bool, way: Way) -> list[KillPoint]:
    """All places on one way, found by running a rotation."""
    application = function.application(alternating=alternating)
    for proxy in function.ways.values():
        proxy.arm(None)
    assert application.rotate_and_wait()["eventName"] == "RotationSucceeded"
    proxy = function.ways[way]
    before = [KillPoint(alternating, way, at, Cut.BEFORE_REQUEST) for at in range(proxy.turns)]
    after = [KillPoint(alternating, way, at, Cut.BEFORE_REPLY) for at in sorted(proxy.answered)]
    return sorted([*before, *after], key=lambda point: (point.at, point.cut))


def kill_at(function: Function, point: KillPoint) -> list[str]:
    """Kill it there; what did not hold, in words."""
    wrong = _kill_once(function, point)
    # Records of TLS are cut now and then in another way, and this run had fewer turns.
    tries = 1
    while not function.killed and tries < TRIES:
        tries += 1
        wrong += _kill_once(function, point)
    return wrong if function.killed else [*wrong, f"nothing was killed in {TRIES} rotations"]


def _kill_once(function: Function, point: KillPoint) -> list[str]:
    application = function.application(alternating=point.alternating)
    wrong: list[str] = []

    def struck() -> None:
        function.kill()
        wrong.extend(_locked_out(application, point))

    for way, proxy in function.ways.items():
        proxy.struck = struck
        proxy.arm(point.cut if way is point.way else None, point.at)
    function.killed.clear()
    first = application.value("AWSCURRENT")
    end = application.rotate_and_wait()["eventName"]
    for proxy in function.ways.values():
        proxy.arm(None)
    wrong += _ended_wrong(application, first, end)
    return [*wrong, *_locked_out(application, point), *_leaks(application)]


def _locked_out(application: Application, point: KillPoint) -> list[str]:
    """Whether nobody gets in, at this instant."""
    live = [
        labels
        for version, labels in application.labels().items()
        if labels and _logs_in(application, version)
    ]
    if not live:
        return ["locked out: no labelled version logs in"]
    if point.alternating and not any("AWSCURRENT" in labels for labels in live):
        return ["locked out: AWSCURRENT does not log in"]
    return []


def _logs_in(application: Application, version: str) -> bool:
    client = application.client
    try:
        value = client.get_secret_value(SecretId=application.arn, VersionId=version)
    except client.exceptions.ResourceNotFoundException:
        return False  # The service has made the version, and it has no value yet.
    document = json.loads(value["SecretString"])
    application.passwords.append(document["password"])
    return application.refusal(document["username"], document["password"]) is None


def _ended_wrong(application: Application, first: dict[str, Any], end: str) -> list[str]:
    wrong = [] if end == "RotationSucceeded" else [f"not converged: {end}"]
    wait_for(lambda: not application.rotating(), "the service to finish its work")
    holders = {label for labels in application.labels().values() for label in labels}
    if "AWSPENDING" in holders and not any(
        {"AWSPENDING", "AWSCURRENT"} <= set(labels) for labels in application.labels().values()
    ):
        wrong.append("not converged: AWSPENDING stands on a version of its own")
    current = application.value("AWSCURRENT")
    if current == first or application.value("AWSPREVIOUS") != first:
        wrong.append("not converged: AWSCURRENT or AWSPREVIOUS")
    with application.postgres.connect(current["username"], current["password"]) as connection:
        acts_as = connection.run("SELECT current_user::text")[0][0]
    if acts_as != application.name:
        wrong.append(f"the login acts as {acts_as}")
    return wrong


def _leaks(application: Application) -> list[str]:
    written = "\n".join(function_text(application.deployed))
    return (
        ["leaked in the function's log"] if any(p in written for p in application.passwords) else []
    )

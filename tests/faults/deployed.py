"""The deployed function, really killed: at a call to Secrets Manager, or at a turn on the server.

Both go through a proxy each. When the proxy is at the place, it ends the function's process with
SIGKILL, and the request or the reply with it.
"""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum, unique
from pathlib import Path
from typing import Any

from local.processes import send
from rekey.credential import Credential
from rekey.model import Strategy
from tests.conftest import Deployed
from tests.end_to_end.application import Application, Rotated, function_text, retries, wait_for
from tests.end_to_end.mysql_application import MysqlApplication
from tests.faults.proxy import HOST, TRIES, Cut, Proxy, Turn
from tests.faults.target import Target

ENDPOINT = "AWS_ENDPOINT_URL_SECRETS_MANAGER"
"""Botocore asks this one first (AWS SDKs and Tools Reference Guide, service-specific endpoints)."""

ATTEMPTS = 2
"""The one in which it is killed, and one more."""


@unique
class Way(StrEnum):
    """What lies between the function and the place where it is killed."""

    SECRETS_MANAGER = "Secrets Manager"
    SERVER = "server"


@unique
class What(StrEnum):
    """What the function is killed in."""

    ROTATION = "rotation"
    RETIREMENT = "retirement"


@dataclass(frozen=True)
class KillPoint:
    """Kill it at a turn on that way, before the request or before the reply."""

    engine: str
    strategy: Strategy
    what: What
    way: Way
    at: Turn
    cut: Cut

    def __str__(self) -> str:
        """What a failure prints."""
        where = f"{self.engine}, {self.strategy}, {self.what}"
        return f"{where}, {self.way} turn {self.at}: killed, {self.cut.value}"


@dataclass
class Function:
    """The deployed rotation function, with a proxy on each of its ways."""

    deployed: Deployed
    target: Target
    ways: dict[Way, Proxy]
    killed: list[int] = field(default_factory=list)

    @property
    def name(self) -> str:
        name = self.deployed.rotation_function_arn.rpartition(":")[2]
        return name if self.target.name == "postgres" else name.replace("postgresql", "mysql")

    def kill(self) -> None:
        """End every process of the function at once."""
        running = processes_of(self.deployed.account.endpoint, self.name)
        send(signal.SIGKILL, running)
        self.killed += running

    def application(self, strategy: Strategy) -> Application | MysqlApplication:
        """A user and its secret, which names the proxy's port."""
        server, keys = self.target.running, {"port": self.ways[Way.SERVER].port}
        if self.target.name == "postgres":
            alternating = strategy is Strategy.ALTERNATING_USERS
            return Application(self.deployed, server, alternating=alternating, keys=keys)
        return MysqlApplication(self.deployed, server, self.target.name, strategy, keys=keys)


def processes_of(endpoint: str, function: str) -> list[int]:
    """The processes in which a function runs, of the account there: others may run theirs."""
    said = (f"AWS_LAMBDA_FUNCTION_NAME={function}", f"AWS_ENDPOINT_URL={endpoint}")
    wanted = {text.encode() for text in said}
    every = Path("/proc").glob("[0-9]*/environ")
    return [int(path.parent.name) for path in every if wanted <= _variables(path)]


def _variables(path: Path) -> set[bytes]:
    try:
        return set(path.read_bytes().split(b"\0"))
    except OSError:
        return set()


@contextmanager
def reached_through_proxies(deployed: Deployed, target: Target) -> Iterator[Function]:
    """Let the function reach Secrets Manager and the server through a proxy each."""
    ways = {
        Way.SECRETS_MANAGER: Proxy((HOST, deployed.account.port)),
        Way.SERVER: Proxy(target.address),
    }
    function = Function(deployed, target, ways)
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


def kill_points(
    function: Function, strategy: Strategy, way: Way, what: What = What.ROTATION
) -> list[KillPoint]:
    """All places on one way, found by running a rotation, or the retirement after one.

    Records of TLS are cut in another way now and then: what counts is what two runs have in common.
    """
    places = sorted(set.intersection(*(_places(function, strategy, way, what) for _ in range(2))))
    engine = function.target.name
    return [KillPoint(engine, strategy, what, way, at, cut) for at, cut in places]


def _places(function: Function, strategy: Strategy, way: Way, what: What) -> set[tuple[Turn, Cut]]:
    application = _about_to(what, function, strategy)
    for proxy in function.ways.values():
        proxy.arm(None)
    assert _run(what, application)
    proxy = function.ways[way]
    return {
        *((at, Cut.BEFORE_REQUEST) for at in proxy.turns),
        *((at, Cut.BEFORE_REPLY) for at in proxy.answered),
    }


def _about_to(what: What, function: Function, strategy: Strategy) -> Application | MysqlApplication:
    """An application whose rotation, or retirement, comes next."""
    application = function.application(strategy)
    if what is What.RETIREMENT:
        for proxy in function.ways.values():
            proxy.arm(None)
        assert _run(What.ROTATION, application)
    return application


def _run(what: What, application: Application | MysqlApplication) -> bool:
    """Run it as often as its caller would; whether it ended right."""
    if what is What.ROTATION:
        return bool(application.rotate_and_wait()["eventName"] == "RotationSucceeded")
    assert isinstance(application, MysqlApplication)
    return any(application.retire().get("outcome") == "retired" for _ in range(ATTEMPTS))


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
    application = _about_to(point.what, function, point.strategy)
    wrong: list[str] = []

    def struck() -> None:
        function.kill()
        wrong.extend(_locked_out(application, point))

    for way, proxy in function.ways.items():
        proxy.struck = struck
        proxy.arm(point.cut if way is point.way else None, point.at)
    function.killed.clear()
    first = application.value("AWSCURRENT")
    if not _run(point.what, application):
        wrong.append(f"not converged: the {point.what} did not end right")
    for proxy in function.ways.values():
        proxy.arm(None)
    if point.what is What.ROTATION:
        wrong += _ended_wrong(function, application, first)
    else:
        wrong += _retired_wrong(application, first)
    return [*wrong, *_locked_out(application, point), *_leaks(application)]


def _locked_out(application: Rotated, point: KillPoint) -> list[str]:
    """Whether nobody gets in, at this instant."""
    live = [
        labels
        for version, labels in application.labels().items()
        if labels and _logs_in(application, version)
    ]
    if not live:
        return ["locked out: no labelled version logs in"]
    if point.strategy is not Strategy.SINGLE_USER and not any(
        "AWSCURRENT" in labels for labels in live
    ):
        return ["locked out: AWSCURRENT does not log in"]
    return []


def _logs_in(application: Rotated, version: str) -> bool:
    client = application.client
    try:
        value = client.get_secret_value(SecretId=application.arn, VersionId=version)
    except client.exceptions.ResourceNotFoundException:
        return False  # The service has made the version, and it has no value yet.
    document = json.loads(value["SecretString"])
    application.passwords.append(document["password"])
    return application.refusal(document["username"], document["password"]) is None


def _ended_wrong(
    function: Function,
    application: Application | MysqlApplication,
    first: dict[str, Any],
) -> list[str]:
    wrong = []
    wait_for(lambda: not application.rotating(), "the service to finish its work")
    holders = {label for labels in application.labels().values() for label in labels}
    if "AWSPENDING" in holders and not any(
        {"AWSPENDING", "AWSCURRENT"} <= set(labels) for labels in application.labels().values()
    ):
        wrong.append("not converged: AWSPENDING stands on a version of its own")
    current = application.value("AWSCURRENT")
    if current == first or application.value("AWSPREVIOUS") != first:
        wrong.append("not converged: AWSCURRENT or AWSPREVIOUS")
    server = function.target.server(application.name, "")
    credential = Credential.parse(json.dumps(current), what="AWSCURRENT")
    wrong += function.target.differs(server, credential)
    return wrong


def _retired_wrong(application: Rotated, first: dict[str, Any]) -> list[str]:
    """AWSCURRENT is what it was, and no other password logs in."""
    wrong = [] if application.value("AWSCURRENT") == first else ["AWSCURRENT has moved"]
    previous = application.value("AWSPREVIOUS")
    if application.refusal(previous["username"], previous["password"]) is None:
        wrong.append("not retired: AWSPREVIOUS logs in")
    return wrong


def _leaks(application: Rotated) -> list[str]:
    written = "\n".join(function_text(application.deployed, application.function_arn))
    return (
        ["leaked in the function's log"] if any(p in written for p in application.passwords) else []
    )

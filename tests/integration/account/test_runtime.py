"""Functions run as on Lambda: behind the real runtime client, and without this machine's things."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.running_account import AccountError, RunningAccount

from .conftest import RUNTIME, Account, until, zipped


def test_the_class_of_an_exception_is_the_error_type(account: Account) -> None:
    function = account.function("""
        class RoleMissingError(Exception): pass
        def handler(event, context): raise RoleMissingError("no such role")
    """)
    payload, failed = account.invoke(function)
    assert (failed, payload["errorType"]) == ("Unhandled", "RoleMissingError")
    assert payload["errorMessage"] == "no such role"


def test_a_function_sees_nothing_of_the_host(account: Account) -> None:
    os.environ.setdefault("REKEY_ONLY_ON_THE_HOST", "1")
    function = account.function(
        """
        import os, sys
        def handler(event, context):
            try:
                import ministack
            except ModuleNotFoundError as error:
                missing = error.name
            return {"missing": missing, "environment": dict(os.environ), "path": sys.path}
        """,
        Environment={"Variables": {"OWN": "value", "AWS_REGION": "nowhere"}},
    )
    payload, _ = account.invoke(function)
    environment = payload["environment"]
    assert payload["missing"] == "ministack"
    assert environment["OWN"] == "value"
    assert environment["AWS_REGION"] == "us-east-1"
    assert environment["AWS_EXECUTION_ENV"] == f"AWS_Lambda_{RUNTIME}"
    assert not [variable for variable in environment if variable.startswith("REKEY_")]
    assert environment["HOME"] != os.environ["HOME"]


def test_a_function_acts_under_its_own_role(account: Account) -> None:
    function = account.function("""
        import boto3
        def handler(event, context):
            who = boto3.client("sts").get_caller_identity()["Arn"]
            try:
                boto3.client("secretsmanager").get_secret_value(SecretId="any")
            except Exception as error:
                return {"who": who, "error": error.response["Error"]["Code"]}
    """)
    payload, _ = account.invoke(function)
    function_name = function.rsplit(":", 1)[1]
    assert ":assumed-role/role-" in payload["who"]
    assert payload["who"].endswith(f"/{function_name}")
    assert payload["error"] == "AccessDeniedException"


def test_layers_are_merged_into_one_folder_beside_the_function(account: Account) -> None:
    layers = [
        account.client("lambda").publish_layer_version(
            LayerName=f"layer-{number}", Content={"ZipFile": zipped(files)}
        )["LayerVersionArn"]
        for number, files in enumerate(
            [
                {"python/first.py": "NAME = 'first'", "python/both.py": "NAME = 'first'"},
                {"python/both.py": "NAME = 'second'", "certificates/own.pem": "PEM"},
            ]
        )
    ]
    function = account.function(
        """
        import pathlib, first, both
        def handler(event, context):
            opt = pathlib.Path(both.__file__).parents[1]
            return [first.NAME, both.NAME, (opt / "certificates/own.pem").read_text()]
        """,
        Layers=layers,
    )
    payload, _ = account.invoke(function)
    assert payload == ["first", "second", "PEM"]


def test_a_warm_process_is_used_again_also_after_an_error(account: Account) -> None:
    function = account.function("""
        import os
        def handler(event, context):
            if event.get("fail"): raise ValueError("asked to")
            return os.getpid()
    """)
    first, _ = account.invoke(function)
    account.invoke(function, {"fail": True})
    assert account.invoke(function) == (first, None)


def test_a_function_over_its_time_limit_is_ended(account: Account) -> None:
    function = account.function(
        """
        import time
        def handler(event, context): time.sleep(event["seconds"]); return "done"
        """,
        Timeout=1,
    )
    payload, failed = account.invoke(function, {"seconds": 30})
    assert (failed, payload["errorType"]) == ("Unhandled", "Sandbox.Timedout")
    assert account.invoke(function, {"seconds": 0}) == ("done", None)


def test_the_log_says_that_a_function_timed_out(account: Account) -> None:
    function = account.function(
        """
        import time
        def handler(event, context): print("begun", flush=True); time.sleep(30)
        """,
        Timeout=1,
    )
    account.invoke(function)
    group = f"/aws/lambda/{function.rpartition(':')[2]}"
    events = account.client("logs").filter_log_events(logGroupName=group)["events"]
    said = [event["message"].strip() for event in events]
    assert said.index("begun") < next(
        number
        for number, line in enumerate(said)
        if line.endswith("Task timed out after 1.00 seconds")
    )


@pytest.mark.parametrize(
    ("source", "error_type"),
    [
        ("import a_package_that_nobody_named", "Runtime.ImportModuleError"),
        ("raise KeyError('at import')", "KeyError"),
        ("import os\ndef handler(event, context): os._exit(3)", "Runtime.ExitError"),
    ],
)
def test_a_function_that_cannot_run_says_why(
    account: Account, source: str, error_type: str
) -> None:
    payload, failed = account.invoke(account.function(source))
    assert failed == "Unhandled"
    assert error_type in (payload["errorType"] + payload["errorMessage"])


def test_a_function_for_another_python_is_refused_by_name(account: Account) -> None:
    function = account.function("def handler(event, context): pass", Runtime="python3.8")
    payload, _ = account.invoke(function)
    assert payload["errorType"] == "Runtime.InvalidRuntime"
    assert "REKEY_LAMBDA_PYTHON" in payload["errorMessage"]


def test_what_a_function_prints_stands_in_its_log_group(account: Account) -> None:
    function = account.function("def handler(event, context): print('a line of its own')")
    account.invoke(function)
    group = f"/aws/lambda/{function.rsplit(':', 1)[1]}"
    events = account.client("logs").filter_log_events(logGroupName=group)["events"]
    messages = [event["message"] for event in events]
    assert "a line of its own" in messages
    assert messages[0].startswith("START RequestId")
    assert messages[-1].startswith("REPORT")


def _started(running: RunningAccount) -> list[int]:
    """The process of a function that has run in this account."""
    account = Account(running)
    source = "import os\ndef handler(event, context): return [os.getpid()]"
    payload, _ = account.invoke(account.function(source))
    return list(payload)


def _gone(pids: list[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_nothing_is_left_when_the_account_ends(tmp_path: Path) -> None:
    with RunningAccount({"TMPDIR": str(tmp_path)}) as running:
        started = _started(running)
        assert list(tmp_path.iterdir())
    assert list(tmp_path.iterdir()) == []
    assert _gone(started)


def test_functions_end_even_if_the_account_is_killed(tmp_path: Path) -> None:
    with RunningAccount({"TMPDIR": str(tmp_path)}) as running:
        started = _started(running)
        os.kill(_owner(running.port), signal.SIGKILL)
        until(lambda: _gone(started))


def test_only_so_many_idle_processes_are_kept() -> None:
    with RunningAccount({"REKEY_WARM_FUNCTIONS": "2"}) as running:
        started = [_started(running) for _ in range(4)]
        until(lambda: _gone(started[0]))
        assert not any(_gone(pids) for pids in started[1:])


def _listening() -> Iterator[tuple[str, str]]:
    """Address and inode of every listening socket of this machine."""
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                yield fields[1], f"socket:[{fields[9]}]"


def _sockets(pid: int) -> set[str]:
    folder = Path(f"/proc/{pid}/fd")
    return {str(link.readlink()) for link in folder.iterdir() if link.is_symlink()}


def _owner(port: int) -> int:
    """The process that listens on this port of the loopback address."""
    inode = dict(_listening())[f"0100007F:{port:04X}"]
    own = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    return next(pid for pid in own if inode in _readable_sockets(pid))


def _readable_sockets(pid: int) -> set[str]:
    try:
        return _sockets(pid)
    except (FileNotFoundError, PermissionError):
        return set()  # it has ended meanwhile, or is somebody else's


def test_only_the_loopback_address_is_listened_on() -> None:
    with RunningAccount() as running:
        own = _sockets(_owner(running.port))
        addresses = [address for address, inode in _listening() if inode in own]
    assert addresses == [f"0100007F:{running.port:04X}"]


def test_a_port_that_is_taken_is_said_at_once() -> None:
    with RunningAccount() as running, pytest.raises(AccountError, match="Address already in use"):
        RunningAccount({"REKEY_PORT": str(running.port)}).__enter__()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("REKEY_PORT", "http"),
        ("REKEY_WARM_FUNCTIONS", "0"),
        ("REKEY_ROTATION_ATTEMPTS", "0"),
        ("REKEY_ROTATION_DELAYS", "soon"),
        ("REKEY_LAMBDA_PYTHON", "/nowhere/python"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(variable: str, value: str) -> None:
    with pytest.raises(AccountError, match=variable):
        RunningAccount({variable: value}).__enter__()

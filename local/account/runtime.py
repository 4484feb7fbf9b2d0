"""Lambda functions run behind AWS's own runtime client, in a clean environment.

MiniStack's worker for `provided` runtimes speaks the real Runtime API. Here it starts
`python -m awslambdaric <handler>` with the Python of an environment that holds awslambdaric and
boto3 only, so that a package missing from a function's requirements is missing here as well, and
class names of exceptions reach `errorType` and with it the ErrorEquals of state machines.
"""

from __future__ import annotations

import hashlib
import io
import os
import queue
import shutil
import socketserver
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime
from ministack.core.responses import new_uuid
from ministack.services import lambda_svc

from local.account.settings import SettingsError

TIMED_OUT = "Sandbox.Timedout"
_extraction = threading.Lock()


class PythonWorker(lambda_runtime.ProvidedWorker):  # type: ignore[misc]  # MiniStack has no types
    """One execution environment of a Python function: a process, and the API that it polls."""

    python: Path
    runtime: str
    most_idle: int
    stopped = False
    _tmpdir: str | None

    def invoke(self, event: Any, request_id: str, **extras: Any) -> dict[str, Any]:
        """The real Runtime API carries neither recursion depth nor durable executions."""
        extras.pop("depth", None)
        extras.pop("durable", None)
        answer: dict[str, Any] = super().invoke(event, request_id, **extras)
        if answer.get("error_payload", {}).get("errorType") == TIMED_OUT:
            # Nothing but this line, which is Lambda's own, tells an operator what happened.
            answer["log"] = f"{answer.get('log') or ''}\n{request_id} {answer['error']}".lstrip()
        return answer

    def _spawn(self, init_timeout: float | None = None) -> None:
        self._teardown()
        self._refuse_what_cannot_run()
        lambda_runtime.kill_workers(_surplus(self.most_idle))
        pending, log = self._new_generation()
        try:
            port = self._serve_runtime_api(pending)
            self._start_process(port, log)
            self._await_init(init_timeout)
        except BaseException:
            self._teardown()
            raise

    def _refuse_what_cannot_run(self) -> None:
        wanted = self.config.get("Runtime")
        if self.stopped:
            raise RuntimeError("the account is shutting down")
        if wanted != self.runtime:
            raise lambda_runtime.ProvidedRuntimeError(
                f"{self.func_name} names {wanted}, and functions run on {self.runtime} here: "
                "point REKEY_LAMBDA_PYTHON at another Python that has awslambdaric and boto3",
                "Runtime.InvalidRuntime",
            )

    def _new_generation(self) -> tuple[queue.Queue[Any], queue.Queue[str]]:
        """A late answer of the process that this one replaces must not reach the new one."""
        pending: queue.Queue[Any] = queue.Queue(maxsize=1)
        log: queue.Queue[str] = queue.Queue(maxsize=10_000)
        with self._state_lock:
            self._generation += 1
            self._stopping = False
            for event in (self._first_poll, self._init_settled, self._response_ready):
                event.clear()
            self._init_error = self._current_request_id = None
            self._result: dict[str, Any] = {}
            self._pending, self._stderr_queue = pending, log
        return pending, log

    def _serve_runtime_api(self, pending: queue.Queue[Any]) -> int:
        handler = self._build_handler_class(self._generation, pending)
        self._server = _RuntimeApi(("127.0.0.1", 0), handler)
        self._server_thread = _daemon(
            f"runtime-api-{self.func_name}", self._server.serve_forever, 0.05
        )
        return int(self._server.server_address[1])

    def _start_process(self, port: int, log: queue.Queue[str]) -> None:
        task = _extracted([self.code_zip])
        layers = map(lambda_svc._resolve_layer_zip, self.config.get("Layers") or [])
        opt = _extracted([layer for layer in layers if layer])
        self._tmpdir = tempfile.mkdtemp(prefix=f"function-{self.func_name}-")
        self._proc = subprocess.Popen(
            [str(self.python), "-m", "awslambdaric", self.config.get("Handler", "")],
            cwd=task,
            env=_environment(self.config, task, opt, self._tmpdir, port),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in a terminal is the account's, not the function's
        )
        self._log_thread = self._stderr_thread = _daemon(
            f"log-{self.func_name}", self._pump_output, self._proc.stdout, log
        )

    def _teardown(self) -> None:
        super()._teardown()
        self._remove_folder()

    def _discard_tmpdir(self) -> None:
        super()._discard_tmpdir()
        self._remove_folder()

    def _remove_folder(self) -> None:
        folder, self._tmpdir = self._tmpdir, None
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


class _RuntimeApi(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A function that was killed leaves its connection: that is no news."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def _daemon(name: str, target: Callable[..., object], *args: Any) -> threading.Thread:
    thread = threading.Thread(target=target, args=args, name=name, daemon=True)
    thread.start()
    return thread


def _extracted(archives: Iterable[bytes]) -> str:
    """One folder with the archives' files, later ones over earlier ones, as Lambda fills /opt.

    Shared by all processes with the same content, like the read-only folders on AWS.
    """
    contents = list(archives)
    digest = hashlib.sha256(b"".join(hashlib.sha256(c).digest() for c in contents)).hexdigest()
    folder = Path(tempfile.gettempdir()) / "extracted" / digest
    with _extraction:
        if not folder.is_dir():
            unfinished = folder.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(parents=True)
            for content in contents:
                with zipfile.ZipFile(io.BytesIO(content)) as archive:
                    lambda_svc._extract_zip_preserving_mode(archive, str(unfinished))
            unfinished.rename(folder)
    return str(folder)


def _environment(
    config: dict[str, Any], task: str, opt: str, folder: str, port: int
) -> dict[str, str]:
    """What a function sees: Lambda's own variables and its configured ones, nothing of the host.

    HOME points into its folder so that no configuration file of this machine's user is read.
    """
    runtime = config["Runtime"]
    region = config["FunctionArn"].split(":")[3]
    logging = config.get("LoggingConfig") or {}
    own = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "HOME": folder,
        "TMPDIR": folder,
        "PYTHONPATH": os.pathsep.join(
            [task, f"{opt}/python/lib/{runtime}/site-packages", f"{opt}/python"]
        ),
        "LAMBDA_TASK_ROOT": task,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime}",
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_FUNCTION_NAME": config["FunctionName"],
        "AWS_LAMBDA_FUNCTION_VERSION": config.get("Version", "$LATEST"),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config.get("MemorySize", 128)),
        "AWS_LAMBDA_LOG_GROUP_NAME": logging.get(
            "LogGroup", f"/aws/lambda/{config['FunctionName']}"
        ),
        "AWS_LAMBDA_LOG_STREAM_NAME": new_uuid(),
        "AWS_LAMBDA_LOG_FORMAT": logging.get("LogFormat", "Text"),
        "_HANDLER": config.get("Handler", ""),
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        **lambda_runtime.execution_credentials(config),
    }
    configured = lambda_svc._runtime_env_vars(config)
    endpoint = {"AWS_ENDPOINT_URL": os.environ["AWS_ENDPOINT_URL"]}
    return {**own, **configured, **endpoint}


def runtime_of(python: Path) -> str:
    """The name that Lambda has for this Python's version, such as `python3.13`."""
    program = "import awslambdaric, boto3, sys; print('python%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SettingsError(
            f"REKEY_LAMBDA_PYTHON must be a Python that has awslambdaric and boto3, not {python}"
        ) from error
    return done.stdout.strip()


def _surplus(most_idle: int) -> list[Any]:
    """Takes the processes that were idle for longest out of the pool, beyond so many.

    MiniStack keeps one of every function for ever, which a long run of tests cannot afford.
    """
    pools = lambda_runtime._workers
    with lambda_runtime._lock:
        running = [
            worker
            for workers in pools.values()
            for worker in workers
            if worker._proc is not None and not worker.in_use
        ]
        running.sort(key=lambda worker: worker.last_used, reverse=True)
        surplus = running[most_idle:]
        for key in list(pools):
            pools[key] = [worker for worker in pools[key] if worker not in surplus]
    return surplus


def install(python: Path, most_idle: int) -> None:
    """Raises SettingsError if that Python is none for functions."""
    PythonWorker.most_idle = most_idle
    PythonWorker.python = python.absolute()
    PythonWorker.runtime = runtime_of(python)
    stock = lambda_runtime._worker_class_for

    def worker_class_for(config: dict[str, Any]) -> Any:
        is_python = str(config.get("Runtime", "")).startswith("python")
        return PythonWorker if is_python else stock(config)

    lambda_runtime._worker_class_for = worker_class_for
    lambda_svc._execute_function_warm = lambda_svc._execute_function_provided_warm


def stop() -> None:
    """End every function process; none starts after this."""
    PythonWorker.stopped = True
    lambda_runtime.reset()

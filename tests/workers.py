"""The whole suite in several processes: who runs which file, and how they end.

`make test` asks for them with `-n`; without it, nothing of this is used. Each worker has servers of
its own, so files that use the same ones had better run in the same worker.
"""

import os
import signal
import time
from collections import defaultdict
from collections.abc import Collection
from pathlib import Path
from types import FrameType

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

from local import processes

PATIENCE = 60.0
WITHOUT_SERVERS = {"unit", "template", "structure", "access"}
"""Folders of tests."""


class FromBothEnds(LoadFileScheduling):
    """The first worker takes files from the front of the queue, every other one from its end.

    So the first one deploys the application and the others start databases; they meet in the
    middle, at tests that need neither.
    """

    def _assign_work_unit(self, node: WorkerController) -> None:
        if node is not self.nodes[0]:
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)


_workers: list[WorkerController] = []


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FromBothEnds | None:
    return FromBothEnds(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_testnodeready(node: WorkerController) -> None:
    _workers.append(node)


def pytest_configure(config: pytest.Config) -> None:
    """A run that is told to stop ends its servers, as one that is interrupted does."""
    if not is_worker(config):
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop_once)


def is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _stop_once(number: int, frame: FrameType | None) -> None:
    """A terminal tells workers to stop, and so does the process above them: once is enough.

    A second interruption would break off what ends the servers.
    """
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    signal.default_int_handler(number, frame)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(exitstatus: int) -> None:
    """Workers have time to end their servers; pytest-xdist alone would kill them on the way."""
    if not _workers or exitstatus != pytest.ExitCode.INTERRUPTED:
        return
    _, *children = processes.family(os.getpid())
    processes.send(signal.SIGINT, children)
    deadline = time.monotonic() + PATIENCE
    while not all(worker.channel.isclosed() for worker in _workers):
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What uses the application at the front, what uses databases at the end."""
    if not is_worker(config):
        return
    fixtures: defaultdict[Path, set[str]] = defaultdict(set)
    for item in items:
        fixtures[item.path].update(getattr(item, "fixturenames", ()))
    items.sort(key=lambda item: place(item.path, fixtures[item.path]))


def place(path: Path, fixtures: Collection[str]) -> int:
    """Where in the queue a file of tests stands."""
    if "deployed" in fixtures:
        return 0
    if "faults" in path.parts:
        return 3  # The longest files had better not be the last ones.
    return 1 if WITHOUT_SERVERS.intersection(path.parts) else 2

"""Actions that begin at the same instant."""

import threading
from collections.abc import Callable


def at_once(*actions: Callable[[], object]) -> list[BaseException]:
    """Run them in threads that start together; what they raised."""
    ready = threading.Barrier(len(actions))
    raised: list[BaseException] = []

    def run(action: Callable[[], object]) -> None:
        ready.wait()
        try:
            action()
        except Exception as error:  # noqa: BLE001 - told to the test
            raised.append(error)

    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised

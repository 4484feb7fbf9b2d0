"""The handler of `app`, timed from within: what the emulator adds does not count."""

import time

from app import (  # type: ignore[import-not-found]  # the function that this is deployed with
    handler as timed_handler,
)


def handler(event: object, context: object) -> None:
    started = time.perf_counter()
    timed_handler(event, context)
    print(f"TIMED {(time.perf_counter() - started) * 1000:.3f}", flush=True)

"""`python -m local.account` runs the account in the foreground."""

from __future__ import annotations

import os
import socket
import sys
from typing import Any

from local.account import server, settings


def main() -> int:
    try:
        chosen = settings.from_environment(os.environ)
        with server.listening(chosen.port) as listener, server.temporary_folder() as folder:
            settings.apply_to_ministack(chosen, listener.getsockname()[1], folder)
            _run(chosen, listener)
    except (settings.SettingsError, OSError) as error:
        print(f"The account cannot start: {error}", file=sys.stderr)
        return 1
    return 0


def _run(chosen: settings.Settings, listener: socket.socket) -> None:
    """Imports only now what reads the environment when it is imported, as MiniStack does."""
    from ministack import app  # noqa: PLC0415 - see above

    from local.account import (  # noqa: PLC0415 - see above
        cloudformation,
        cloudtrail,
        conditions,
        control,
        metrics,
        queues,
        rules,
        runtime,
        secretsmanager,
        securityhub,
        stepfunctions,
        throttling,
    )

    runtime.install(chosen.lambda_python, chosen.warm_functions)
    conditions.install()
    secretsmanager.install(chosen.rotation_attempts, chosen.rotation_delays)
    cloudformation.install()
    cloudtrail.install()
    rules.install()
    stepfunctions.install()
    metrics.install()
    securityhub.install()
    queues.install()
    throttling.install()

    def stop() -> None:
        secretsmanager.stop()
        runtime.stop()

    host, port = listener.getsockname()
    ready = f"AWS account {chosen.account_id} ({chosen.region}) is ready on http://{host}:{port}"
    server.run(_announcing(control.mount(app.app), ready), listener, stop)


def _announcing(application: Any, ready: str) -> Any:
    """Say once that the account is ready."""

    async def announcing(scope: Any, receive: Any, send: Any) -> None:
        async def send_and_say(message: Any) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                print(ready, flush=True)

        await application(scope, receive, send_and_say if scope["type"] == "lifespan" else send)

    return announcing


if __name__ == "__main__":
    sys.exit(main())

"""CloudTrail's records of the account's API calls and service events, and their way to EventBridge.

`calls` sees every request with its answer and decides what is recorded; `records` has the shapes,
`trail` keeps the records and delivers them, `history` looks them up. Shapes: "CloudTrail record
contents", and real records in tests/integration/account/data.
"""

from __future__ import annotations

from local.account.cloudtrail import calls, denials, history
from local.account.cloudtrail.events import record_service_event
from local.account.cloudtrail.trail import keep, records_after

__all__ = ["install", "keep", "record_service_event", "records_after"]


def install() -> None:
    denials.install()
    calls.install()
    history.install()

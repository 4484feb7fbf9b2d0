"""The default event bus, as AWS services write to it."""

from __future__ import annotations

import contextvars
import json
from collections.abc import Mapping
from typing import Any

from ministack import app
from ministack.core.responses import (
    get_account_id,
    get_region,
    new_uuid,
    set_request_account_id,
    set_request_region,
)
from ministack.services import eventbridge

from local.account import clock


def publish(event: Mapping[str, Any]) -> None:
    """Deliver the event soon: whoever made it does not wait.

    Its keys are those of an event that a target gets; what is missing is made up. Delivery runs on
    the server's loop like that of PutEvents, from whatever thread this is called.
    """
    loop = app._MAIN_LOOP
    if loop is not None and not loop.is_closed() and eventbridge._rules._data:
        loop.call_soon_threadsafe(_deliver, event, context=contextvars.copy_context())


def _deliver(event: Mapping[str, Any]) -> None:
    account, region = event.get("account", get_account_id()), event.get("region", get_region())
    set_request_account_id(account)
    set_request_region(region)
    eventbridge._dispatch_event(
        {
            "EventId": event.get("id", new_uuid()),
            "Source": event["source"],
            "DetailType": event["detail-type"],
            "Detail": json.dumps(event["detail"]),
            "EventBusName": "default",
            "Time": event.get("time", clock.now()),
            "Resources": event.get("resources", []),
            "Account": account,
            "Region": region,
        }
    )

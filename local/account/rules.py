"""Which rules get which events: those that a trail shows of mere reads go to few.

Source: EventBridge user guide, "Receiving read-only management events from AWS services": a rule
that is ENABLED gets no event from CloudTrail whose name begins with Get, List or Describe.
CloudFormation stores the state as it stands in the template, so nothing is to be done there.
"""

from __future__ import annotations

from typing import Any

from ministack.services import eventbridge

ENABLED = "ENABLED"
WITH_READS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
_READS = ("Get", "List", "Describe")
# CloudTrail user guide, "AWS service topics": these two begin with Get and come all the same.
_NOT_READS = frozenset({"GetFederationToken", "GetSessionToken"})

Event = dict[str, Any]


def states_that_get(event: Event) -> frozenset[str]:
    """The states in which a rule is asked whether it matches; `event` as the targets get it."""
    from_trail = event["detail-type"] == "AWS API Call via CloudTrail"
    if from_trail and event["source"].startswith("aws."):
        name = event["detail"].get("eventName", "")
        if name.startswith(_READS) and name not in _NOT_READS:
            return frozenset({WITH_READS})
    return frozenset({ENABLED, WITH_READS})


def deliver(event: Event, view: Any = None) -> None:
    """Hand the event to the targets of every rule of its bus that matches, each rule once."""
    view = view or eventbridge._pattern_event_view(event)
    states = states_that_get(view.event_with_detail())
    passed = event.get("_DispatchPath") or ()
    for key, rule in eventbridge._rules.items():
        if rule.get("State") not in states or key in passed:
            continue
        if rule.get("EventBusName", "default") != event.get("EventBusName", "default"):
            continue
        pattern = rule.get("EventPattern")
        if pattern and eventbridge._matches_pattern_view(pattern, view, f"rule {key}"):
            for target in eventbridge._targets.get(key, []):
                eventbridge._invoke_target(target, event, rule, view)


def install() -> None:
    eventbridge._dispatch_event = deliver

"""What a batch of accesses holds, gathered by who touched what.

The same event twice is gathered once: everything here is a set, a minimum or a maximum.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from rekey.access.event import Access, Action, Outcome
from rekey.access.network import Network
from rekey.access.principal import Principal
from rekey.access.tool import Tool

GIVEN_OUT = frozenset({Action.READ, Action.BATCH, Action.DECRYPT})


@dataclass(slots=True)
class Touch:
    """What one principal did with one secret. ``versions`` holds when each was read last."""

    principal: Principal
    secret: str
    account: str
    first: int
    last: int
    granted: bool = False
    denied: bool = False
    key_denied: bool = False
    asked_pending: bool = False
    disarmed: bool = False
    explicit: set[str] = field(default_factory=set)
    versions: dict[str, int] = field(default_factory=dict)
    read_at: set[int] = field(default_factory=set)
    denied_at: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Activity:
    """What one principal did, all secrets together. Times by window start are the reader's.

    ``refused`` are denied calls that name no secret; what is ``listed`` or in ``batches`` worked.
    """

    principal: Principal
    account: str
    first: int
    last: int
    networks: dict[Network, int] = field(default_factory=dict)
    tools: dict[Tool, int] = field(default_factory=dict)
    times: set[int] = field(default_factory=set)
    regions: set[tuple[int, str]] = field(default_factory=set)
    listed: set[int] = field(default_factory=set)
    batches: set[tuple[int, str]] = field(default_factory=set)
    catch_all: set[int] = field(default_factory=set)
    refused: set[tuple[int, str, Action]] = field(default_factory=set)
    without_mfa: bool = False
    touches: dict[str, Touch] = field(default_factory=dict)


def gather(accesses: Iterable[Access]) -> dict[str, Activity]:
    """Return the activity of each principal in the batch, by its key."""
    gathered = dict[str, Activity]()
    for access in accesses:
        activity = gathered.get(access.principal.key)
        if activity is None:
            activity = Activity(access.principal, access.account, access.at, access.at)
            gathered[access.principal.key] = activity
        _add(activity, access)
    return gathered


def _add(activity: Activity, access: Access) -> None:
    at = access.at
    activity.first, activity.last = min(activity.first, at), max(activity.last, at)
    activity.times.add(at)
    if access.network is not None:
        activity.networks.setdefault(access.network, at)
    if access.tool is not None:
        activity.tools.setdefault(access.tool, at)
    if access.mfa is False:
        activity.without_mfa = True
    if access.secret is not None:
        _touch(activity, access, access.secret)
    elif access.outcome is Outcome.DENIED:
        activity.refused.add((at, access.event_id, access.action))
    if access.outcome is Outcome.DONE:
        _add_done(activity, access)


def _add_done(activity: Activity, access: Access) -> None:
    """What is counted of the call as such: a denied listing lists nothing."""
    if access.action is Action.LIST:
        activity.listed.add(access.at)
    if access.action is not Action.BATCH:
        return
    activity.batches.add((access.at, access.event_id))
    activity.regions.add((access.at, access.region))
    if access.catch_all:
        activity.catch_all.add(access.at)


def _touch(activity: Activity, access: Access, secret: str) -> None:
    touch, at = activity.touches.get(secret), access.at
    if touch is None:
        touch = Touch(access.principal, secret, access.account, at, at)
        activity.touches[secret] = touch
    touch.first, touch.last = min(touch.first, at), max(touch.last, at)
    touch.disarmed = touch.disarmed or access.disarms
    if access.outcome is Outcome.DENIED:
        touch.denied = True
        touch.denied_at.add(at)
    elif access.outcome is Outcome.KEY_DENIED:
        touch.key_denied = True
    elif access.outcome is Outcome.DONE and access.action in GIVEN_OUT:
        _read(activity, touch, access)


def _read(activity: Activity, touch: Touch, access: Access) -> None:
    touch.granted = True
    touch.read_at.add(access.at)
    activity.regions.add((access.at, access.region))
    touch.asked_pending = touch.asked_pending or access.stage == "AWSPENDING"
    if access.version is not None:
        touch.versions[access.version] = max(touch.versions.get(access.version, 0), access.at)
        if access.action is not Action.DECRYPT:
            touch.explicit.add(access.version)

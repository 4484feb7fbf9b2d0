"""What a batch adds to what is known, as items to be merged into the table."""

from collections.abc import Iterator, Mapping

from rekey.access.aggregate import Activity, Touch
from rekey.access.event import Promotion
from rekey.access.scene import NO_ITEM, Scene, date, hour_of
from rekey.access.stale import given_when_old, last_change
from rekey.access.thresholds import Thresholds
from rekey.known import (
    DAY,
    LONGER,
    Item,
    Key,
    lasting,
    mark,
    merge,
    profile_key,
    reader_key,
    rotation_key,
    secret_key,
    window_key,
)

PART_OF_BURST = 2
KEEP_ROTATIONS = 30 * DAY


def keys(activity: Activity) -> set[Key]:
    """Return what has to be loaded to see whether an activity holds anything new."""
    name = activity.principal.key
    wanted = {profile_key(name)}
    for secret in activity.touches:
        wanted.add(secret_key(secret))
        wanted.add(reader_key(secret, name))
    return wanted


def further_keys(seen: Mapping[Key, Item]) -> set[Key]:
    """Return what else has to be loaded once there is: other items, and neighbours of windows."""
    wanted = set(seen)
    for key in seen:
        kind, _, rest = key.sk.partition("#")
        if kind == "window":
            width, start = map(int, rest.split("#"))
            for side in (-1, 1):
                wanted.add(Key(key.pk, f"window#{width}#{start + side * width}"))
    return wanted


def observe(scene: Scene) -> dict[Key, Item]:
    """Return the items that this activity comes to by itself, each to be merged."""
    seen = dict[Key, Item]()
    for item in _items(scene):
        held = seen.get(item.key)
        seen[item.key] = item if held is None else merge(held, item)
    return seen


def grow(known: Mapping[Key, Item], seen: Mapping[Key, Item]) -> dict[Key, Item]:
    """Return what is known with what was seen merged in."""
    return {key: merge(known[key], item) if key in known else item for key, item in seen.items()}


def _items(scene: Scene) -> Iterator[Item]:
    """Leave out what is known anyway: nearly everything, on an ordinary day."""
    activity, keep = scene.activity, scene.thresholds.keep_readers
    for touch in activity.touches.values():
        if touch.granted:
            yield from _secret(scene, touch)
            yield from _reader(scene, touch)
    profile = _profile(scene)
    if scene.profile is None or _adds(profile, scene.profile):
        yield profile
    known = (scene.profile or NO_ITEM).members("networks")
    for source, at in activity.networks.items():
        # Only what is new to the principal is worth an item of its own.
        if source.key not in known and not scene.wanders(source):
            yield Item(profile_key(source.key), {"first": at}, expires=at + keep)
    if activity.principal.account not in ("", activity.account):
        key, at = profile_key(f"account:{activity.principal.account}"), activity.first
        yield Item(key, {"first": at}, expires=at + keep)
    yield from _windows(scene)


def _adds(item: Item, known: Item) -> bool:
    if item.maxima or item.expires - known.expires >= LONGER:
        return True
    if any(known.minima.get(name, value + 1) > value for name, value in item.minima.items()):
        return True
    return not all(members <= known.members(name) for name, members in item.sets.items())


def _secret(scene: Scene, touch: Touch) -> Iterator[Item]:
    key, expires = secret_key(touch.secret), touch.first + scene.thresholds.keep_readers
    held = scene.known.get(key)
    first = held.minima.get("first") if held else None
    if held is None or first is None or touch.first < first or expires - held.expires >= LONGER:
        yield Item(key, {"first": touch.first}, expires=expires)


def _reader(scene: Scene, touch: Touch) -> Iterator[Item]:
    """A known pair is written again only for what is new to it, or after ``refresh`` seconds.

    New is a version, a read of one that has lost AWSCURRENT (once in a window), and the first
    read after a rotation: who has renewed is asked soon after it.
    """
    since = _since(scene, touch)
    held, last, refresh = scene.reader(touch), max(touch.read_at), scene.thresholds.refresh
    if held is not None:
        known, old = held.maxima, -refresh
        versions = touch.versions.items()
        again = last - known.get("last", old) >= refresh
        renewed = any(at - known.get(f"v:{version}", old) >= refresh for version, at in versions)
        further = any(known.get(name, 0) < at for name, at in since.items())
        if not (again or renewed or further or min(touch.read_at) < held.minima.get("first", 0)):
            return
    yield Item(
        reader_key(touch.secret, touch.principal.key),
        {"first": min(touch.read_at)},
        {"last": last, **{f"v:{version}": at for version, at in touch.versions.items()}, **since},
        expires=last + scene.thresholds.keep_readers,
    )


def _since(scene: Scene, touch: Touch) -> dict[str, int]:
    """Return when AWSCURRENT had moved last, and in which windows old versions were given out."""
    secret = scene.secret(touch.secret)
    if not secret.maxima:
        return {}
    moved = last_change(secret, before=max(touch.read_at))
    after = {"since": moved} if moved else {}
    old = given_when_old(secret, touch.versions, scene.thresholds.window)
    return {**after, **{f"o:{version}": at for version, at in old.items()}}


def _profile(scene: Scene) -> Item:
    activity = scene.activity
    granted = [touch for touch in activity.touches.values() if touch.granted]
    # What a role reads on its first day is its deployment, and not the beginning of something.
    fresh = () if scene.young() else filter(scene.new_reader, granted)
    flags = {"lists"} if activity.listed else set[str]()
    flags |= {"catch-all"} if activity.catch_all else set()
    batched = {"batch": min(at for at, _ in activity.batches)} if activity.batches else {}
    sets = {
        "networks": frozenset([source.key for source in activity.networks]),
        "tools": frozenset([used.key for used in activity.tools]),
        "hours": frozenset(map(hour_of, activity.times)),
        "knows": frozenset([mark(touch.secret) for touch in granted]),
        "flags": frozenset(flags),
    }
    return Item(
        profile_key(activity.principal.key),
        {"first": activity.first, **batched},
        {f"n:{mark(touch.secret)}": touch.first for touch in fresh},
        {name: members for name, members in sets.items() if members},
        expires=activity.last + scene.thresholds.keep_readers,
    )


def _windows(scene: Scene) -> Iterator[Item]:
    """Only what can still become a finding is worth a write.

    Whoever knows few secrets cannot make a burst of those, so a service that reads what it always
    reads leaves no window behind.
    """
    activity, thresholds = scene.activity, scene.thresholds
    knows = len((scene.profile or NO_ITEM).members("knows"))
    counts_known = knows >= thresholds.burst // PART_OF_BURST
    for touch in activity.touches.values():
        counts = counts_known or scene.before_known(touch)
        yield from _touched(
            activity, touch, thresholds, counts=counts, fresh=scene.new_reader(touch)
        )
    for at in activity.listed:
        yield _window(activity, DAY, at, "flags", "listed", thresholds)
    for at, event_id in activity.batches:
        yield _window(activity, DAY, at, "batches", mark(event_id), thresholds)
    for at, event_id in scene.refused:
        yield _window(activity, DAY, at, "refused", mark(event_id), thresholds)
    if activity.batches or len({region for _, region in activity.regions}) > 1:
        for at, region in activity.regions:
            yield _window(activity, thresholds.window, at, "regions", region, thresholds)


def _touched(
    activity: Activity, touch: Touch, thresholds: Thresholds, *, counts: bool, fresh: bool
) -> Iterator[Item]:
    name = mark(touch.secret)
    for at in touch.read_at if counts else ():
        yield _window(activity, thresholds.window, at, "secrets", name, thresholds)
    for at in touch.read_at if fresh else ():
        yield _window(activity, DAY, at, "fresh", name, thresholds)
    for at in touch.denied_at:
        yield _window(activity, DAY, at, "denied", name, thresholds)


def peak(scene: Scene) -> Item | None:
    """Return the most secrets within minutes, by day, where that is much."""
    size, day = len(scene.minutes("secrets")), date(scene.activity.last)
    if size < scene.thresholds.burst // PART_OF_BURST:
        return None
    key = profile_key(scene.activity.principal.key)
    expires = scene.activity.last + scene.thresholds.keep_readers
    return Item(key, maxima={f"peak:{day}": size}, expires=expires)


def _window(
    activity: Activity, width: int, at: int, name: str, member: str, thresholds: Thresholds
) -> Item:
    start = at // width * width
    key = window_key(activity.principal.key, width, start)
    return Item(
        key, sets={name: frozenset((member,))}, expires=start + width + thresholds.keep_windows
    )


def promoted(promotion: Promotion, thresholds: Thresholds) -> Item:
    """Return what a promotion adds to the secret's item."""
    gained = {f"c:{promotion.gained}": promotion.at} if promotion.gained else {}
    lost = {f"l:{promotion.lost}": promotion.at} if promotion.lost else {}
    item = Item(secret_key(promotion.secret), maxima={**gained, **lost})
    return lasting(item, thresholds.keep_readers)


def rotation(promotion: Promotion, gained: str) -> Item:
    """Return a note that the consumers of a secret are to be looked at."""
    key = rotation_key(promotion.secret, gained)
    return Item(key, {"at": promotion.at}, expires=promotion.at + KEEP_ROTATIONS)

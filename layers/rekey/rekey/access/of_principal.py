"""What is unusual about what one principal does, all secrets together."""

from collections.abc import Iterable, Iterator

from rekey.access.network import Network, NetworkKind
from rekey.access.principal import PrincipalKind
from rekey.access.scene import NO_ITEM, Scene, counted, date, hour_of
from rekey.access.signal import Signal, SignalKind
from rekey.access.thresholds import Thresholds
from rekey.access.tool import Tool
from rekey.known import DAY, HOUR, MAXIMA_CAPS, SET_CAPS, profile_key

ROAMING = 8
"""A person's networks after which one more says nothing."""
MANY_DENIED, HUGE = 20, 50
NOWHERE = (NetworkKind.SERVICE, NetworkKind.INTERNAL)
WEEK = 7 * DAY


def of_principal(scene: Scene) -> Iterator[Signal]:
    """Yield every signal of one principal's activity."""
    if scene.counted:
        for counting in (_burst, _probing, _listing, _batches, _regions):
            yield from counting(scene)
    yield from _spread(scene)
    yield from _networks(scene)
    yield from _tools(scene)
    yield from _root(scene)
    yield from _weak(scene)


def _burst(scene: Scene) -> Iterator[Signal]:
    seen = len(scene.minutes("secrets"))
    if seen < scene.thresholds.burst:
        return
    today = date(scene.activity.first)
    profile = scene.profile or NO_ITEM
    past = max((peak for day, peak in profile.family("peak").items() if day < today), default=0)
    if seen >= _usual_burst(past, scene.thresholds):
        baseline = f"at most {past} in its own past, and {scene.thresholds.burst} for anyone"
        texts = (
            "Many secrets read within minutes",
            baseline,
            counted(seen, SET_CAPS["secrets"], "secrets"),
        )
        yield scene.signal(SignalKind.BURST, 7 if seen >= HUGE else 5, texts)


def _usual_burst(past: int, thresholds: Thresholds) -> int:
    """Return from how many secrets on it is a burst, after at most ``past`` on days before.

    Beyond a full window nothing is counted, so that is enough for whoever never filled one.
    """
    usual, full = int(thresholds.burst_of_past * past), SET_CAPS["secrets"]
    return max(thresholds.burst, min(usual, full) if past < full else usual)


def _spread(scene: Scene) -> Iterator[Signal]:
    """Slow, and ever further: no single read stands out."""
    if scene.young():
        return
    name, end = scene.activity.principal.key, scene.activity.last
    if profile_key(name) not in scene.grown:
        return
    grown = scene.grown[profile_key(name)].family("n").values()
    known = (scene.profile or NO_ITEM).family("n").values()
    now = sum(end - at < WEEK for at in grown)
    # Only what is new in this batch makes a signal; the rest is in the incident already.
    if now == sum(end - at < WEEK for at in known):
        return
    before = sum(WEEK <= end - at < 2 * WEEK for at in grown)
    if now >= max(scene.thresholds.spread, 2 * before):
        texts = (
            "One settled secret after the other is read for the first time",
            f"{before} in the week before",
            counted(now, MAXIMA_CAPS["n"], "within a week"),
        )
        # To a person's first weeks it belongs that everything is read for the first time.
        first_weeks = _is_person(scene) and not scene.settled
        yield scene.signal(SignalKind.SPREAD, 1 if first_weeks else 3, texts)


def _networks(scene: Scene) -> Iterator[Signal]:
    known = (scene.profile or NO_ITEM).members("networks")
    for source in scene.activity.networks:
        if source.key in known or source.once in known or source.kind in NOWHERE:
            continue
        weight = _weight_of_network(scene, source, known)
        if weight:
            kinds = ", ".join(sorted(known)[:3]) or "none known"
            texts = (
                "Read from a network that this principal never used",
                f"{len(known)} networks: {kinds}",
                f"{source.key} ({source.address})",
            )
            yield scene.signal(SignalKind.NEW_NETWORK, weight, texts)


def _weight_of_network(scene: Scene, source: Network, known: frozenset[str]) -> int:
    if scene.wanders(source):
        return 0
    strange = profile_key(source.key) not in scene.known
    if not scene.settled:
        touches = scene.activity.touches.values()
        return 2 if strange and any(map(scene.recent_reader, touches)) else 0
    kind = scene.activity.principal.kind
    if kind is PrincipalKind.PERSON:
        return 0 if len(known) >= ROAMING else 1
    left = source.kind is NetworkKind.PUBLIC and all(map(_is_endpoint, known))
    base = 2 if kind is PrincipalKind.ROLE else 1
    return base + 2 * strange + left


def _is_person(scene: Scene) -> bool:
    return scene.activity.principal.kind is PrincipalKind.PERSON


def _is_endpoint(key: str) -> bool:
    return key.startswith("endpoint:")


def _tools(scene: Scene) -> Iterator[Signal]:
    known = (scene.profile or NO_ITEM).members("tools")
    for used in scene.activity.tools:
        weight = 0 if used.key in known else _weight_of_tool(scene, used)
        if weight:
            texts = (
                "Read with a tool that this principal never used",
                ", ".join(sorted(known)[:3]) or "none known",
                used.key,
            )
            yield scene.signal(SignalKind.NEW_TOOL, weight, texts)


def _weight_of_tool(scene: Scene, used: Tool) -> int:
    """A hand on what a machine does is more than another library."""
    kind = scene.activity.principal.kind
    if kind is PrincipalKind.PERSON:
        return 1 if scene.settled else 0
    if not scene.settled:
        newly = any(map(scene.recent_reader, scene.activity.touches.values()))
        return 2 if newly and used.by_hand and kind is PrincipalKind.ROLE else 0
    if used.by_hand:
        return 3 if kind is PrincipalKind.ROLE else 2
    return 2 if kind is PrincipalKind.ROLE else 1


def _probing(scene: Scene) -> Iterator[Signal]:
    new = [t for t in scene.activity.touches.values() if t.denied and scene.reader(t) is None]
    if not (new or scene.refused):
        return
    secrets, calls = len(scene.days("denied")), len(scene.days("refused"))
    seen = secrets + calls
    weight = 5 if seen >= MANY_DENIED else 4 if seen >= scene.thresholds.probing else 2
    without = f"{counted(calls, SET_CAPS['refused'], 'calls')} that name none"
    on = counted(secrets, SET_CAPS["denied"], "secrets")
    texts = (
        "Denied on secrets that it does not read" if secrets else "Denied to list or read at all",
        f"{scene.thresholds.probing} within two days are probing",
        on if not calls else f"{on}, {without}",
    )
    # All of them, so that the incident names the same secrets however the batches were cut.
    for touch in new or (None,):
        yield scene.signal(SignalKind.DENIED_PROBING, weight, texts, touch)


def _listing(scene: Scene) -> Iterator[Signal]:
    fresh = len(scene.days("fresh"))
    newly = any(map(scene.new_reader, scene.activity.touches.values()))
    listed = "listed" in scene.days("flags")
    if (
        scene.young()
        or fresh < scene.thresholds.listed_then_new
        or not (listed and (newly or scene.activity.listed))
    ):
        return
    # The console lists secrets before it shows one.
    person = _is_person(scene)
    often = "lists" in (scene.profile or NO_ITEM).members("flags") and scene.settled
    texts = (
        "Secrets were listed, and then read for the first time",
        "lists now and then" if often else "has not listed before",
        counted(fresh, SET_CAPS["fresh"], "secrets after a listing"),
    )
    yield scene.signal(SignalKind.LISTED_THEN_READ, 1 if often or person else 3, texts)


def _batches(scene: Scene) -> Iterator[Signal]:
    profile = scene.profile or NO_ITEM
    if scene.activity.catch_all and "catch-all" not in profile.members("flags"):
        texts = ("A batch that lets everything pass", "never before", "no filter that narrows")
        yield scene.signal(SignalKind.CATCH_ALL_BATCH, 4, texts)
    if not scene.activity.batches:
        return
    seen, first = len(scene.days("batches")), profile.minima.get("batch")
    often = first is not None and scene.activity.first - first >= 2 * DAY
    if seen >= scene.thresholds.batches and not often:
        texts = (
            "Batches of secrets, one after the other",
            "never before",
            counted(seen, SET_CAPS["batches"], "batches"),
        )
        yield scene.signal(SignalKind.BATCHES, 2 if scene.young() else 4, texts)


def _regions(scene: Scene) -> Iterator[Signal]:
    seen = scene.minutes("regions")
    if len(seen) >= scene.thresholds.regions:
        texts = (
            "Secrets of several regions within minutes",
            f"fewer than {scene.thresholds.regions}",
            ", ".join(sorted(seen)),
        )
        yield scene.signal(SignalKind.REGIONS, 4, texts)


def _root(scene: Scene) -> Iterator[Signal]:
    if scene.activity.principal.kind is PrincipalKind.ROOT:
        texts = ("The account's root was used", "never needed for secrets", "root")
        yield scene.signal(SignalKind.ROOT, 5, texts)


def _weak(scene: Scene) -> Iterator[Signal]:
    principal, profile = scene.activity.principal, scene.profile or NO_ITEM
    # Sessions of roles say that there was no second factor even where the login had one.
    if scene.activity.without_mfa and principal.kind in (PrincipalKind.USER, PrincipalKind.ROOT):
        texts = ("A person without a second factor", "login with MFA", "mfaAuthenticated is false")
        yield scene.signal(SignalKind.NO_MFA, 2, texts)
    # What runs by the clock drifts through the day; people have a rhythm.
    if principal.kind not in (PrincipalKind.PERSON, PrincipalKind.USER, PrincipalKind.FEDERATED):
        return
    known = profile.members("hours")
    hours = _odd_hours(scene.activity.times, known)
    if hours and scene.settled:
        usual = f"{len(known)} hours of working days and weekends"
        texts = ("At an hour at which it never read", usual, ", ".join(sorted(hours)))
        yield scene.signal(SignalKind.ODD_HOUR, 1, texts)


def _odd_hours(times: Iterable[int], known: frozenset[str]) -> set[str]:
    """One after the other, as in batches of one: whoever stays longer drifts there by the hour."""
    odd, usual = set[str](), set(known)
    for at in sorted(times):
        if not _usual(at, usual):
            odd.add(hour_of(at))
        usual.add(hour_of(at))
    return odd


def _usual(at: int, known: frozenset[str] | set[str]) -> bool:
    """Whether it read within two hours of that time of the day before."""
    return any(hour_of(at + side * HOUR) in known for side in range(-2, 3))

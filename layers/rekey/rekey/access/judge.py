"""From a principal's activity to signals, and from signals to an incident."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rekey.access.of_principal import of_principal
from rekey.access.of_secret import of_secret
from rekey.access.scene import Scene
from rekey.access.signal import Level, Signal, SignalKind, level, total
from rekey.access.thresholds import Thresholds
from rekey.known import DAY, Item, Key, incident_key, mark, merge


def judge(scene: Scene) -> list[Signal]:
    """Return what is unusual; nothing about the roles of our own functions."""
    if scene.activity.principal.key in scene.facts.ours:
        return []
    of_secrets = (s for touch in scene.activity.touches.values() for s in of_secret(scene, touch))
    return [*of_secrets, *of_principal(scene)]


def incident_keys(principal: str, at: int) -> tuple[Key, Key, Key]:
    """Return where the incident lies that a signal belongs to: the day before, its own, the next.

    An incident gathers what one principal does within two days, in whatever order it arrives.
    """
    day = at // DAY
    return (
        incident_key(principal, day - 1),
        incident_key(principal, day),
        incident_key(principal, day + 1),
    )


def gathered(
    signals: Iterable[Signal], known: Mapping[Key, Item], thresholds: Thresholds
) -> dict[Key, Item]:
    """Return the incidents that these signals make or add to, as they are then."""
    incidents = dict[Key, Item]()
    for signal in signals:
        keys = incident_keys(signal.principal, signal.at)
        key = next((one for one in keys if one in known or one in incidents), keys[1])
        held = incidents.get(key) or known.get(key)
        added = _added(key, signal, thresholds)
        incidents[key] = added if held is None else merge(held, added)
    return incidents


def _added(key: Key, signal: Signal, thresholds: Thresholds) -> Item:
    text = json.dumps(
        [signal.what, signal.baseline, signal.observed, signal.secret or ""], ensure_ascii=False
    )
    secrets = frozenset((signal.secret,)) if signal.secret else frozenset[str]()
    return Item(
        key,
        {"first": signal.at},
        {"last": signal.at},
        {"arns": secrets, "marks": frozenset(map(mark, secrets))} if secrets else {},
        {signal.kind.value: (signal.weight, text)},
        (signal.at // DAY + 1) * DAY + thresholds.keep_incidents,
    )


@dataclass(frozen=True)
class Reasoned:
    """One line of an incident: what is unusual, what is usual instead, what was seen."""

    kind: SignalKind
    weight: int
    what: str
    baseline: str
    observed: str
    secret: str | None = None


@dataclass(frozen=True)
class Incident:
    """What a person is told of. ``secrets`` are some of ``count`` that are concerned.

    ``key`` is where it lies, until ``expires`` (epoch). ``occurrence`` changes whenever there is
    more to tell.
    """

    key: Key
    expires: int
    principal: str
    level: Level
    first: int
    last: int
    reasons: tuple[Reasoned, ...]
    secrets: tuple[str, ...]
    count: int

    @property
    def id(self) -> str:
        return mark("/".join(self.key))

    @property
    def occurrence(self) -> str:
        kinds = ",".join(sorted(reason.kind for reason in self.reasons))
        return mark(f"{self.id} {self.level} {kinds} {self.count.bit_length()}")


def incident(item: Item) -> Incident | None:
    """Return what an item says; None as long as it weighs too little to tell anybody."""
    weights = {SignalKind(name): rank for name, (rank, _) in item.notes.items()}
    height = level(total(weights))
    if height is None:
        return None
    lines = sorted(item.notes.items(), key=lambda note: (-note[1][0], note[0]))
    return Incident(
        item.key,
        item.expires,
        item.key.pk.partition("#")[2],
        height,
        item.minima["first"],
        item.maxima["last"],
        tuple(_reasoned(name, *note) for name, note in lines),
        tuple(sorted(item.members("arns"))),
        len(item.members("marks")),
    )


def _reasoned(name: str, weight: int, text: str) -> Reasoned:
    what, baseline, observed, secret = json.loads(text)
    return Reasoned(SignalKind(name), weight, what, baseline, observed, secret or None)

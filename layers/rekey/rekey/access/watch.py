"""A batch of accesses: load what is known, judge, tell, and only then remember.

In this order a function that dies midway forgets nothing: the batch comes again, what was not
remembered is judged again, and telling the same again tells nothing new.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from rekey.access.aggregate import Activity
from rekey.access.event import Access, Action, Promotion
from rekey.access.judge import gathered, incident, incident_keys, judge
from rekey.access.observe import further_keys, grow, keys, observe, peak, promoted, rotation
from rekey.access.ports import Memory, Surroundings, Teller
from rekey.access.scene import Facts, Scene
from rekey.access.signal import Signal
from rekey.access.suppression import Hidden, Suppression, hidden_items, parsed, sorted_out
from rekey.access.thresholds import Thresholds
from rekey.errors import StateTableFailure
from rekey.known import Item, Key, is_news, merge

ATTEMPTS = 8


@dataclass(frozen=True)
class Watch:
    """Judges what principals do. With ``learn`` it only remembers."""

    memory: Memory
    surroundings: Surroundings
    teller: Teller
    thresholds: Thresholds = field(default_factory=Thresholds)

    def take(
        self, activity: Activity, loaded: Mapping[Key, Item] | None = None, *, learn: bool = False
    ) -> list[Signal]:
        """Judge one principal's activity; ``loaded`` is what ``load`` returned for it.

        Raises StateTableFailure if others keep changing the same items.
        """
        known = self.load((activity,)) if loaded is None else loaded
        for _ in range(ATTEMPTS):
            signals, saved = self._attempt(activity, known, learn=learn)
            if saved:
                return signals
            known = self.memory.load(keys(activity), latest=True)
        raise StateTableFailure("What is known was changed by others again and again. Try later.")

    def load(self, activities: Iterable[Activity]) -> Mapping[Key, Item]:
        """Return what is known about all of them, in one request to the table."""
        return self.memory.load({key for activity in activities for key in keys(activity)})

    def _attempt(
        self, activity: Activity, known: Mapping[Key, Item], *, learn: bool
    ) -> tuple[list[Signal], bool]:
        scene = self._scene(activity, known)
        signals, hidden = sorted_out([] if learn else judge(scene), self._suppressions())
        saved = self._tell(signals) if signals else True
        return signals, saved and self._count(hidden) and self._remember(scene)

    def _count(self, hidden: list[Hidden]) -> bool:
        """Remember that something was not told, for those who answer for it."""
        if not hidden:
            return True
        items, refresh = hidden_items(hidden), self.thresholds.refresh
        known = self.memory.load(items, latest=True)
        after = grow(known, items).items()
        news = (item for key, item in after if is_news(known.get(key), item, refresh))
        return all(map(self.memory.save, news))

    def _suppressions(self) -> Iterator[Suppression]:
        return (parsed(document) for document in self.surroundings.suppressions())

    def _scene(self, activity: Activity, known: Mapping[Key, Item]) -> Scene:
        scene = Scene(activity, known, self.thresholds)
        scene.facts = self._facts(scene)
        seen = observe(scene)
        if seen and (further := further_keys(seen) - keys(activity)):
            scene.known = {**known, **self.memory.load(further, latest=True)}
        scene.grown = grow(scene.known, seen)
        return scene

    def _facts(self, scene: Scene) -> Facts:
        """Ask outside only about what is new: an ordinary batch asks nothing."""
        touches = scene.activity.touches.values()
        role = scene.activity.principal.role_arn
        made = self.surroundings.role_made(role) if role and not scene.settled else None
        return Facts(
            self.surroundings.decoys(),
            self.surroundings.ours(),
            {} if role is None or made is None else {role: made},
            {secret: self.memory.readers(secret) for secret in scene.newly_read},
            {t.secret: self.surroundings.rotator(t.secret) for t in touches if t.asked_pending},
        )

    def _tell(self, signals: list[Signal]) -> bool:
        wanted = {key for one in signals for key in incident_keys(one.principal, one.at)}
        known = self.memory.load(wanted, latest=True)
        for key, item in gathered(signals, known, self.thresholds).items():
            before = incident(known[key]) if key in known else None
            after = incident(item)
            if after and (before is None or before.occurrence != after.occurrence):
                self.teller.tell(after)
            if is_news(known.get(key), item, self.thresholds.refresh) and not self.memory.save(
                item
            ):
                return False
        return True

    def _remember(self, scene: Scene) -> bool:
        after, most = dict(scene.grown), peak(scene) if scene.counted else None
        if most is not None:
            held = after.get(most.key) or scene.known.get(most.key)
            after[most.key] = most if held is None else merge(held, most)
        news = (
            item
            for key, item in sorted(after.items(), key=_last_of_all_the_readers)
            if is_news(scene.known.get(key), item, self.thresholds.refresh)
        )
        return all(map(self.memory.save, news))

    def received(self, found: tuple[Access, ...] | Promotion) -> tuple[Access, ...]:
        """Remember a promotion; return what is to be watched. Raises StateTableFailure.

        Of calls that read nothing, only those on decoys are.
        """
        if isinstance(found, Promotion):
            self.promote(found)
            found = found.touches
        if not found or found[0].action is not Action.OTHER:
            return found
        decoys = self.surroundings.decoys()
        return tuple(access for access in found if access.disarms or access.secret in decoys)

    def promote(self, promotion: Promotion) -> None:
        """Remember which version has AWSCURRENT now. Raises StateTableFailure."""
        item = promoted(promotion, self.thresholds)
        for _ in range(ATTEMPTS):
            held = self.memory.load((item.key,), latest=True).get(item.key)
            after = item if held is None else merge(held, item)
            if not is_news(held, after, self.thresholds.refresh):
                return
            # First, so that who dies in between does it again.
            if promotion.gained:
                self.memory.save(rotation(promotion, promotion.gained))
            if self.memory.save(after):
                return
        raise StateTableFailure("What is known was changed by others again and again. Try later.")


def _last_of_all_the_readers(entry: tuple[Key, Item]) -> tuple[bool, bool]:
    """Once a pair is known it is no longer counted, so all that counts it is saved before."""
    kind = entry[0].sk.partition("#")[0]
    return kind == "reader", kind != "window"

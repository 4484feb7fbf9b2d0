"""What is unusual about one principal and one secret."""

from collections.abc import Iterator

from rekey.access.aggregate import Touch
from rekey.access.principal import PrincipalKind
from rekey.access.scene import Scene, date
from rekey.access.secret import name_of
from rekey.access.signal import Signal, SignalKind
from rekey.access.stale import is_old, lost_current
from rekey.known import DAY, profile_key

NAMED_READERS = 5
DECOY_TOUCHED = "A decoy was touched"


def of_secret(scene: Scene, touch: Touch) -> Iterator[Signal]:
    """Yield every signal of one touch."""
    if touch.disarmed or touch.secret in scene.facts.decoys:
        what = "A decoy was disarmed: its tag was taken off" if touch.disarmed else DECOY_TOUCHED
        texts = (what, "nobody has a reason to", _who(touch))
        yield scene.signal(SignalKind.DECOY, 10, texts, touch)
    if scene.new_reader(touch):
        yield _new_reader(scene, touch)
    yield from _pending(scene, touch)
    yield from _old_versions(scene, touch)
    yield from _foreign(scene, touch)
    if touch.key_denied:
        yield _key_denied(scene, touch)
    yield from _silence(scene, touch)


def _new_reader(scene: Scene, touch: Touch) -> Signal:
    readers = scene.facts.readers.get(touch.secret, frozenset()) - {touch.principal.key}
    since = date(scene.secret(touch.secret).minima["first"])
    named = ", ".join(sorted(readers)[:NAMED_READERS])
    baseline = (
        f"{len(readers)} readers since {since}: {named}" if readers else f"known since {since}"
    )
    if scene.young():
        made = date(scene.facts.roles_made[touch.principal.role_arn or ""])
        texts = ("A role that is hours old reads a secret", baseline, f"role made {made}")
        return scene.signal(SignalKind.DEPLOYMENT, 2, texts, touch)
    weight = _weight_of_new(touch, readers)
    texts = ("A principal reads this secret for the first time", baseline, _who(touch))
    return scene.signal(SignalKind.NEW_READER, weight, texts, touch)


def _weight_of_new(touch: Touch, readers: frozenset[str]) -> int:
    """A colleague with the same permission set, or a service of AWS, is hardly a surprise."""
    if touch.principal.kind is PrincipalKind.SERVICE:
        return 1
    if touch.principal.kind is not PrincipalKind.PERSON:
        return 3
    group = touch.principal.key.removesuffix(touch.principal.session)
    return 1 if any(reader.startswith(group) for reader in readers) else 3


def _pending(scene: Scene, touch: Touch) -> Iterator[Signal]:
    if touch.asked_pending and touch.principal.key != scene.facts.rotators.get(touch.secret):
        texts = (
            "AWSPENDING was read",
            "only the rotation function reads a version that is not in use yet",
            _who(touch),
        )
        yield scene.signal(SignalKind.PENDING_READ, 5, texts, touch)


def _old_versions(scene: Scene, touch: Touch) -> Iterator[Signal]:
    secret = scene.secret(touch.secret)
    for version, at in touch.versions.items():
        if is_old(secret, version, at, scene.thresholds):
            lost = lost_current(secret, version) or 0
            hours = (at - lost) // 3600
            texts = (
                "A version was read that is no longer in use",
                f"lost AWSCURRENT {date(lost)}",
                f"version {version}, {hours} h later",
            )
            # On the first day, what runs once a day has had no turn yet.
            weight = 2 if at - lost > DAY else 1
            yield scene.signal(SignalKind.OLD_VERSION, weight, texts, touch)


def _foreign(scene: Scene, touch: Touch) -> Iterator[Signal]:
    account = touch.principal.account
    if account in ("", touch.account) or not scene.secret_settled(touch):
        return
    if profile_key(f"account:{account}") not in scene.known:
        texts = (
            "Another account reads for the first time",
            "never seen here",
            f"account {account}",
        )
        yield scene.signal(SignalKind.FOREIGN_ACCOUNT, 4, texts, touch)


def _key_denied(scene: Scene, touch: Touch) -> Signal:
    known = scene.reader(touch) is not None
    texts = (
        "The secret may be read and its key may not be used",
        "has read it before" if known else "has never read it",
        _who(touch),
    )
    return scene.signal(SignalKind.KEY_DENIED, 1 if known else 3, texts, touch)


def _silence(scene: Scene, touch: Touch) -> Iterator[Signal]:
    # People come back from holidays; what a machine no longer did for weeks, it has given up.
    if touch.principal.kind is PrincipalKind.PERSON:
        return
    reader = scene.reader(touch)
    last = reader.maxima.get("last", touch.first) if reader else touch.first
    if touch.first - last >= scene.thresholds.silence:
        days = (touch.first - last) // 86_400
        texts = ("Read again after a long silence", f"read last {date(last)}", f"{days} days later")
        yield scene.signal(SignalKind.SILENCE, 1, texts, touch)


def _who(touch: Touch) -> str:
    return f"{touch.principal.key} on {name_of(touch.secret)}"

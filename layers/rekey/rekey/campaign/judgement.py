"""What follows from the results of a campaign, and what is said about it in the end."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rekey.campaign.results import Became, Result
from rekey.campaign.settings import OnFailure, Settings, StaleConsumers

AS_ASKED = {Became.ROTATED, Became.WOULD_ROTATE, Became.ROLLED_BACK}
BAD = {Became.FAILED, Became.REFUSED, Became.UNKNOWN}
ENOUGH_SHOWN = 20


@dataclass(frozen=True)
class Heard:
    """What has come up while soaking: alarms, and who still uses old versions, by secret.

    ``unknown`` counts the secrets of whose reads nothing is known.
    """

    alarms: Sequence[str] = ()
    stale: Mapping[str, Sequence[str]] = field(default_factory=dict)
    unknown: int = 0


SILENCE = Heard()


@dataclass(frozen=True)
class Summary:
    """``stands`` tells whether all is as it was asked for; ``text`` says it in a few sentences."""

    stands: bool
    text: str
    counts: dict[str, int]
    results: tuple[Result, ...]


def failed(results: Iterable[Result]) -> bool:
    """Tell whether any rotation began and did not end right, or could not begin."""
    return any(result.became in BAD for result in results)


def to_roll_back(
    settings: Settings, results: Sequence[Result], heard: Heard = SILENCE
) -> list[Result]:
    """Return what is to be undone, so that the version before it serves.

    A rotation that failed is rolled back unless the campaign is to stop as it is. An alarm says
    nothing about single secrets: it counts against all that were rotated. Consumers that use an
    old version do, so only their secrets are, unless it is all or nothing. Without the version
    that was made nothing is: it would be AWSCURRENT that is rejected, whoever has made that.
    """
    if settings.compromised or settings.dry_run or settings.on_failure is OnFailure.STOP:
        return []
    stale = heard.stale if settings.stale_consumers is StaleConsumers.ROLL_BACK else {}
    bad = failed(results) or bool(stale)
    together = heard.alarms or (settings.on_failure is OnFailure.ROLL_BACK_ALL and bad)
    return [
        result
        for result in results
        if result.version_id
        and (
            result.became is Became.FAILED
            or (result.became is Became.ROTATED and (together or result.secret_id in stale))
        )
    ]


def stands(results: Iterable[Result], back: Iterable[Result]) -> bool:
    """Tell whether anything is rotated and stays so: it is to be watched."""
    gone = {result.secret_id for result in back}
    return any(r.became is Became.ROTATED and r.secret_id not in gone for r in results)


def conclude(
    settings: Settings,
    results: Sequence[Result],
    rolled_back: Sequence[Result] = (),
    heard: Heard = SILENCE,
) -> Summary:
    """Join what became of each. The campaign stands only if each stands as asked."""
    final = tuple(_final(results, rolled_back, heard.stale))
    wanted = Became.WOULD_ROTATE if settings.dry_run else Became.ROTATED
    counts = Counter(str(result.became) for result in final)
    stands = not heard.alarms and all(result.became is wanted for result in final)
    text = _text(counts, final, heard)
    if settings.compromised and not settings.dry_run:
        text = f"{text} {_left(final)}".strip()
    return Summary(stands, text, dict(counts), final)


def _left(final: Sequence[Result]) -> str:
    """Say of how many secrets passwords may still work that were to go."""
    left = sum(result.became is not Became.ROTATED or bool(result.unknown) for result in final)
    if not left:
        return ""
    return f"Of {left} secrets passwords that were in use may still work: see works and unknown."


def _final(
    results: Sequence[Result],
    rolled_back: Sequence[Result],
    stale: Mapping[str, Sequence[str]],
) -> Iterable[Result]:
    since = {result.secret_id: result for result in rolled_back}
    for became in results:
        seen = stale.get(became.secret_id)
        result = replace(became, stale=tuple(seen)) if seen else became
        later = since.get(result.secret_id)
        if later is None:
            yield result
        else:
            said = f"{result.reason} {later.reason}".strip()
            yield replace(result, became=later.became, reason=said, error=later.error)


def _text(counts: Counter[str], results: Sequence[Result], heard: Heard) -> str:
    told = [f"{number} {became}" for became, number in sorted(counts.items())]
    sentences = [f"{len(results)} secrets: {', '.join(told)}."]
    if heard.alarms:
        sentences.append(f"Alarms: {', '.join(heard.alarms[:ENOUGH_SHOWN])}.")
    if heard.stale:
        sentences.append(f"Consumers of {len(heard.stale)} secrets use the old version.")
    if heard.unknown:
        sentences.append(f"Of {heard.unknown} secrets nothing is known about reads.")
    bad = [result for result in results if result.became not in AS_ASKED]
    sentences += [
        f"{result.secret_id}: {result.became}. {result.error} {result.reason}".strip()
        for result in bad[:ENOUGH_SHOWN]
    ]
    if len(bad) > ENOUGH_SHOWN:
        sentences.append(f"And {len(bad) - ENOUGH_SHOWN} more.")
    return " ".join(sentences)

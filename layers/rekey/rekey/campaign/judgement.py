"""What follows from the results of a campaign, and what is said about it in the end."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rekey.campaign.results import Became, Result
from rekey.campaign.settings import OnFailure, Settings

NOT_AS_ASKED = {Became.FAILED, Became.REFUSED, Became.SKIPPED, Became.NOT_ROLLED_BACK}
ENOUGH_SHOWN = 20


@dataclass(frozen=True)
class Summary:
    """``stands`` tells whether all is as it was asked for; ``text`` says it in a few sentences."""

    stands: bool
    text: str
    counts: dict[str, int]
    results: tuple[Result, ...]


def failed(results: Iterable[Result]) -> bool:
    """Tell whether any rotation began and did not end right, or could not begin."""
    return any(result.became in (Became.FAILED, Became.REFUSED) for result in results)


def to_roll_back(
    settings: Settings, results: Sequence[Result], alarms: Sequence[str] = ()
) -> list[Result]:
    """Return what is to be undone, so that the version before it serves.

    A rotation that failed is rolled back unless the campaign is to stop as it is. An alarm says
    nothing about single secrets: it counts against all that were rotated.
    """
    if settings.compromised or settings.dry_run or settings.on_failure is OnFailure.STOP:
        return []
    begun = {Became.FAILED}
    if alarms or (settings.on_failure is OnFailure.ROLL_BACK_ALL and failed(results)):
        begun.add(Became.ROTATED)
    return [result for result in results if result.became in begun]


def conclude(
    settings: Settings,
    results: Sequence[Result],
    rolled_back: Sequence[Result] = (),
    alarms: Sequence[str] = (),
) -> Summary:
    """Join what became of each. The campaign stands only if each stands as asked."""
    final = tuple(_final(results, rolled_back))
    wanted = Became.WOULD_ROTATE if settings.dry_run else Became.ROTATED
    counts = Counter(str(result.became) for result in final)
    stands = not alarms and all(result.became is wanted for result in final)
    return Summary(stands, _text(counts, final, alarms), dict(counts), final)


def _final(results: Sequence[Result], rolled_back: Sequence[Result]) -> Iterable[Result]:
    since = {result.secret_id: result for result in rolled_back}
    for result in results:
        later = since.get(result.secret_id)
        if later is None:
            yield result
        else:
            said = f"{result.reason} {later.reason}".strip()
            yield replace(result, became=later.became, reason=said, error=later.error)


def _text(counts: Counter[str], results: Sequence[Result], alarms: Sequence[str]) -> str:
    told = [f"{number} {became}" for became, number in sorted(counts.items())]
    sentences = [f"{len(results)} secrets: {', '.join(told)}."]
    if alarms:
        sentences.append(f"Alarms: {', '.join(alarms[:ENOUGH_SHOWN])}.")
    bad = [result for result in results if result.became in NOT_AS_ASKED]
    sentences += [
        f"{result.secret_id}: {result.became}. {result.error} {result.reason}".strip()
        for result in bad[:ENOUGH_SHOWN]
    ]
    if len(bad) > ENOUGH_SHOWN:
        sentences.append(f"And {len(bad) - ENOUGH_SHOWN} more.")
    return " ".join(sentences)

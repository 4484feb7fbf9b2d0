"""The parts of a campaign that the state machine ``rotate`` asks a function for.

What they hand to each other goes through documents, as lists may be longer than a state machine
passes on. Each task may be asked again: it writes the same documents.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from itertools import chain
from typing import Any

from rekey.access.renewal import Verdict
from rekey.access.stale import Answer
from rekey.campaign.judgement import Heard, conclude, stands, to_roll_back
from rekey.campaign.plan import plan
from rekey.campaign.results import Became, Result
from rekey.campaign.settings import MOST_JUDGED, OnFailure, Settings, StaleConsumers, parse
from rekey.errors import InvalidCampaign, SecretError, SecretNotFound
from rekey.model import Label, SecretMetadata
from rekey.ports import Alarms, Documents, RotationFunctions, SecretCatalogue

Facts = dict[str, Any]
Child = Mapping[str, Any]
"""What the ResultWriter says of one child execution."""

CONSUMERS_SHOWN = 5
SHOWN = 100
"""Results in the output of the workflow; the document has them all."""


@dataclass(frozen=True)
class World:
    """The outside world as ports.

    ``consumers`` says who uses the version before the one (second) of a secret (first).
    """

    secrets: SecretCatalogue
    functions: RotationFunctions
    documents: Documents
    alarms: Alarms
    consumers: Callable[[str, str], Verdict]


def run(world: World, event: Mapping[str, Any]) -> Facts:
    """Carry out the task that the event names. Raises InvalidCampaign, CampaignFailure."""
    task = TASKS.get(str(event.get("task")))
    if task is None:
        raise InvalidCampaign(f"The task must be one of {', '.join(TASKS)}.")
    return task(world, event)


def _plan(world: World, event: Mapping[str, Any]) -> Facts:
    """Check the input, find the secrets, and write an item for each."""
    settings = parse(event["input"])
    if missing := world.alarms.missing(settings.health_alarms):
        raise InvalidCampaign(f"There is no alarm {missing[0]} in this account and region.")
    items = plan(_secrets(world, settings), _remembered(world.functions.is_ours))
    if settings.stale_consumers is not StaleConsumers.IGNORE and len(items) > MOST_JUDGED:
        raise InvalidCampaign(f"staleConsumers goes with up to {MOST_JUDGED} secrets.")
    key = f"{event['execution']}/items.json"
    world.documents.write(key, [item.document() for item in items])
    return {
        "settings": settings.document(),
        "items": key,
        "total": len(items),
        "results": f"{event['execution']}/results",
        "rolledBack": f"{event['execution']}/rolled-back",
        "maxConcurrency": settings.max_concurrency,
        "maxPerHost": settings.max_per_host,
        "soakSeconds": 0 if settings.dry_run else settings.soak_seconds,
        "staleConsumers": str(settings.stale_consumers),
        "dryRun": settings.dry_run,
        "compromised": settings.compromised,
        "stopAtFailure": settings.on_failure is not OnFailure.ROLL_BACK_FAILED,
    }


def _secrets(world: World, settings: Settings) -> Iterable[SecretMetadata]:
    if settings.tag is None:
        return [_described(world, secret_id) for secret_id in settings.secret_ids]
    found = world.secrets.tagged(*settings.tag)
    first = next(found, None)
    if first is None:
        key, value = settings.tag
        raise InvalidCampaign(f"No secret carries the tag {key} = {value}.")
    return chain([first], found)


def _described(world: World, secret_id: str) -> SecretMetadata:
    try:
        return world.secrets.describe(secret_id)
    except SecretNotFound:
        raise InvalidCampaign(f"There is no secret {secret_id[:200]}.") from None


def _remembered(ask: Callable[[str], bool]) -> Callable[[str], bool]:
    """Thousands of secrets share a few functions."""
    known: dict[str, bool] = {}

    def remembered(arn: str) -> bool:
        if arn not in known:
            known[arn] = ask(arn)
        return known[arn]

    return remembered


def _judge(world: World, event: Mapping[str, Any]) -> Facts:
    """Tell what follows from the results, or from alarms during the soak time.

    ``soak``: some secret was rotated and stays so; others that failed do not change that. What an
    earlier round has rolled back is left alone, whatever became of it.
    """
    settings = parse(event["settings"])
    results = _results(world, event["manifest"], partial(_looked_up, world))
    done = {result.secret_id for result in _rolled_back(world, event)}
    results = [result for result in results if result.secret_id not in done]
    back = to_roll_back(settings, results, _heard(world, event))
    key = f"{event['execution']}/roll-back.json"
    world.documents.write(
        key, [{"secretId": each.secret_id, "versionId": each.version_id} for each in back]
    )
    return {
        "rollBack": key,
        "rollBackCount": len(back),
        "soak": settings.soak_seconds > 0 and stands(results, back),
    }


def _watch(world: World, event: Mapping[str, Any]) -> Facts:
    """Tell which of the alarms are going off now."""
    return {"alarms": world.alarms.ringing(parse(event["settings"]).health_alarms)}


def _consumers(world: World, event: Mapping[str, Any]) -> Facts:
    """Write which secrets have consumers that use the version before, and some of them."""
    stale, unknown = dict[str, list[str]](), 0
    for result in _results(world, event["manifest"]):
        if result.became is Became.ROTATED:
            verdict = world.consumers(result.secret_id, result.version_id)
            unknown += verdict.answer is Answer.UNKNOWN
            if verdict.answer is Answer.STALE:
                named = [one.principal for one in verdict.late]
                stale[result.secret_id] = named[:CONSUMERS_SHOWN]
    key = f"{event['execution']}/consumers.json"
    world.documents.write(key, {"stale": stale, "unknown": unknown})
    return {"consumers": key}


def _heard(world: World, event: Mapping[str, Any]) -> Heard:
    alarms, key = list(event.get("alarms", [])), event.get("consumers")
    known = world.documents.read(key) if key else {}
    return Heard(alarms, known.get("stale", {}), known.get("unknown", 0))


def _rolled_back(world: World, event: Mapping[str, Any]) -> list[Result]:
    """Read what became of all that was to be rolled back so far: failures first, then alarms."""
    return list(chain.from_iterable(_results(world, key) for key in event["rolledBack"]))


def _conclude(world: World, event: Mapping[str, Any]) -> Facts:
    """Write what became of each, and tell whether all stands as it was asked for."""
    settings, heard = parse(event["settings"]), _heard(world, event)
    results, back = _results(world, event["manifest"]), _rolled_back(world, event)
    summary = conclude(settings, results, back, heard)
    told = [result.document(compromised=settings.compromised) for result in summary.results]
    key = f"{event['execution']}/summary.json"
    whole = {"stands": summary.stands, "settings": settings.document(), "counts": summary.counts}
    place = world.documents.write(key, {**whole, "alarms": heard.alarms, "secrets": told})
    return {
        "stands": summary.stands,
        "text": f"{summary.text} All results: {place}",
        "summary": place,
        "counts": summary.counts,
        "secrets": told[:SHOWN],
    }


def _unknown(child: Child) -> Result:
    """A child that has no output was ended from outside, or by a defect: nobody knows how far."""
    given = json.loads(child["Input"])
    return Result(
        given["secretId"],
        Became.UNKNOWN,
        "Its run was ended before it told anything. Nobody knows whether the secret was rotated: "
        "start recover for it, which looks, and then rotate it again if need be.",
        str(child.get("Error", "Aborted")),
        unknown=tuple(given.get("versions", "").split()) if given.get("compromised") else (),
    )


def _looked_up(world: World, child: Child) -> Result:
    """Tell what the labels show: AWSCURRENT on a version of this run is the run's doing.

    The tokens are made as the state machine makes them.
    """
    result = _unknown(child)
    try:
        current = world.secrets.describe(result.secret_id).holder(Label.CURRENT)
    except SecretError:
        return result
    about = f"{child['ExecutionArn']}|{result.secret_id}"
    tokens = (sha256(f"{about}|{number}".encode()).hexdigest() for number in (1, 2))
    if current is None or current not in tokens:
        return result
    return replace(result, became=Became.FAILED, version_id=current)


def _results(
    world: World, manifest: str, without_output: Callable[[Child], Result] = _unknown
) -> Sequence[Result]:
    """Read what the children of a Distributed Map have written.

    Source: Step Functions Developer Guide, "ResultWriter".
    """
    files = world.documents.read(manifest)["ResultFiles"]
    ended = chain.from_iterable(
        world.documents.each(file["Key"])
        for kind in ("SUCCEEDED", "FAILED", "PENDING")
        for file in files.get(kind, [])
    )
    return [
        Result.read(json.loads(child["Output"])) if child.get("Output") else without_output(child)
        for child in ended
    ]


TASKS: Mapping[str, Callable[[World, Mapping[str, Any]], Facts]] = {
    "plan": _plan,
    "judge": _judge,
    "watch": _watch,
    "consumers": _consumers,
    "conclude": _conclude,
}

"""The input of a campaign: what a person wrote, checked before anything is touched."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Any, TypeVar

from rekey.errors import InvalidCampaign

C = TypeVar("C", bound=StrEnum)

MOST_SECRET_IDS = 1000
MOST_CONCURRENCY = 1000
MOST_PER_HOST = 100
MOST_SOAK_SECONDS = 86_400
MOST_JUDGED = 10_000
"""Secrets whose consumers one task asks about within its time."""
MOST_ALARMS = 100
"""CloudWatch describes so many alarms by name in one call."""


@unique
class OnFailure(StrEnum):
    """What follows when a rotation of the campaign fails or an alarm goes off."""

    ROLL_BACK_FAILED = "rollBackFailed"
    ROLL_BACK_ALL = "rollBackAll"
    STOP = "stop"


@unique
class StaleConsumers(StrEnum):
    """What follows if consumers still use an old version at the end of the soak time."""

    IGNORE = "ignore"
    REPORT = "report"
    ROLL_BACK = "rollBack"


@dataclass(frozen=True)
class Settings:
    """What is rotated and how; ``document`` is the same as JSON, every default written out.

    Exactly one of ``secret_ids`` (names or ARNs) and ``tag`` (key and value) is given.
    ``max_per_host`` bounds the rotations at once on one database server.
    """

    secret_ids: tuple[str, ...] = ()
    tag: tuple[str, str] | None = None
    max_concurrency: int = 10
    max_per_host: int = 2
    soak_seconds: int = 300
    health_alarms: tuple[str, ...] = ()
    on_failure: OnFailure = OnFailure.ROLL_BACK_FAILED
    stale_consumers: StaleConsumers = StaleConsumers.IGNORE
    dry_run: bool = False
    compromised: bool = False

    def document(self) -> dict[str, Any]:
        """Return what ``parse`` reads again."""
        which: dict[str, Any] = {"secretIds": list(self.secret_ids)}
        if self.tag is not None:
            which = {"tag": {"key": self.tag[0], "value": self.tag[1]}}
        if self.compromised:
            how: dict[str, Any] = {"compromised": True}
        else:
            how = {
                "soakSeconds": self.soak_seconds,
                "healthAlarms": list(self.health_alarms),
                "onFailure": str(self.on_failure),
                "staleConsumers": str(self.stale_consumers),
            }
        most = {"maxConcurrency": self.max_concurrency, "maxPerHost": self.max_per_host}
        return {**which, **most, **how, "dryRun": self.dry_run}


KEYS = {
    "secretIds",
    "tag",
    "maxConcurrency",
    "maxPerHost",
    "soakSeconds",
    "healthAlarms",
    "onFailure",
    "staleConsumers",
    "dryRun",
    "compromised",
}
NOT_WITH_COMPROMISED = {"soakSeconds", "healthAlarms", "onFailure", "staleConsumers"}


def parse(given: object) -> Settings:
    """Return the settings in ``given``. Raises InvalidCampaign, which says what is wrong."""
    if not isinstance(given, Mapping):
        raise InvalidCampaign("The input is not a JSON object.")
    _check_keys(given)
    default = Settings()
    compromised = _flag(given, "compromised")
    settings = Settings(
        secret_ids=_names(given, "secretIds", MOST_SECRET_IDS),
        tag=_tag(given),
        max_concurrency=_number(given, "maxConcurrency", default.max_concurrency, MOST_CONCURRENCY),
        max_per_host=_number(given, "maxPerHost", default.max_per_host, MOST_PER_HOST),
        soak_seconds=0 if compromised else _soak(given, default.soak_seconds),
        health_alarms=_names(given, "healthAlarms", MOST_ALARMS),
        on_failure=_one_of(OnFailure, given, "onFailure", default.on_failure),
        stale_consumers=_one_of(StaleConsumers, given, "staleConsumers", default.stale_consumers),
        dry_run=_flag(given, "dryRun"),
        compromised=compromised,
    )
    _check_consumers(settings)
    return settings


def _check_consumers(settings: Settings) -> None:
    if settings.stale_consumers is StaleConsumers.IGNORE:
        return
    if settings.soak_seconds == 0:
        raise InvalidCampaign("staleConsumers needs soakSeconds: at once nobody has read anything.")
    if (
        settings.stale_consumers is StaleConsumers.ROLL_BACK
        and settings.on_failure is OnFailure.STOP
    ):
        raise InvalidCampaign("staleConsumers rollBack does not go with onFailure stop.")


def _check_keys(given: Mapping[str, Any]) -> None:
    if unknown := sorted(str(key) for key in set(given) - KEYS):
        raise InvalidCampaign(
            f"There is no setting {unknown[0][:40]!r}. There are {', '.join(sorted(KEYS))}."
        )
    if ("secretIds" in given) is ("tag" in given):
        raise InvalidCampaign("Give either secretIds or tag.")
    if given.get("compromised") is True and (both := NOT_WITH_COMPROMISED & set(given)):
        raise InvalidCampaign(
            f"{min(both)} does not go with compromised: then nothing is watched for a time "
            "and no old password is brought back."
        )


def _names(given: Mapping[str, Any], key: str, most: int) -> tuple[str, ...]:
    if key not in given:
        return ()
    names = given[key]
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise InvalidCampaign(f"{key} must be a list of texts.")
    if key == "secretIds" and not names:
        raise InvalidCampaign("secretIds is empty.")
    if len(names) > most:
        hint = " Give the secrets a tag, and name that." if key == "secretIds" else ""
        raise InvalidCampaign(f"{key} has more than {most} entries.{hint}")
    return tuple(names)


def _tag(given: Mapping[str, Any]) -> tuple[str, str] | None:
    if "tag" not in given:
        return None
    match given["tag"]:
        case {"key": str() as key, "value": str() as value, **rest} if key and not rest:
            return key, value
    raise InvalidCampaign('tag must be {"key": "...", "value": "..."}, and is matched exactly.')


def _number(given: Mapping[str, Any], key: str, default: int, most: int, least: int = 1) -> int:
    number = given.get(key, default)
    if isinstance(number, int) and not isinstance(number, bool) and least <= number <= most:
        return number
    raise InvalidCampaign(f"{key} must be a whole number from {least} to {most}.")


def _soak(given: Mapping[str, Any], default: int) -> int:
    return _number(given, "soakSeconds", default, MOST_SOAK_SECONDS, least=0)


def _flag(given: Mapping[str, Any], key: str) -> bool:
    flag = given.get(key, False)
    if isinstance(flag, bool):
        return flag
    raise InvalidCampaign(f"{key} must be true or false.")


def _one_of(choices: type[C], given: Mapping[str, Any], key: str, default: C) -> C:
    asked = given.get(key, default)
    if isinstance(asked, str) and asked in set(choices):
        return choices(asked)
    raise InvalidCampaign(f"{key} must be one of {', '.join(choices)}.")

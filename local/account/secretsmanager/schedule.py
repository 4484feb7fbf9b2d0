"""Rotation schedules: AutomaticallyAfterDays, rate() and cron(), in UTC, each with its window.

Source: "Schedule expressions in Secrets Manager rotation" in the user guide, and the API reference
of RotationRulesType. The texts of refusals are not published except one, and are ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from ministack.services import eventbridge

from local.account.secretsmanager.errors import ParameterError

_RATE = re.compile(r"rate\(([1-9][0-9]*) (hour|hours|day|days)\)")
FEWEST_HOURS = 4
MOST_DAYS = 999
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Window:
    """Epoch seconds; a rotation falls due when it opens and must have happened when it closes."""

    opens: float
    closes: float


def check(rules: Mapping[str, Any]) -> None:
    """Raises ParameterError for a schedule that the service refuses."""
    if rules.get("AutomaticallyAfterDays") and rules.get("ScheduleExpression"):
        raise ParameterError(
            "You cannot specify both rotation frequency and schedule expression together."
        )
    expression = rules.get("ScheduleExpression")
    if expression:
        _check_expression(expression)
    _check_duration(rules)


def next_window(rules: Mapping[str, Any], after: float) -> Window | None:
    """The first window after this moment; None without a schedule."""
    moment = datetime.fromtimestamp(after, UTC)
    opens = _next_opening(rules, moment)
    if opens is None:
        return None
    closes = min(opens + _duration(rules), _midnight(opens) + DAY - SECOND)
    return Window(opens.timestamp(), closes.timestamp())


def _next_opening(rules: Mapping[str, Any], moment: datetime) -> datetime | None:
    days, expression = rules.get("AutomaticallyAfterDays"), rules.get("ScheduleExpression")
    if days:
        return _midnight(moment) + timedelta(days=days)
    if not expression:
        return None
    if rate := _RATE.fullmatch(expression):
        number = int(rate[1])
        if rate[2].startswith("day"):
            return _midnight(moment) + timedelta(days=number)
        return moment.replace(minute=0, second=0, microsecond=0) + timedelta(hours=number)
    opening: datetime | None = eventbridge._cron_next_fire(
        eventbridge._parse_cron_fields(expression), moment
    )
    return opening


def _midnight(moment: datetime) -> datetime:
    return datetime.combine(moment.date(), time.min, UTC)


def _duration(rules: Mapping[str, Any]) -> timedelta:
    """Without a Duration, one hour for schedules in hours, else the rest of the day."""
    given = rules.get("Duration")
    if given:
        return timedelta(hours=int(given[:-1]))
    return timedelta(hours=1) if _in_hours(rules.get("ScheduleExpression")) else DAY


def _in_hours(expression: str | None) -> bool:
    """Whether the schedule opens more than once a day."""
    if not expression:
        return False
    if rate := _RATE.fullmatch(expression):
        return rate[2].startswith("hour")
    return len(eventbridge._parse_cron_fields(expression)[1]) > 1


def _check_expression(expression: str) -> None:
    if rate := _RATE.fullmatch(expression):
        hours = rate[2].startswith("hour")
        if hours and int(rate[1]) < FEWEST_HOURS:
            raise ParameterError("A secret can be rotated at most every four hours.")
        if timedelta(**{"hours" if hours else "days": int(rate[1])}) > MOST_DAYS * DAY:
            raise ParameterError("The longest rotation period is 999 days.")
        return
    fields = eventbridge._parse_cron_fields(expression)
    if fields is None:
        raise ParameterError(f"The schedule expression {expression} is not valid.")
    if not (expression.startswith("cron(0 ") and expression.endswith(" *)")):
        raise ParameterError("A cron expression must have 0 for the minute and * for the year.")
    hours_of_day = sorted(fields[1])
    apart = [b - a for a, b in pairwise(hours_of_day)]
    if apart and min(apart) < FEWEST_HOURS:
        raise ParameterError("A secret can be rotated at most every four hours.")


def _check_duration(rules: Mapping[str, Any]) -> None:
    """The window must not extend into the next one or into the next UTC day."""
    if not rules.get("Duration"):
        return
    first = next_window({**rules, "Duration": None}, 0)
    if first is None:
        raise ParameterError("A rotation window needs a rotation schedule.")
    opens = datetime.fromtimestamp(first.opens, UTC)
    second = next_window({**rules, "Duration": None}, first.opens)
    ends = opens + _duration(rules)
    limit = _midnight(opens) + DAY
    if second is not None:
        limit = min(limit, datetime.fromtimestamp(second.opens, UTC))
    if not opens < ends <= limit:
        raise ParameterError("The rotation window must not extend into the next one or day.")

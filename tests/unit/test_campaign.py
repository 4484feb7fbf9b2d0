"""What a campaign asks for, and what follows from what became of each secret."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekey.campaign import (
    Became,
    Heard,
    OnFailure,
    Result,
    Settings,
    StaleConsumers,
    conclude,
    plan,
    to_roll_back,
)
from rekey.campaign.settings import parse
from rekey.errors import InvalidCampaign
from rekey.model import Label, SecretMetadata

FUNCTION = "arn:aws:lambda:eu-central-1:111122223333:function:rekey-rotate-mysql"
BECAME = list(Became)


def secret(arn: str = "arn:1", **other: Any) -> SecretMetadata:
    facts: dict[str, Any] = {
        "rotation_enabled": True,
        "labels": {"v1": frozenset({Label.CURRENT})},
        "tags": {},
        "rotation_function": FUNCTION,
    }
    return SecretMetadata(arn, **(facts | other))


TOUCHED = {Became.ROTATED, Became.FAILED}


def results(*became: Became) -> list[Result]:
    return [
        Result(f"arn:{number}", each, version_id="v2" if each in TOUCHED else "")
        for number, each in enumerate(became)
    ]


def test_defaults_watch_and_bring_back_what_failed() -> None:
    settings = parse({"secretIds": ["a"]})
    assert settings == Settings(secret_ids=("a",))
    assert settings.on_failure is OnFailure.ROLL_BACK_FAILED
    assert (settings.max_per_host, settings.soak_seconds) == (2, 300)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "maxConcurrency": st.integers(1, 1000),
            "maxPerHost": st.integers(1, 100),
            "dryRun": st.booleans(),
            "compromised": st.booleans(),
        },
    ),
    st.sampled_from([{"secretIds": ["a", "b"]}, {"tag": {"key": "k", "value": ""}}]),
)
def test_settings_survive_being_written_down(how: dict[str, Any], which: dict[str, Any]) -> None:
    settings = parse({**which, **how})
    assert parse(settings.document()) == settings


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from([*sorted(Settings().document()), "tag", "compromised", "other"]), ANY_JSON
    )
    | ANY_JSON
)
def test_whatever_is_asked_for_is_understood_or_refused_with_a_reason(asked: object) -> None:
    try:
        settings = parse(asked)
    except InvalidCampaign as refused:
        said = str(refused)
    else:
        said = "It is understood."
        assert parse(settings.document()) == settings
    assert said.endswith(".")


def test_a_secret_is_planned_once_whatever_names_it_was_asked_for_by() -> None:
    (item,) = plan([secret(), secret()], lambda _: True)
    assert item.document() == {
        "secretId": "arn:1",
        "functionArn": FUNCTION,
        "versionId": "v1",
        "versions": "v1",
        "refused": "",
    }


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (secret(rotation_enabled=False), "not enabled"),
        (secret(rotation_function=None), "not enabled"),
        (secret(rotation_function="arn:other"), "not a rotation function of Rekey"),
        (secret(labels={"v1": frozenset({Label.PENDING})}), "No version has AWSCURRENT"),
    ],
)
def test_what_cannot_be_rotated_by_us_is_refused_with_a_reason(
    found: SecretMetadata, said: str
) -> None:
    (item,) = plan([found], lambda arn: arn == FUNCTION)
    assert said in item.refused
    assert item.versions == ("v1",)
    assert item.function_arn == ""


@pytest.mark.parametrize(
    ("on_failure", "alarms", "back"),
    [
        (OnFailure.ROLL_BACK_FAILED, [], ["arn:1"]),
        (OnFailure.ROLL_BACK_ALL, [], ["arn:0", "arn:1"]),
        (OnFailure.STOP, [], []),
        (OnFailure.ROLL_BACK_FAILED, ["x"], ["arn:0", "arn:1"]),
        (OnFailure.STOP, ["x"], []),
    ],
)
def test_as_much_is_rolled_back_as_was_asked_for(
    on_failure: OnFailure, alarms: list[str], back: list[str]
) -> None:
    settings = Settings(secret_ids=("a",), on_failure=on_failure)
    became = results(Became.ROTATED, Became.FAILED, Became.REFUSED, Became.SKIPPED)
    assert [each.secret_id for each in to_roll_back(settings, became, Heard(alarms))] == back


@given(
    st.lists(st.builds(Result, st.text(), st.sampled_from(BECAME), version_id=st.text(max_size=1))),
    st.builds(Settings, on_failure=st.sampled_from(OnFailure)),
    st.lists(st.just("alarm"), max_size=1),
)
def test_nothing_is_rolled_back_without_the_version_that_was_made(
    became: list[Result], settings: Settings, alarms: list[str]
) -> None:
    assert all(each.version_id for each in to_roll_back(settings, became, Heard(alarms)))


@given(st.lists(st.sampled_from(BECAME)), st.booleans(), st.lists(st.just("alarm"), max_size=1))
def test_no_old_password_of_a_compromised_secret_is_brought_back(
    became: list[Became], dry: bool, alarms: list[str]
) -> None:
    for settings in (Settings(compromised=True), Settings(compromised=dry, dry_run=True)):
        assert to_roll_back(settings, results(*became), Heard(alarms, {"arn:0": ["role"]})) == []


STALE = Heard(stale={"arn:0": ["role/app"]}, unknown=1)


@pytest.mark.parametrize(
    ("asked", "on_failure", "back"),
    [
        ("ignore", "rollBackAll", []),
        ("report", "rollBackAll", []),
        ("rollBack", "rollBackFailed", ["arn:0"]),
        ("rollBack", "rollBackAll", ["arn:0", "arn:1"]),
    ],
)
def test_consumers_that_use_the_old_version_bring_it_back_only_if_that_was_asked_for(
    asked: str, on_failure: str, back: list[str]
) -> None:
    settings = parse({"secretIds": ["a"], "staleConsumers": asked, "onFailure": on_failure})
    rotated = results(Became.ROTATED, Became.ROTATED)
    assert [each.secret_id for each in to_roll_back(settings, rotated, STALE)] == back


def test_who_uses_the_old_version_is_told_and_the_campaign_stands() -> None:
    settings = Settings(stale_consumers=StaleConsumers.REPORT)
    summary = conclude(settings, results(Became.ROTATED, Became.ROTATED), heard=STALE)
    assert summary.stands
    assert [result.document().get("stale") for result in summary.results] == [["role/app"], None]
    assert "Consumers of 1 secrets use the old version." in summary.text
    assert "Of 1 secrets nothing is known about reads." in summary.text


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"staleConsumers": "maybe"}, "must be one of ignore, report, rollBack"),
        ({"staleConsumers": "report", "soakSeconds": 0}, "needs soakSeconds"),
        ({"staleConsumers": "rollBack", "onFailure": "stop"}, "does not go with onFailure stop"),
        ({"staleConsumers": "report", "compromised": True}, "does not go with compromised"),
    ],
)
def test_consumers_are_asked_about_where_that_makes_sense(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidCampaign, match=said):
        parse({"secretIds": ["a"], **asked})


@given(st.lists(st.sampled_from(BECAME), min_size=1))
def test_a_campaign_stands_only_if_every_secret_stands_as_asked(became: list[Became]) -> None:
    summary = conclude(Settings(), results(*became))
    assert summary.stands is (set(became) == {Became.ROTATED})
    assert sum(summary.counts.values()) == len(became)
    assert not conclude(Settings(), results(*became), heard=Heard(["alarm"])).stands


def test_what_was_rolled_back_is_told_with_why_it_had_failed() -> None:
    first = [Result("arn:1", Became.FAILED, "No answer.", "DatabaseUnreachable")]
    back = [Result("arn:1", Became.NOT_ROLLED_BACK, "Nor then.", "Other")]
    (final,) = conclude(Settings(), first, back).results
    assert (final.became, final.error) == (Became.NOT_ROLLED_BACK, "Other")
    assert final.reason == "No answer. Nor then."


def test_the_text_of_thousands_of_failures_stays_short() -> None:
    failed = [Result(f"arn:{n}", Became.FAILED, "x" * 500, "Error") for n in range(5000)]
    text = conclude(Settings(), failed).text
    assert "And 4980 more." in text
    assert len(text) < 32_768

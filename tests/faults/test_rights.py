"""The harness itself: a core that gives no rights, or not all of them, is noticed."""

import pytest

from rekey.engines.mysql import peer as mysql_peer
from rekey.engines.postgresql import settings
from rekey.engines.postgresql.session import Session
from rekey.model import Strategy
from tests.faults.conftest import target_of
from tests.faults.effects import Effects, Kind
from tests.faults.points import Course, Setting, discover
from tests.faults.preparation import fresh

CHANGES = {
    "mysql": ("GRANT", "REVOKE", "ALTER USER"),
    "mariadb": ("GRANT", "REVOKE", "SET DEFAULT ROLE"),
    "postgres": ("GRANT", "REVOKE", "REASSIGN", "ALTER ROLE"),
}


@pytest.mark.parametrize("engine", CHANGES)
def test_statements_about_rights_are_effects(request: pytest.FixtureRequest, engine: str) -> None:
    setting = Setting(engine, Strategy.ALTERNATING_USERS, Course.THIRD)
    effects = discover(target_of(engine, request), setting)
    statements = [effect.name for effect in effects if effect.kind is Kind.STATEMENT]
    for beginning in CHANGES[engine]:
        assert any(statement.startswith(beginning) for statement in statements), beginning


@pytest.mark.parametrize("before", [0, 1, 2])
@pytest.mark.parametrize("engine", ["mysql", "mariadb"])
def test_a_core_that_gives_no_rights_is_noticed(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, engine: str, before: int
) -> None:
    target = target_of(engine, request)
    with fresh(target, Effects(), Strategy.ALTERNATING_USERS, rotations_before=before) as schedule:
        monkeypatch.setattr(mysql_peer, "converge", lambda *_, **__: None)
        wrong = schedule.run()
    differs = any(what.endswith(" differs") for what in wrong)
    # Where the base user comes next, it has its rights without anybody's help.
    assert differs is (before != 1)
    assert any("AWSCURRENT may not" in what for what in wrong) is (before == 0)


def test_a_core_that_leaves_a_setting_out_is_noticed(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, real = target_of("postgres", request), settings.converge

    def not_all(session: Session, base: str, clone: str) -> None:
        real(session, base, clone)
        session.run(f"ALTER ROLE {clone} RESET work_mem")

    monkeypatch.setattr(settings, "converge", not_all)
    with fresh(target, Effects(), Strategy.ALTERNATING_USERS, rotations_before=0) as schedule:
        wrong = schedule.run()
    assert any("the setting" in what and "differs" in what for what in wrong)

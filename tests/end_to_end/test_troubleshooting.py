"""The commands of docs/troubleshooting.md, followed as they stand there."""

import re

import pytest
from pg8000.native import literal

from local.postgres import Postgres
from tests.conftest import Deployed
from tests.documents import document, section
from tests.end_to_end.application import Application, retries
from tests.end_to_end.aws_command import run_command

STUCK = section(document("troubleshooting.md"), "### The rotation stays in AWSPENDING")


def commands(app: Application, pending: str) -> list[str]:
    """The commands of the section, about this secret."""
    found = re.findall(r"^ +(aws .+)$", STUCK, re.MULTILINE)
    names = {"SECRET_ARN": app.arn, "PENDING_VERSION": pending}
    return [re.sub("|".join(names), lambda name: names[name[0]], line) for line in found]


def fail_once(app: Application) -> str:
    """Rotate while the server is down, until the service gives up; the version left pending."""
    with retries(app.deployed, 1):
        app.postgres.stop()
        try:
            token = app.rotate()
            assert app.end(app.first_record)["eventName"] == "RotationFailed"
        finally:
            app.postgres.start()
    return token


def give(app: Application, username: str, password: str) -> None:
    """Set the password on the server, as setSecret does just before its answer gets lost."""
    if username != app.name:
        app.postgres.execute(f"CREATE ROLE {username} LOGIN", f"GRANT {app.name} TO {username}")
    app.postgres.execute(f"ALTER ROLE {username} PASSWORD {literal(password)}")


@pytest.mark.parametrize("alternating", [False, True], ids=["single-user", "alternating-users"])
@pytest.mark.parametrize("server_has_it", [False, True], ids=["before", "after"])
def test_a_stuck_rotation_is_started_anew_before_and_after_the_server_has_the_password(
    deployed: Deployed, postgres: Postgres, alternating: bool, server_has_it: bool
) -> None:
    app = Application(deployed, postgres, alternating=alternating)
    pending = fail_once(app)
    meant = app.value("AWSPENDING")
    if server_has_it:
        give(app, meant["username"], meant["password"])
    describe, take_off, rotate = commands(app, pending)
    assert pending in run_command(deployed.account, describe)["VersionIdsToStages"]
    run_command(deployed.account, take_off)
    assert not any("AWSPENDING" in labels for labels in app.labels().values())
    since = deployed.account.control("records")["next"]
    run_command(deployed.account, rotate)
    assert app.end(since)["eventName"] == "RotationSucceeded"
    assert app.value("AWSCURRENT") == meant
    assert app.logs_in("AWSCURRENT")

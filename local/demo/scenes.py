"""What happens, in order, and what each scene shows to be true."""

from __future__ import annotations

import json

from local.consumer import Consumer, uncached
from local.demo import claims
from local.demo.application import Application, Login, store, verdict
from local.demo.claims import Claim
from local.demo.healing import database_down
from local.demo.rotation import Rotated, ended, rotate, say_end
from local.demo.screen import Screen
from local.demo.stage import Stage
from local.demo.timeline import CURRENT, PREVIOUS
from local.demo.two_passwords import dual_password

PROMISED_CALLS = {"single-user": 8, "alternating-users": 9, "dual-password": 11}
REFUSED_PASSWORD = "SQLSTATE 28P01"  # noqa: S105 - what a wrong password is answered with


def play(stage: Stage, screen: Screen) -> list[Claim]:
    """All scenes; the claims that they made."""
    alternating, single = _applications(stage, screen)
    turns, found = _alternating_users(alternating, screen)
    alone, found_alone = _single_user(single, screen)
    dual, found_dual = dual_password(stage, screen)
    found = [*found, *found_alone, *found_dual, *database_down(single, screen)]
    rotated = {"single-user": [alone], "alternating-users": turns, "dual-password": dual}
    calls = {name: [turn.timeline.calls for turn in all_] for name, all_ in rotated.items() if all_}
    promised = {name: PROMISED_CALLS[name] for name in calls}
    return [*found, claims.as_few_calls(calls, promised), _passwords_stay_inside(stage)]


def _applications(stage: Stage, screen: Screen) -> tuple[Application, Application]:
    screen.scene("Two applications, each with a role that owns a schema, and their secrets")
    login = Login(
        stage.postgres.execute("SELECT current_user::text")[0][0], stage.postgres.password
    )
    superuser = store(stage, "superuser", login, tags={"rekey:superuser": "true"})
    alternating = Application.create(stage, "shop", superuser_arn=superuser)
    single = Application.create(stage, "reports")
    screen.say(f"superuser         role {login.username}, tag rekey:superuser = true")
    screen.say("shop/database     role shop, masterarn = superuser: alternating-users")
    screen.say("reports/database  role reports, no masterarn: single-user")
    return alternating, single


def _alternating_users(app: Application, screen: Screen) -> tuple[list[Rotated], list[Claim]]:
    screen.scene(f"{app.secret_name}: alternating-users, two rotations under a busy consumer")
    screen.say("The first rotation also starts the function's process.")
    names, turns = [app.login().username], []
    with Consumer(app.read(uncached), app.refusal_of) as consumer:
        for _ in range(2):
            turns.append(rotate(app, screen))
            names.append(app.login().username)
            say_end(screen, app, turns[-1])
    screen.say(f"The consumer logged in {consumer.tried} times, {len(consumer.failures)} refused.")
    return turns, [
        ended(turns, "alternating-users: both rotations succeed"),
        claims.nobody_refused(consumer.tried, consumer.failures),
        claims.names_alternate(names, app.role),
        _both_log_in(app),
        _share_what_they_create(app),
    ]


def _single_user(app: Application, screen: Screen) -> tuple[Rotated, list[Claim]]:
    screen.scene(f"{app.secret_name}: single-user, one rotation")
    rotated = rotate(app, screen)
    say_end(screen, app, rotated)
    return rotated, [
        ended([rotated], "single-user: the rotation succeeds"),
        _only_the_new_password(app, "single-user: only the new password logs in"),
    ]


def _both_log_in(app: Application) -> Claim:
    logins = app.login(CURRENT), app.login(PREVIOUS)
    refusals = [app.refusal(login) for login in logins]
    return Claim(
        "alternating-users: AWSCURRENT and AWSPREVIOUS both log in",
        ", ".join(
            f"{login.username} {verdict(refusal)}"
            for login, refusal in zip(logins, refusals, strict=True)
        ),
        holds=refusals == [None, None],
    )


def _share_what_they_create(app: Application) -> Claim:
    """Each of the two users creates a table; the other fills, alters, reads and drops it."""
    pair = app.login(CURRENT), app.login(PREVIOUS)
    shared = []
    for creator, other in (pair, pair[::-1]):
        app.run(creator, "CREATE TABLE stock (n int)", "INSERT INTO stock VALUES (1)")
        rows = app.run(
            other,
            "INSERT INTO stock VALUES (2)",
            "ALTER TABLE stock ADD COLUMN altered_by name DEFAULT session_user",
            "SELECT n, altered_by::text FROM stock ORDER BY n",
        )
        app.run(other, "DROP TABLE stock")
        shared.append(rows == [[1, other.username], [2, other.username]])
    names = " and ".join(login.username for login in pair)
    return Claim(
        "alternating-users: what one creates, the other reads and alters",
        f"{names}: each filled, altered, read and dropped the other's table",
        holds=shared == [True, True],
    )


def _only_the_new_password(app: Application, what: str) -> Claim:
    new, old = app.refusal(app.login(CURRENT)), app.refusal(app.login(PREVIOUS))
    return Claim(
        what,
        f"AWSCURRENT {verdict(new)}; AWSPREVIOUS {verdict(old)}",
        holds=new is None and old == REFUSED_PASSWORD,
    )


def _passwords_stay_inside(stage: Stage) -> Claim:
    places = {
        "PostgreSQL's log": stage.postgres.log.read_text(),
        "the functions' log": "\n".join(stage.functions_log()),
        "CloudTrail's records": json.dumps(stage.records()),
        "the workflows' histories": json.dumps(stage.histories(), default=str),
    }
    if stage.mariadb is not None:
        logs = stage.mariadb.logs().values()
        places["MariaDB's logs"] = "\n".join(log.decode(errors="replace") for log in logs)
    return claims.no_password_in(places, stage.passwords, known="rekey")

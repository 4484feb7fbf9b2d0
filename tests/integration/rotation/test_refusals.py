"""Refused logins, counted over all attempts of a rotation."""

import pytest
from pg8000.native import literal

from rekey import errors
from rekey.model import Outcome, Step
from tests.database import new_password
from tests.integration.rotation.conftest import logins
from tests.world import ARN, World


@pytest.mark.parametrize("attempts", [3, 6])
def test_a_lock_out_policy_of_three_survives_every_retry(world: World, attempts: int) -> None:
    """Somebody changed the password behind the secret's back."""
    world.server.execute(f"ALTER ROLE {world.server.base} PASSWORD {literal(new_password())}")
    token = world.start()
    refused = logins(world)[1]
    for _ in range(attempts):
        world.step(Step.CREATE, token)
        with pytest.raises((errors.CredentialsRejected, errors.TooManyRejectedLogins)):
            world.step(Step.SET, token)
    assert logins(world)[1] - refused == 2
    with pytest.raises(errors.TooManyRejectedLogins, match="RemoveFromVersionId"):
        world.step(Step.SET, token)


def test_a_new_rotation_may_log_in_again_once_the_password_is_right(world: World) -> None:
    world.server.execute(f"ALTER ROLE {world.server.base} PASSWORD {literal(new_password())}")
    token = world.start()
    for _ in range(3):
        world.step(Step.CREATE, token)
        with pytest.raises(errors.RekeyError):
            world.step(Step.SET, token)
    world.store.end_rotation(ARN)
    world.server.execute(
        f"ALTER ROLE {world.server.base} PASSWORD {literal(world.server.password)}"
    )
    world.rotate()
    assert world.settled()


def test_a_repeated_set_after_a_crash_costs_one_refused_login_at_most(single: World) -> None:
    token = single.start()
    single.step(Step.CREATE, token)
    single.step(Step.SET, token)
    refused = logins(single)[1]
    for _ in range(4):
        assert single.step(Step.SET, token).outcome is Outcome.NOTHING_TO_DO
    assert logins(single)[1] - refused == 1

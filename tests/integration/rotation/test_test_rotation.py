"""RotateImmediately=false: everything is tried, nothing is changed."""

import pytest

from rekey import errors
from rekey.model import Label, Outcome, Step
from tests.database import new_password
from tests.integration.rotation.conftest import logins
from tests.world import SUPERUSER_ARN, World


@pytest.mark.parametrize("rotations_before", [0, 1])
@pytest.mark.parametrize("with_value", [False, True])
def test_a_test_rotation_tests_what_a_rotation_needs_and_changes_nothing(
    world: World,
    rotations_before: int,
    with_value: bool,
) -> None:
    for _ in range(rotations_before):
        world.rotate()
    current = world.secret.holder(Label.CURRENT) or ""
    token = world.start()
    if with_value:
        world.secret.values[token] = world.secret.values[current]
    before = (dict(world.secret.values), str(world.secret.labels))
    let_in, refused = logins(world)
    assert world.step(Step.TEST, token).outcome is Outcome.DONE
    assert logins(world) == (let_in + (2 if world.alternating else 1), refused)
    assert (dict(world.secret.values), str(world.secret.labels)) == before


def test_a_test_rotation_fails_where_a_rotation_would(alternating: World) -> None:
    alternating.store.secrets[SUPERUSER_ARN].values["v1"] = alternating.document(
        "postgres", new_password()
    )
    with pytest.raises(errors.SuperuserRejected):
        alternating.step(Step.TEST, alternating.start())

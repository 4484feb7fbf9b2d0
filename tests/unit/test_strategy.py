"""Which strategy a secret asks for."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekey.credential import Credential
from rekey.engines.postgresql import PostgresqlEngine
from rekey.errors import UnsupportedStrategy, UserNameTooLong
from rekey.model import Strategy
from rekey.rotation.strategy import alternating_users, choose_strategy

ENGINE = PostgresqlEngine()


def credential(**further: str) -> Credential:
    keys = {"engine": "postgres", "host": "h", "username": "app", "password": "p", **further}
    return Credential.parse(json.dumps(keys), what="AWSCURRENT")


ALONE = credential()
WITH_SUPERUSER = credential(masterarn="arn:aws:secretsmanager:eu-west-1:111122223333:secret:su")


def test_a_superuser_in_the_secret_asks_for_alternating_users() -> None:
    assert choose_strategy({}, WITH_SUPERUSER, ENGINE) is Strategy.ALTERNATING_USERS
    assert choose_strategy({}, ALONE, ENGINE) is Strategy.SINGLE_USER


def test_the_tag_overrides_the_rule() -> None:
    tags = {"rekey:strategy": "single-user"}
    assert choose_strategy(tags, WITH_SUPERUSER, ENGINE) is Strategy.SINGLE_USER


@pytest.mark.parametrize("asked", ["dual-password", "", "Single-User", "none"])
def test_a_strategy_that_the_engine_lacks_is_refused_with_those_it_has(asked: str) -> None:
    with pytest.raises(UnsupportedStrategy, match="alternating-users, single-user"):
        choose_strategy({"rekey:strategy": asked}, WITH_SUPERUSER, ENGINE)


def test_alternating_users_without_a_superuser_are_refused() -> None:
    with pytest.raises(UnsupportedStrategy, match="masterarn"):
        choose_strategy({"rekey:strategy": "alternating-users"}, ALONE, ENGINE)


@given(st.text(min_size=1, max_size=14))
def test_the_peer_of_the_peer_is_the_user(name: str) -> None:
    users = alternating_users(name, ENGINE)
    assert users.peer(users.peer(name)) == name
    assert users.clone == users.base + "_clone"
    assert name in (users.base, users.clone)


def test_a_name_that_the_server_would_cut_is_refused() -> None:
    assert alternating_users("a" * 57, ENGINE).clone == "a" * 57 + "_clone"
    with pytest.raises(UserNameTooLong):
        alternating_users("a" * 58, ENGINE)
    with pytest.raises(UserNameTooLong):
        alternating_users("é" * 29, ENGINE)

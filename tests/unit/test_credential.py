"""The JSON of a secret: what is read, what is preserved, and what a bad one is told."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekey.credential import Credential
from rekey.errors import InvalidSecretValue

COMPLETE = {
    "engine": "postgres",
    "host": "db.example.com",
    "username": "app",
    "password": "correct horse",
}


def parse(**changes: Any) -> Credential:
    return Credential.parse(json.dumps({**COMPLETE, **changes}), what="AWSCURRENT")


def test_port_and_database_may_be_missing() -> None:
    assert (parse().port, parse().dbname, parse().superuser_arn) == (None, None, None)


@pytest.mark.parametrize("port", [5433, "5433"])
def test_a_port_may_be_a_number_or_a_string(port: object) -> None:
    assert parse(port=port).port == 5433


@pytest.mark.parametrize("port", [0, -1, 65536, 1.5, True, "x", "٣", [], {}, "5432 "])
def test_a_port_that_is_none_is_refused(port: object) -> None:
    with pytest.raises(InvalidSecretValue, match="port"):
        parse(port=port)


def test_tls_is_on_unless_the_secret_itself_says_no() -> None:
    assert parse().tls
    assert [parse(ssl=value).tls for value in (True, "TRUE", "true")] == [True] * 3
    assert [parse(ssl=value).tls for value in (False, "False", "false")] == [False] * 3


@pytest.mark.parametrize("value", [None, 0, 1, "no", "", [], {}])
def test_an_unclear_ssl_is_refused_and_never_taken_for_no(value: object) -> None:
    with pytest.raises(InvalidSecretValue, match="ssl"):
        parse(ssl=value)


@pytest.mark.parametrize("key", COMPLETE)
@pytest.mark.parametrize("value", [None, "", 7, [], {}, True, "a\x00b", "\ud800"])
def test_a_required_key_that_is_missing_or_no_text_is_named(key: str, value: object) -> None:
    with pytest.raises(InvalidSecretValue, match=f'"{key}"'):
        parse(**{key: value})


@pytest.mark.parametrize("text", ["", "no json", "[]", '"text"', "1", "null", "[" * 100_000])
def test_a_value_that_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(InvalidSecretValue, match="AWSCURRENT is not a JSON object"):
        Credential.parse(text, what="AWSCURRENT")


def test_unknown_keys_survive_a_change_of_login() -> None:
    changed = parse(owner="team", nested={"a": [1]}).with_login("app_clone", "new")
    assert json.loads(changed.to_json()) == {
        **COMPLETE,
        "owner": "team",
        "nested": {"a": [1]},
        "username": "app_clone",
        "password": "new",
    }


def test_a_credential_shows_no_secret_when_printed() -> None:
    assert "correct horse" not in repr(parse())


@given(st.text() | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps))
def test_no_error_repeats_what_the_secret_held(text: str) -> None:
    canary = "canary-value-5e1f"
    for value in (canary + text, json.dumps({"password": canary, "port": canary, "x": text})):
        with pytest.raises(InvalidSecretValue) as raised:
            Credential.parse(value, what="AWSPENDING")
        assert canary not in str(raised.value)
        assert raised.value.__context__ is None


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1))
def test_any_text_that_a_server_could_take_travels_unchanged(text: str) -> None:
    again = Credential.parse(parse().with_login(text, text).to_json(), what="AWSPENDING")
    assert (again.username, again.password) == (text, text)

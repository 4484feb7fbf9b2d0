"""New passwords."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekey.errors import InvalidConfiguration
from rekey.passwords import KINDS, MIN_LENGTH, PasswordRules


@given(st.integers(MIN_LENGTH, 64))
def test_a_password_has_its_length_and_every_kind_of_character(length: int) -> None:
    password = PasswordRules(length).generate()
    assert len(password) == length
    assert all(set(kind) & set(password) for kind in KINDS)


@given(st.text(string.ascii_letters + string.punctuation, max_size=40))
def test_an_excluded_character_never_occurs(excluded: str) -> None:
    assert not set(PasswordRules(32, excluded).generate()) & set(excluded)


def test_two_passwords_differ() -> None:
    assert len({PasswordRules().generate() for _ in range(100)}) == 100


def test_the_characters_that_break_connection_strings_are_left_out_by_default() -> None:
    passwords = "".join(PasswordRules().generate() for _ in range(200))
    assert not set(passwords) & set(":/@\"'\\")


@pytest.mark.parametrize(
    "rules", [{"length": MIN_LENGTH - 1}, {"excluded": string.ascii_letters + string.punctuation}]
)
def test_rules_that_make_weak_passwords_are_refused(rules: dict[str, object]) -> None:
    with pytest.raises(InvalidConfiguration, match="PasswordLength"):
        PasswordRules(**rules)  # type: ignore[arg-type]  # the keywords are of both types

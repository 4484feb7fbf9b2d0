"""What the function reads from its environment at cold start."""

import pytest

from rekey.aws import environment
from rekey.errors import InvalidConfiguration
from rekey.passwords import PasswordRules


def test_nothing_set_means_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REKEY_PASSWORD_LENGTH", raising=False)
    monkeypatch.delenv("REKEY_EXCLUDE_CHARACTERS", raising=False)
    assert environment.password_rules() == PasswordRules()


def test_length_and_characters_are_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REKEY_PASSWORD_LENGTH", "40")
    monkeypatch.setenv("REKEY_EXCLUDE_CHARACTERS", "")
    assert environment.password_rules() == PasswordRules(40, "")


@pytest.mark.parametrize("length", ["", "x", "-1", "19", "2.5", "٣٢"])
def test_a_wrong_length_names_the_parameter(length: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REKEY_PASSWORD_LENGTH", length)
    with pytest.raises(InvalidConfiguration, match="PasswordLength"):
        environment.password_rules()

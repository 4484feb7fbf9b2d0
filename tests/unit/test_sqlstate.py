"""From a server's error to ours."""

import pytest

from rekey import errors
from rekey.engines.postgresql.sqlstate import from_fields


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"C": "28P01"}, errors.CredentialsRejected),
        ({"C": "28000", "R": "ClientAuthentication"}, errors.LoginNotAllowed),
        ({"C": "28000", "R": "InitializeSessionUserId"}, errors.AccountLocked),
        ({"C": "42501"}, errors.MissingPrivilege),
        ({"C": "25006"}, errors.ReadOnlyEndpoint),
        ({"C": "53300"}, errors.TooManyConnections),
        ({"C": "57P03"}, errors.DatabaseUnreachable),
        ({"C": "XX000", "M": "tuple concurrently updated"}, errors.ConcurrentChange),
        ({"C": "XX000", "M": "could not read block"}, errors.EngineFailure),
        ({"C": "99999"}, errors.EngineFailure),
        ({}, errors.EngineFailure),
    ],
)
def test_an_error_is_sorted_by_code_and_never_by_its_language(
    fields: dict[str, str], kind: type[errors.RekeyError]
) -> None:
    translated = {"M": "Ошибка", **fields}
    assert type(from_fields(translated, "db:5432")) is kind


def test_the_text_says_what_to_do_where_and_what_the_server_said() -> None:
    text = str(from_fields({"C": "28P01", "M": "nope"}, "db:5432"))
    assert "db:5432 says: nope (SQLSTATE 28P01)" in text

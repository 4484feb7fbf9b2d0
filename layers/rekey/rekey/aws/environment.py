"""The environment of a function, read once at cold start."""

import os

from rekey.errors import InvalidConfiguration
from rekey.passwords import PasswordRules


def password_rules() -> PasswordRules:
    """Return the rules in REKEY_PASSWORD_LENGTH and REKEY_EXCLUDE_CHARACTERS.

    Raises InvalidConfiguration.
    """
    default = PasswordRules()
    length = os.environ.get("REKEY_PASSWORD_LENGTH", str(default.length))
    if not (length.isascii() and length.isdigit()):
        raise InvalidConfiguration("REKEY_PASSWORD_LENGTH must be a number (PasswordLength).")
    return PasswordRules(int(length), os.environ.get("REKEY_EXCLUDE_CHARACTERS", default.excluded))

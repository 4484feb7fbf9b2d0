"""New passwords, from the operating system's entropy."""

import secrets
import string
from dataclasses import dataclass

from rekey.errors import InvalidConfiguration

KINDS = (string.ascii_lowercase, string.ascii_uppercase, string.digits, string.punctuation)

MIN_LENGTH = 20
"""Servers log password verifiers, and those can be attacked offline: never go below."""

MIN_ALPHABET = 26
"""20 characters of 26 are 94 bits."""


@dataclass(frozen=True)
class PasswordRules:
    """How long new passwords are, and which characters they leave out."""

    length: int = 32
    excluded: str = ":/@\"'\\"

    def __post_init__(self) -> None:
        """Fail at cold start rather than in a rotation."""
        if self.length < MIN_LENGTH or len("".join(self._kinds())) < MIN_ALPHABET:
            raise InvalidConfiguration(
                f"New passwords need at least {MIN_LENGTH} characters out of {MIN_ALPHABET}: "
                "raise PasswordLength or shorten ExcludeCharacters."
            )

    def generate(self) -> str:
        """Return a password with at least one character of each kind that is left."""
        kinds = self._kinds()
        alphabet = "".join(kinds)
        while True:
            password = "".join(secrets.choice(alphabet) for _ in range(self.length))
            if all(set(kind) & set(password) for kind in kinds):
                return password

    def _kinds(self) -> list[str]:
        left = ("".join(c for c in kind if c not in self.excluded) for kind in KINDS)
        return [kind for kind in left if kind]

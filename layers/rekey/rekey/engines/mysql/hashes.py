"""What the servers store of a password, computed here, so that the password itself never travels.

Sources: MySQL documentation, "Caching SHA-2 Pluggable Authentication" and "Native Pluggable
Authentication"; the algorithm is SHA-crypt (U. Drepper, "Unix crypt using SHA-256 and SHA-512").
"""

import hashlib
import hmac
import secrets
import string

CACHING_SHA2 = "caching_sha2_password"
SHA256 = "sha256_password"
NATIVE = "mysql_native_password"

ROUNDS = 5_000
SALT_LENGTH = 20
"""In the server's own form. crypt(3) would cut it to 16."""
DIGEST_LENGTH = 43
PREFIX_LENGTH = len("$A$005$")
# No NUL and no dollar sign, at which the server stops; letters need no quoting anywhere.
SALT_ALPHABET = string.ascii_letters + string.digits

ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def native(password: str) -> str:
    """Return ``*`` and the upper-case hexadecimal SHA1(SHA1(password)); empty stays empty."""
    if not password:
        return ""
    inner = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    return "*" + hashlib.sha1(inner, usedforsecurity=False).hexdigest().upper()


def new_salt() -> str:
    return "".join(secrets.choice(SALT_ALPHABET) for _ in range(SALT_LENGTH))


def caching_sha2(password: str, salt: str | None = None, rounds: int = ROUNDS) -> str:
    """Return ``$A$005$``, the salt of 20 characters, and 43 characters of digest.

    ``005`` is the number of rounds in thousands, in hexadecimal.
    """
    salt = salt or new_salt()
    digest = sha256_crypt(password.encode(), salt.encode("latin-1"), rounds)
    return f"$A${rounds // 1_000:03X}${salt}{digest}"


def matches(password: str, plugin: str, stored: str) -> bool | None:
    """Tell whether ``password`` is the one that ``stored`` was made of; None if nobody can say."""
    if not stored or not password:
        return stored == password
    if plugin == NATIVE:
        return hmac.compare_digest(native(password).encode(), stored.upper().encode("latin-1"))
    if plugin == CACHING_SHA2:
        return _matches_sha2(password, stored)
    return None


def _matches_sha2(password: str, stored: str) -> bool | None:
    kind, rounds, rest = stored[:3], stored[3:6], stored[PREFIX_LENGTH:]
    if kind != "$A$" or len(rest) != SALT_LENGTH + DIGEST_LENGTH:
        return None
    salt, digest = rest[:SALT_LENGTH], rest[SALT_LENGTH:]
    computed = sha256_crypt(password.encode(), salt.encode("latin-1"), int(rounds, 16) * 1_000)
    return hmac.compare_digest(computed.encode(), digest.encode("latin-1"))


def sha256_crypt(password: bytes, salt: bytes, rounds: int) -> str:
    """Return the digest part of SHA-crypt, with a salt of any length."""
    sha = hashlib.sha256
    second = sha(password + salt + password).digest()
    first = sha(password + salt + _stretch(second, len(password)))
    length = len(password)
    while length:
        first.update(second if length & 1 else password)
        length >>= 1
    digest = first.digest()
    p = _stretch(sha(password * len(password)).digest(), len(password))
    s = _stretch(sha(salt * (16 + digest[0])).digest(), len(salt))
    for number in range(rounds):
        parts = (p if number & 1 else digest, s if number % 3 else b"", p if number % 7 else b"")
        digest = sha(b"".join(parts) + (digest if number & 1 else p)).digest()
    return _encode(digest)


def _stretch(digest: bytes, length: int) -> bytes:
    return (digest * (length // len(digest) + 1))[:length]


def _encode(digest: bytes) -> str:
    """Encode as SHA-crypt does: groups of three bytes in an order of its own."""
    text = ""
    a, b, c = 0, 10, 20
    for _ in range(10):
        text += _characters(digest[a] << 16 | digest[b] << 8 | digest[c], 4)
        a, b, c = c + 1, a + 1, b + 1
    return text + _characters(digest[31] << 8 | digest[30], 3)


def _characters(value: int, count: int) -> str:
    return "".join(ALPHABET[value >> 6 * place & 63] for place in range(count))

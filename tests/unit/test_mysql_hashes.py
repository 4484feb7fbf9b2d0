"""The hashes are those that the servers make."""

import re

import pytest

from rekey.engines.mysql import hashes

# Made by crypt(3) of the C library: $5$rounds=5000$abcdefghijklmnop$...
SHA_CRYPT = {
    "x": "fiUnwzJyCDn7Dx53oezcP81DtfKy73q.P999JrS8fsB",
    "hello world!": "KPfaXUWSwGVjuPtJnWeCPUHrnTGWt8ucFVFmPAmP0JD",
    "a" * 40: "Ed87uWXUnqxqEbXy84tdqbLMkFThdwO8zWXw0w2dqrA",
    "ü" * 20: "VMKSfJ3sOY/Etab76QQ5wlPXjeTMggfNDABR817AzE/",
    "p" * 64: "0U8HkPz41kM.A/0/lBEzpsQst2dJZFrbV8UFiqzHdvC",
    "q" * 100: "EyelGZxLwpnKVqt0FJ.ufdiW89vEalF3OMLnPDP/Ny0",
}
SALT = "abcdefghijklmnop"


@pytest.mark.parametrize(("password", "digest"), SHA_CRYPT.items())
def test_sha_crypt_is_that_of_the_c_library(password: str, digest: str) -> None:
    assert hashes.sha256_crypt(password.encode(), SALT.encode(), 5_000) == digest


def test_a_native_hash_is_that_of_the_documentation() -> None:
    """MySQL documentation, function PASSWORD() of MySQL 5.7: mypass."""
    assert hashes.native("mypass") == "*6C8989366EAF75BB670AD8EA7A7FC1176A95CEF4"
    assert hashes.native("") == ""


def test_a_caching_sha2_hash_has_the_form_that_the_server_stores() -> None:
    stored = hashes.caching_sha2("a password")
    assert re.fullmatch(r"\$A\$005\$[A-Za-z0-9]{20}[./0-9A-Za-z]{43}", stored)
    assert hashes.caching_sha2("a password") != stored


def test_the_rounds_are_in_thousands_and_hexadecimal() -> None:
    stored = hashes.caching_sha2("a password", rounds=10_000)
    assert stored.startswith("$A$00A$")
    assert hashes.matches("a password", hashes.CACHING_SHA2, stored)


def test_the_salt_is_not_cut() -> None:
    """crypt(3) would take 16 characters of it."""
    one, two = (hashes.caching_sha2("x", salt="abcdefghijklmnop" + end) for end in ("qrst", "qrsu"))
    assert one[-43:] != two[-43:]


@pytest.mark.parametrize("plugin", [hashes.CACHING_SHA2, hashes.NATIVE])
@pytest.mark.parametrize("password", ["a", "a password", "ü漢字 '\\", "x" * 200])
def test_a_hash_tells_its_password_from_others(plugin: str, password: str) -> None:
    stored = hashes.native(password) if plugin == hashes.NATIVE else hashes.caching_sha2(password)
    assert hashes.matches(password, plugin, stored) is True
    assert hashes.matches(password + "x", plugin, stored) is False
    assert hashes.matches("", plugin, stored) is False


def test_a_salt_of_any_byte_is_read() -> None:
    """Servers choose from 1 to 127."""
    salt = "".join(map(chr, range(1, 21)))
    stored = hashes.caching_sha2("a password", salt=salt)
    assert hashes.matches("a password", hashes.CACHING_SHA2, stored) is True


@pytest.mark.parametrize("stored", ["$B$005$" + "a" * 63, "$A$005$short", "text"])
def test_what_cannot_be_read_is_no_answer(stored: str) -> None:
    assert hashes.matches("a password", hashes.CACHING_SHA2, stored) is None


def test_a_plugin_that_is_not_known_is_no_answer() -> None:
    assert hashes.matches("a password", "ed25519", "text") is None


def test_an_empty_password_is_one_that_is_not_stored() -> None:
    assert hashes.matches("", hashes.CACHING_SHA2, "") is True
    assert hashes.matches("a password", hashes.CACHING_SHA2, "") is False

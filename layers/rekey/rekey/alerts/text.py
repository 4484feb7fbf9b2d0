"""Texts that go to people: one line each, clipped, with nothing that a reader's program obeys.

Names, labels and session names are chosen by whoever makes a call, and an attacker makes calls.
"""

import re
import unicodedata

CLIPPED = "..."
QUOTED_LENGTH = 200

_SCHEME = re.compile(":(?=//)")
_WWW = re.compile(r"\bwww\.", re.IGNORECASE)
_DOMAIN = re.compile(r"(?<![\w@.-])(?:[\w-]+\.)+[a-zA-Z]{2,}(?![\w@])")
_MARKUP = str.maketrans(
    {"<": "‹", ">": "›", "[": "(", "]": ")", "`": "'", "*": "∗", "~": "∼", "|": "¦", "&": "+"}  # noqa: RUF001 - that is what it is for
)
_EMPHASIS = re.compile(r"(?<![^\W_])_+|_+(?![^\W_])")


def one_line(text: str, limit: int) -> str:
    """Return the text without control characters, line breaks and links, at most ``limit`` long.

    Characters that turn the direction of writing, or that nobody sees, go as well: with them a
    text can show another order than it has.
    """
    visible = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in text)
    plain = _WWW.sub("www[.]", _SCHEME.sub("[:]", " ".join(visible.split())))
    return plain if len(plain) <= limit else plain[: limit - len(CLIPPED)] + CLIPPED


def ascii_line(text: str, limit: int) -> str:
    """Return one line of ASCII, as SNS demands of a subject."""
    return one_line(text.encode("ascii", "replace").decode(), limit)


def quoted(value: object) -> str:
    """Return a value that somebody else chose, in quotes, and no domain name to click on in it."""
    plain = one_line(str(value), QUOTED_LENGTH).replace('"', "'")
    return f'"{unlinked(plain)}"'


def unlinked(text: str) -> str:
    """Return the text with no domain name to click on in it."""
    return _DOMAIN.sub(lambda match: _without_link(match[0]), text)


def _without_link(domain: str) -> str:
    return domain if domain.endswith(".amazonaws.com") else domain.replace(".", "[.]")


def markdown(text: str) -> str:
    """Return the text so that a chat client shows it and finds no mark-up, link or mention in it.

    Slack knows no escape for its marks: they are replaced by signs that look alike.
    """
    return _EMPHASIS.sub(lambda match: "‗" * len(match[0]), text.translate(_MARKUP))

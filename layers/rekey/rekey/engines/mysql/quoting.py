"""Quote names and values for statements that take no parameters.

Right for both kinds of server only in the session's own sql_mode: a backslash means itself, and a
double quote delimits no name.
"""


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def account(user: str, host: str) -> str:
    """Return ``'user'@'host'``."""
    return f"{literal(user)}@{literal(host)}"

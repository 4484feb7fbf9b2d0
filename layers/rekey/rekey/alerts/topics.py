"""What findings are about: all that have one topic belong to one incident."""


def rotation(secret_arn: str) -> str:
    """Of whether a secret's rotation works: failed, overdue, stuck, halted, recovered."""
    return f"rotation/{secret_arn}"


def change(what: str, secret: str) -> str:
    """Of one property of a secret that somebody changed; ``secret`` is its ARN, or its name."""
    return f"change/{what}/{secret}"


def blindness(what: str, place: str) -> str:
    """Of something that keeps Rekey from seeing; ``place`` is account and region, or an ARN."""
    return f"blindness/{what}/{place}"


def crowd(what: str, count: int) -> str:
    """Of very many findings that are alike, once there are so many of them."""
    return f"crowd/{what}/{count}"


def campaign(name: str) -> str:
    """Of one run of the workflow ``rotate``."""
    return f"campaign/{name}"


def consumers(secret_arn: str, version: str) -> str:
    """Of who has not renewed since a version of a secret has AWSCURRENT."""
    return f"consumers/{secret_arn}/{version}"


def digest(week: str, place: str) -> str:
    """Of one week's digest (`2026-W48`): it is told once."""
    return f"digest/{place}/{week}"

"""Which strategy a secret asks for, and the names that go with it."""

from collections.abc import Mapping
from dataclasses import dataclass

from rekey.credential import Credential
from rekey.errors import InvalidTag, UnsupportedStrategy, UserNameTooLong
from rekey.model import Strategy
from rekey.ports import Engine

TAG = "rekey:strategy"
HOSTS_TAG = "rekey:hosts"


@dataclass(frozen=True)
class AlternatingUsers:
    """The two names that take turns. ``base`` has the rights, ``clone`` borrows them."""

    base: str
    clone: str

    def peer(self, username: str) -> str:
        """Return the other one of the two."""
        return self.clone if username == self.base else self.base


def alternating_users(username: str, engine: Engine) -> AlternatingUsers:
    """Return the pair that ``username`` is one of: append the suffix, or strip it.

    The same rule as in AWS's rotation templates. Raises UserNameTooLong.
    """
    suffix = engine.clone_suffix
    base = username.removesuffix(suffix) or username
    clone = base + suffix
    if len(clone.encode()) > engine.max_username_bytes:
        raise UserNameTooLong(
            f'The user name with "{suffix}" has more than {engine.max_username_bytes} bytes. '
            "Use a shorter name, or the tag rekey:strategy = single-user."
        )
    return AlternatingUsers(base, clone)


def default_strategy(credential: Credential) -> Strategy:
    """Return what the value alone asks for: the rule of AWS's rotation templates."""
    return Strategy.ALTERNATING_USERS if credential.superuser_arn else Strategy.SINGLE_USER


def choose_strategy(tags: Mapping[str, str], credential: Credential, engine: Engine) -> Strategy:
    """Return the strategy by tag, or by the value where there is no tag.

    Raises UnsupportedStrategy if the engine or the value does not allow it.
    """
    asked = tags.get(TAG, default_strategy(credential))
    if asked not in engine.strategies:
        raise UnsupportedStrategy(
            f"The tag {TAG} must be one of {', '.join(sorted(engine.strategies))} for this engine."
        )
    strategy = Strategy(asked)
    if strategy is not Strategy.SINGLE_USER and credential.superuser_arn is None:
        raise UnsupportedStrategy(
            f'The strategy {strategy} needs the key "masterarn" with the ARN of a superuser secret.'
        )
    return strategy


def all_hosts(tags: Mapping[str, str]) -> bool:
    """Tell whether every account of the user's name is meant, whatever its host.

    Raises InvalidTag.
    """
    asked = tags.get(HOSTS_TAG)
    if asked not in (None, "all"):
        raise InvalidTag(
            f"The tag {HOSTS_TAG} must be all, or be left out if the user has one account only."
        )
    return asked == "all"

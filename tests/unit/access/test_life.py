"""The invented ordinary life is what it is said to be."""

from __future__ import annotations

from collections import Counter

from rekey.access.event import Refusal
from rekey.access.normalise import normalise
from rekey.access.secret import KnownSecrets
from tests.access.life import Life


def test_the_same_seed_is_the_same_life_and_another_is_not() -> None:
    first, second, other = (Life(seed).records(-1, history=True) for seed in (1, 1, 2))
    assert first == second
    assert first != other


def test_a_day_is_understood_as_a_whole_and_has_all_that_occurs() -> None:
    life = Life(3)
    day = life.records(0)
    names = KnownSecrets(frozenset(life.org.secrets))
    found = [normalise(record, names) for record in day]
    assert not [one for one in found if isinstance(one, Refusal)]
    kinds = Counter(one[0].principal.kind for one in found if isinstance(one, tuple) and one)
    assert {"role", "person", "user", "service", "account"} <= set(kinds)
    times = [record["eventTime"] for record in day]
    assert times != sorted(times)
    assert len({record["eventID"] for record in day}) < len(day)
    read = {one[0].secret for one in found if isinstance(one, tuple) and one}
    assert len(read) > 400

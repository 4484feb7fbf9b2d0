"""What is known does not depend on the order or the number of times in which it was learned."""

from __future__ import annotations

from functools import reduce
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from rekey.known import DAY, FULL, Item, Key, is_news, merge

KEY = Key("pk", "sk")
NAMES = st.sampled_from(["v:1", "v:2", "v:3", "v:4", "v:5", "v:6", "v:7", "v:8", "last"])
ITEMS = st.builds(
    Item,
    st.just(KEY),
    st.dictionaries(st.just("first"), st.integers(0, 9)),
    st.dictionaries(NAMES, st.integers(0, 9)),
    st.dictionaries(
        st.sampled_from(["flags", "regions"]),
        st.frozensets(st.sampled_from("abcdefghijklmnopqrstu"), max_size=10),
    ),
    st.dictionaries(st.just("burst"), st.tuples(st.integers(0, 9), st.sampled_from("xyz"))),
    st.integers(0, 9),
)


def joined(items: list[Item]) -> Item:
    return reduce(merge, items)


@given(st.lists(ITEMS, min_size=1, max_size=5), st.randoms())
def test_repeats_and_another_order_end_in_the_same_item(items: list[Item], random: Random) -> None:
    shuffled = [*items, *items]
    random.shuffle(shuffled)
    # `flags` itself is cut by a full set's mark, so it is compared without.
    first, second = joined([*items, *items]), joined(shuffled)
    assert (first.minima, first.maxima, first.notes) == (
        second.minima,
        second.maxima,
        second.notes,
    )
    assert first.members("regions") == second.members("regions")


@given(ITEMS, ITEMS, ITEMS)
def test_it_does_not_matter_what_is_joined_first(one: Item, two: Item, three: Item) -> None:
    left, right = merge(merge(one, two), three), merge(one, merge(two, three))
    assert (left.minima, left.maxima) == (right.minima, right.maxima)
    assert left.members("regions") == right.members("regions")


def test_a_set_never_exceeds_its_cap_and_says_that_it_is_full() -> None:
    many = Item(KEY, sets={"networks": frozenset(f"net{n:03}" for n in range(30))})
    more = Item(KEY, sets={"networks": frozenset(f"other{n:03}" for n in range(30))})
    held = merge(many, more)
    assert len(held.members("networks")) == 32
    assert FULL in held.members("flags")


def test_what_was_read_last_stays_and_so_do_the_latest_days() -> None:
    versions = {f"v:{n}": n for n in range(9)}
    peaks = {f"peak:2026-01-{day:02}": 100 - day for day in range(1, 20)}
    held = merge(Item(KEY, maxima={**versions, **peaks}), Item(KEY))
    assert sorted(held.family("v")) == ["3", "4", "5", "6", "7", "8"]
    assert min(held.family("peak")) == "2026-01-06"


def test_a_known_pair_is_not_written_again_for_being_read_again() -> None:
    held = Item(KEY, maxima={"last": 1000, "v:1": 1000})
    assert not is_news(held, merge(held, Item(KEY, maxima={"last": 1200, "v:1": 1200})), 300)
    assert is_news(held, merge(held, Item(KEY, maxima={"last": 1300})), 300)
    assert is_news(held, merge(held, Item(KEY, maxima={"v:2": 1001})), 300)
    assert is_news(held, merge(held, Item(KEY, expires=31 * DAY)), 300)
    assert is_news(None, held, 300)

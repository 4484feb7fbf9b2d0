"""What the demo claims, and what the claims rest on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from local.demo.timeline import Row


@dataclass(frozen=True)
class Claim:
    """A sentence, what was seen, and whether the two agree."""

    what: str
    evidence: str
    holds: bool


def exit_status(claims: Collection[Claim]) -> int:
    """0 only if something was claimed and all of it held."""
    return 0 if claims and all(claim.holds for claim in claims) else 1


def nobody_refused(tried: int, failures: Sequence[str]) -> Claim:
    """`failures` are the reasons of logins that did not succeed, among those that were tried."""
    return Claim(
        "alternating-users: AWSCURRENT always logs in",
        f"{tried} logins tried during the rotations, {len(failures)} refused"
        + (f", first with: {failures[0]}" if failures else ""),
        holds=tried > 0 and not failures,
    )


def names_alternate(names: Sequence[str], base: str) -> Claim:
    """`names` are those of AWSCURRENT before, after one and after two rotations."""
    return Claim(
        "alternating-users: the user name alternates",
        " -> ".join(names),
        holds=list(names) == [base, f"{base}_clone", base],
    )


def as_few_calls(counted: Mapping[str, Sequence[int]], promised: Mapping[str, int]) -> Claim:
    """Calls to Secrets Manager of each successful rotation, by strategy."""
    return Claim(
        f"A rotation makes {' or '.join(map(str, sorted(promised.values())))} calls",
        "; ".join(f"{name} {', '.join(map(str, calls))}" for name, calls in counted.items()),
        holds=counted.keys() == promised.keys()
        and all(calls and set(calls) == {promised[name]} for name, calls in counted.items()),
    )


def failure_is_named(end: str | None, failure: Row | None, expected: str) -> Claim:
    """A rotation that could not succeed says which of our errors stopped it."""
    outcome = failure.outcome if failure else "no failed step"
    step = failure.step if failure else "nowhere"
    return Claim(
        "Database down: the rotation fails and says why",
        f"{end}; {outcome} in {step}",
        holds=end == "RotationFailed" and outcome == expected,
    )


def no_password_in(places: Mapping[str, str], passwords: Collection[str], known: str) -> Claim:
    """Searches each place for each password.

    `known` must be found in all of them, which shows that they hold something and are searched.
    """
    found = {
        place: sum(text.count(password) for password in passwords) for place, text in places.items()
    }
    leaks = [f"{count} times in {place}" for place, count in found.items() if count]
    blind = [f"{place} was not readable" for place, text in places.items() if known not in text]
    searched = ", ".join(f"{place} ({len(text) // 1000} kB)" for place, text in places.items())
    return Claim(
        "No password is in any log or record",
        "; ".join(leaks + blind) or f"{len(passwords)} passwords, found 0 times in {searched}",
        holds=bool(passwords) and not leaks and not blind,
    )

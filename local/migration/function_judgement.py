"""What the present rotation function says about the move."""

from collections.abc import Iterator

from local.migration.findings import Finding, note
from local.migration.observation import Origin, RotationFunction
from rekey.model import Strategy
from rekey.passwords import PasswordRules

RULES = (
    "EXCLUDE_NUMBERS",
    "EXCLUDE_PUNCTUATION",
    "EXCLUDE_UPPERCASE",
    "EXCLUDE_LOWERCASE",
    "REQUIRE_EACH_INCLUDED_TYPE",
)
"""Variables of AWS's templates that Rekey has no parameter for."""


def function_findings(function: RotationFunction, strategy: Strategy | None) -> Iterator[Finding]:
    """Findings about the function, for the strategy that Rekey would choose."""
    match function.origin:
        case Origin.REKEY:
            yield note("A function of Rekey rotates it already.")
            return
        case Origin.MISSING:
            yield note("Its rotation function does not exist: no rotation of it can succeed now.")
        case Origin.OTHER:
            yield note(
                "Its rotation function is not AWS's template: it may do what Rekey does not.",
                "Read its code before you move the secret.",
            )
        case Origin.UNKNOWN:
            yield note("Its rotation function could not be looked at (lambda:Get*, lambda:List*).")
        case Origin.AWS_TEMPLATE:
            yield from _password_rules(function)
    yield from _single_user(function, strategy)
    yield from _network(function)


def _password_rules(function: RotationFunction) -> Iterator[Finding]:
    default = PasswordRules()
    excluded = function.environment.get("EXCLUDE_CHARACTERS", default.excluded)
    if set(excluded) - set(default.excluded):
        yield note(
            f"Its passwords are made without the characters {excluded}",
            "If consumers rely on that, deploy with ExcludeCharacters.",
        )
    length = function.environment.get("PASSWORD_LENGTH", str(default.length))
    if length != str(default.length):
        yield note(f"Its passwords have {length} characters.", "See the parameter PasswordLength.")
    rules = [name for name in RULES if function.environment.get(name, "false").lower() == "true"]
    if rules:
        yield note(f"Rekey has no counterpart of {', '.join(rules)}; see ExcludeCharacters.")


def _single_user(function: RotationFunction, strategy: Strategy | None) -> Iterator[Finding]:
    if strategy is Strategy.ALTERNATING_USERS and function.for_single_user:
        yield note(
            "Its rotation function is for a single user, but the value names a superuser: Rekey "
            "would let two users alternate, so that the user name in the secret changes.",
            "To keep the name: give the secret the tag rekey:strategy = single-user.",
        )


def _network(function: RotationFunction) -> Iterator[Finding]:
    if function.subnets:
        yield note(
            "Its rotation function is in a VPC. Deploy Rekey where the database can be reached "
            f"too: VpcSubnetIds={','.join(function.subnets)} "
            f"VpcSecurityGroupIds={','.join(function.security_groups)}"
        )

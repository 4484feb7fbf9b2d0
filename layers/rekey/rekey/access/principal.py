"""Who called, so that the same caller has the same name tomorrow.

A role is one principal, however many sessions it has: keyed by session, every instance, task and
deployment would be new. A person who comes through IAM Identity Center is one principal with each
permission set.

Source: CloudTrail user guide, "userIdentity element".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from functools import lru_cache
from typing import Any

from rekey.access.shape import mapping, strings, text

# Nobody but IAM Identity Center makes roles under this path; anybody makes one of such a name.
SSO_ROLE = re.compile(
    r"arn:[^:]+:iam::\d*:role/aws-reserved/sso\.amazonaws\.com/"
    r"(?:[a-z0-9-]+/)?AWSReservedSSO_(?P<set>[^/]+)_[0-9a-f]{16}"
)
# A service's role for its own work, if `invokedBy` names the service too; or Secrets Manager, which
# uses the key in its name.
SERVICE_LINKED = re.compile(
    r"arn:[^:]+:iam::\d*:role/aws-service-role/(?P<service>[^/]+\.amazonaws\.com)/[^/]+"
)
SECRETS_MANAGER = "secretsmanager.amazonaws.com"
SESSION_ARN = re.compile(r"arn:(?P<partition>[^:]+):sts::\d*:assumed-role/(?P<role>.+)/[^/]+")
IDENTITY = ("type", "arn", "accountId", "principalId", "invokedBy", "userName")
DIGITS_OF_ACCOUNT = 12


@unique
class PrincipalKind(StrEnum):
    ROLE = "role"
    PERSON = "person"  # through IAM Identity Center
    USER = "user"
    ROOT = "root"
    FEDERATED = "federated"
    ACCOUNT = "account"  # another account's caller, of whom CloudTrail tells only ids
    SERVICE = "service"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Principal:
    """``key`` is what is compared. ``session`` is for people to read, and never compared.

    ``account`` is the caller's, empty if the record does not say.
    """

    kind: PrincipalKind
    key: str
    account: str = ""
    session: str = ""

    @property
    def role_arn(self) -> str | None:
        """The role, for what wants to know its age; None if this is none."""
        return self.key if self.kind is PrincipalKind.ROLE else None


def principal(identity: Mapping[str, Any]) -> Principal | None:
    """Return whom ``userIdentity`` describes; None if it holds nothing that could be compared."""
    kind, arn, account, principal_id, service, user = strings(identity, *IDENTITY)
    issuer = text(mapping(mapping(identity, "sessionContext"), "sessionIssuer"), "arn")
    principal_id = principal_id or text(mapping(identity, "onBehalfOf"), "userId")
    return _principal(kind, arn, account, principal_id, issuer, service or user)


# A Lambda function sees the same few callers over and over.
@lru_cache(maxsize=8192)
def _principal(
    kind: str, arn: str, account: str, principal_id: str, issuer: str, name: str
) -> Principal | None:
    account = account or account_of(arn)
    session = principal_id.partition(":")[2]
    match kind:
        case "AssumedRole" if _is_service(issuer, name):
            return Principal(PrincipalKind.SERVICE, f"service:{_linked_service(issuer)}", account)
        case "AssumedRole" | "Role":
            return _role(issuer or _role_of_session(arn, account), account, session)
        case "IAMUser":
            return _named(PrincipalKind.USER, arn or name, account)
        case "Root":
            return Principal(PrincipalKind.ROOT, f"root:{account}", account)
        case "FederatedUser" | "SAMLUser" | "WebIdentityUser" | "IdentityCenterUser":
            return _named(PrincipalKind.FEDERATED, arn or principal_id, account)
        case "AWSAccount":
            return _foreign(principal_id, account)
        # Service events have no type.
        case "AWSService" | "" if name:
            return Principal(PrincipalKind.SERVICE, f"service:{name}", account)
        case _:
            return _named(PrincipalKind.UNKNOWN, arn or principal_id, account, session)


def account_of(arn: str) -> str:
    """Return the account that an ARN stands in; empty if it names none."""
    parts = arn.split(":", 5)
    digits = parts[4] if len(parts) > 5 else ""  # noqa: PLR2004 - the fifth part of an ARN
    return digits if len(digits) == DIGITS_OF_ACCOUNT and digits.isdigit() else ""


def _named(kind: PrincipalKind, name: str, account: str, session: str = "") -> Principal | None:
    return Principal(kind, name, account, session) if name else None


def _linked_service(issuer: str) -> str:
    """Return whose service-linked role it is; empty if it is none."""
    linked = SERVICE_LINKED.fullmatch(issuer)
    return linked["service"] if linked else ""


def _is_service(issuer: str, name: str) -> bool:
    service = _linked_service(issuer)
    return service != "" and name in (service, SECRETS_MANAGER)


def _role(arn: str, account: str, session: str) -> Principal | None:
    sso = SSO_ROLE.fullmatch(arn)
    if sso and session:
        key = f"person:{account}:{sso['set']}:{session}"
        return Principal(PrincipalKind.PERSON, key, account, session)
    return _named(PrincipalKind.ROLE, arn, account, session)


def _role_of_session(arn: str, account: str) -> str:
    """A session without its issuer still names the role, though not the role's path.

    So it is never a person's: whoever may name a role and its session would be anybody.
    """
    named = SESSION_ARN.fullmatch(arn)
    return f"arn:{named['partition']}:iam::{account}:role/{named['role']}" if named else arn


def _foreign(principal_id: str, account: str) -> Principal | None:
    """The id before the colon is the role's or the user's, and does not change."""
    caller = principal_id.partition(":")[0]
    if not caller and not account:
        return None
    return Principal(PrincipalKind.ACCOUNT, f"account:{account}:{caller}", account)

"""Everything that Rekey raises on purpose, as one tree.

Class names are a contract: Lambda reports them as ``errorType``, and a state machine's
``ErrorEquals`` matches on them. Every message says what is wrong and what to do, and never holds
a secret value.

::

    RekeyError
    ├── InvalidEvent                 the event is not one that the function understands
    ├── SecretError                  what the secret holds, or may not be read
    │   ├── SecretNotFound
    │   ├── SecretAccessDenied
    │   ├── InvalidSecretValue
    │   ├── UnsupportedEngine
    │   ├── UnsupportedStrategy
    │   ├── InvalidTag
    │   └── UserNameTooLong
    ├── GuardError                   acting now would be wrong; nothing was changed
    │   ├── RotationDisabled
    │   ├── VersionUnknown
    │   ├── VersionNotPending
    │   ├── VersionRejected
    │   ├── VersionNotReadable       the value is not there (yet)
    │   ├── IntentMissing
    │   ├── InterruptedRotation
    │   ├── LabelMoved
    │   ├── RotationHalted
    │   ├── RestoreNotAllowed
    │   ├── NothingToRollBackTo
    │   ├── CredentialMismatch
    │   ├── SuperuserMismatch
    │   └── TooManyRejectedLogins
    ├── LoginError                   the server answered and refused the login
    │   ├── CredentialsRejected
    │   ├── AccountLocked
    │   ├── AccountExpired
    │   ├── LoginNotAllowed
    │   └── SuperuserRejected
    ├── DatabaseError                the server could not be used
    │   ├── DatabaseUnreachable
    │   ├── DatabaseMissing
    │   ├── TooManyConnections
    │   ├── TlsFailed
    │   ├── ReadOnlyEndpoint
    │   ├── MissingPrivilege
    │   ├── PrivilegesDiffer
    │   ├── UserMissing
    │   ├── AmbiguousAccount         several accounts have the name
    │   ├── PlaintextRefused         the password would travel or be logged in clear
    │   ├── PasswordRefused          the server's password policy says no
    │   ├── PolicyForbidsHash        the server takes no hash, only the password itself
    │   ├── LockTimeout
    │   ├── ConcurrentChange
    │   └── EngineFailure            anything else that an engine or its driver reports
    ├── SecretsManagerFailure        Secrets Manager refused or did not answer
    ├── InvalidCampaign              the input of a campaign
    ├── CampaignFailure              what a campaign needs could not be read or written
    ├── LambdaFailure                Lambda refused or did not answer
    ├── IamFailure                   IAM refused or did not answer
    ├── StepFunctionsFailure         Step Functions refused or did not answer
    ├── CloudTrailFailure            CloudTrail refused or did not answer
    ├── StateTableFailure            the table of incidents could not be read or written
    ├── AlertNotDelivered            the topic or the event bus took no message
    ├── FindingNotImported           Security Hub took no finding; people were told
    ├── OutOfTime                    what an invocation had no time for any more
    ├── InvalidConfiguration         a parameter of the deployed function
    └── UnexpectedFailure            a defect; only its type leaves the function
"""


class RekeyError(Exception):
    """Root of the tree. ``str(error)`` is one sentence for a person."""


class InvalidEvent(RekeyError):
    """The event is not one that the function understands."""


class SecretError(RekeyError):
    """The secret cannot be rotated as it is."""


class SecretNotFound(SecretError):
    """Secrets Manager knows no such secret."""


class SecretAccessDenied(SecretError):
    """The function's role may not do this with the secret or its key."""


class InvalidSecretValue(SecretError):
    """The value is not the JSON object that docs/secret-format.md describes."""


class UnsupportedEngine(SecretError):
    """The value names an engine that this function does not serve."""


class UnsupportedStrategy(SecretError):
    """The tag ``rekey:strategy`` asks for what the engine or the value does not allow."""


class InvalidTag(SecretError):
    """A tag of ours on the secret has a value that means nothing."""


class UserNameTooLong(SecretError):
    """The peer's name would exceed the engine's limit."""


class GuardError(RekeyError):
    """A guard stopped the step before anything was changed."""


class RotationDisabled(GuardError):
    """Rotation is not enabled for the secret."""


class VersionUnknown(GuardError):
    """The client request token is no version of the secret."""


class VersionNotPending(GuardError):
    """The version does not carry AWSPENDING (any more)."""


class VersionRejected(GuardError):
    """The version carries REKEY_REJECTED: a roll back has ruled it out."""


class VersionNotReadable(GuardError):
    """The version has the right label, but its value cannot be read (yet)."""


class IntentMissing(GuardError):
    """The version lacks REKEY_INTENT: createSecret never wrote it."""


class InterruptedRotation(GuardError):
    """An earlier rotation was cut off, and a person has to say which password counts."""


class LabelMoved(GuardError):
    """A label moved between reading the labels and moving it. Nothing was changed."""


class RotationHalted(GuardError):
    """Too many rotations have failed in a row: a person has to look first."""


class RestoreNotAllowed(GuardError):
    """The superuser's secret does not allow to restore this user's password."""


class NothingToRollBackTo(GuardError):
    """No former version serves, or may serve, in place of the one to reject."""


class CredentialMismatch(GuardError):
    """AWSCURRENT and AWSPENDING disagree about the server or the user."""


class SuperuserMismatch(GuardError):
    """The superuser secret is for another server, or is the secret itself."""


class TooManyRejectedLogins(GuardError):
    """The rotation has used up the wrong logins that it allows itself."""


class LoginError(RekeyError):
    """The server answered, and refused the login."""


class CredentialsRejected(LoginError):
    """User name or password is wrong, or the password has expired."""


class AccountLocked(LoginError):
    """The account exists but may not log in."""


class AccountExpired(LoginError):
    """The account's time has passed, whatever its password. Nothing was changed."""


class LoginNotAllowed(LoginError):
    """The server's rules refuse this client (for PostgreSQL: pg_hba.conf)."""


class SuperuserRejected(LoginError):
    """The credential in the superuser secret does not log in."""


class DatabaseError(RekeyError):
    """The server could not be used."""


class DatabaseUnreachable(DatabaseError):
    """No usable answer: name, port, firewall, starting up, or the time ran out."""


class DatabaseMissing(DatabaseError):
    """The server has no database of that name."""


class TooManyConnections(DatabaseError):
    """The server has no connection left."""


class TlsFailed(DatabaseError):
    """TLS is not offered, or the certificate cannot be verified. Never downgraded."""


class ReadOnlyEndpoint(DatabaseError):
    """The host is a replica or a reader endpoint."""


class MissingPrivilege(DatabaseError):
    """The connected user lacks a right that the change needs."""


class PrivilegesDiffer(DatabaseError):
    """The clone has a right that the base user lacks. Nothing was changed."""


class UserMissing(DatabaseError):
    """The base user does not exist on the server."""


class AmbiguousAccount(DatabaseError):
    """Several accounts have the user's name and differ by host. Nothing was changed."""


class PlaintextRefused(DatabaseError):
    """The password, or what serves like it, would be seen. Nothing was changed."""


class PasswordRefused(DatabaseError):
    """The server's policy does not allow the new password. Nothing was changed."""


class PolicyForbidsHash(DatabaseError):
    """A password validation of the server refuses every hash. Nothing was changed."""


class LockTimeout(DatabaseError):
    """A statement waited too long for a lock. Nothing was changed."""


class ConcurrentChange(DatabaseError):
    """Someone else changed the same user at the same time. Nothing was changed."""


class EngineFailure(DatabaseError):
    """What the engine reported and no other class describes."""


class SecretsManagerFailure(RekeyError):
    """Secrets Manager (or RDS, for a managed superuser) refused or did not answer."""


class InvalidCampaign(RekeyError):
    """What a campaign was asked for makes no sense or does not exist. Nothing was touched."""


class CampaignFailure(RekeyError):
    """A service that a campaign reads or writes refused or did not answer."""


class LambdaFailure(RekeyError):
    """Lambda, asked whose a rotation function is, refused or did not answer."""


class IamFailure(RekeyError):
    """IAM refused or did not answer."""


class StepFunctionsFailure(RekeyError):
    """A workflow was not started."""


class CloudTrailFailure(RekeyError):
    """CloudTrail, asked what it logs, refused or did not answer."""


class StateTableFailure(RekeyError):
    """DynamoDB refused or did not answer."""


class FindingNotImported(RekeyError):
    """Security Hub took no finding. People were told before, so nothing is tried again."""


class AlertNotDelivered(RekeyError):
    """SNS or EventBridge took no message. It is noted, and said when the event comes again."""


class InvalidConfiguration(RekeyError):
    """A parameter of the deployed function is wrong."""


class OutOfTime(RekeyError):
    """The invocation's time was not enough for this. Nothing of it was begun."""


class UnexpectedFailure(RekeyError):
    """A defect in Rekey. The original text is withheld, as it might hold a secret."""

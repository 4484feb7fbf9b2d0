"""What the daily sweep looks at: lists of secrets, trails, and how far it is."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from rekey.errors import (
    CloudTrailFailure,
    RekeyError,
    SecretAccessDenied,
    SecretsManagerFailure,
    StateTableFailure,
)
from rekey.model import HALTED_TAG, is_halted
from rekey.watched import Canary, Page, Progress, Trail, Watched

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

T = TypeVar("T")

PAGE_SIZE = 100
EXPIRES_DAYS = 30
DENIED = frozenset({"AccessDeniedException", "KMSAccessDeniedException"})
NOT_OURS = frozenset(
    {"AccessDeniedException", "CloudTrailARNInvalidException", "TrailNotFoundException"}
)
"""What CloudTrail says of a trail that belongs to the organisation's account: the second one that
the account in the ARN is wrong, which CloudTrail's API reference does not tell."""


class SecretLists:
    """See Secrets."""

    def __init__(self, client: "SecretsManagerClient") -> None:
        self._client = client

    def page(self, token: str | None) -> Page | None:
        """See Secrets."""
        place = {} if token is None else {"NextToken": token}
        try:
            answer: Any = _ask(
                SecretsManagerFailure, self._client.list_secrets, MaxResults=PAGE_SIZE, **place
            )
        except _Refused as error:
            if error.code == "InvalidNextTokenException":
                return None
            raise error.failure from None
        entries = (entry for entry in answer["SecretList"] if "DeletedDate" not in entry)
        secrets = tuple(_watched(entry, "SecretVersionsToStages") for entry in entries)
        return Page(secrets, answer.get("NextToken"))

    def look(self, arn: str) -> Watched | None:
        """See Secrets."""
        try:
            answer: Any = _ask(SecretsManagerFailure, self._client.describe_secret, SecretId=arn)
        except _Refused as error:
            if error.code == "ResourceNotFoundException":
                return None
            raise _of_one(error) from None
        return None if "DeletedDate" in answer else _watched(answer, "VersionIdsToStages")

    def halted(self) -> list[str]:
        """Return the secrets that are halted.

        The filter takes beginnings of keys, and knows nothing of values.
        """
        found, place = list[str](), dict[str, Any]()
        wanted = {"Filters": [{"Key": "tag-key", "Values": [HALTED_TAG]}], "MaxResults": PAGE_SIZE}
        while True:
            try:
                answer: Any = _ask(
                    SecretsManagerFailure, self._client.list_secrets, **wanted, **place
                )
            except _Refused as error:
                raise error.failure from None
            secrets = (_watched(one, "SecretVersionsToStages") for one in answer["SecretList"])
            found += [s.arn for s in secrets if is_halted(s.tags)]
            if "NextToken" not in answer:
                return found
            place = {"NextToken": answer["NextToken"]}

    def read(self, arn: str) -> None:
        """See Secrets."""
        try:
            _ask(SecretsManagerFailure, self._client.get_secret_value, SecretId=arn)
        except _Refused as error:
            raise _of_one(error) from None


class CloudTrails:
    """See Trails. ``client`` is CloudTrail's."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def here(self) -> tuple[Trail, ...]:
        """See Trails. Trails of other regions that cover this one are among them."""
        try:
            trails = _ask(CloudTrailFailure, self._client.describe_trails)["trailList"]
            return tuple(self._trail(trail) for trail in trails)
        except _Refused as error:
            raise error.failure from None

    def _trail(self, trail: Mapping[str, Any]) -> Trail:
        """What an account may not ask of its organisation's trail is taken to be in order."""
        try:
            return self._asked(trail["Name"], trail["TrailARN"])
        except _Refused as error:
            if trail.get("IsOrganizationTrail") and error.code in NOT_OURS:
                return Trail(trail["Name"], logging=True, selectors=({},))
            raise

    def _asked(self, name: str, arn: str) -> Trail:
        status = _ask(CloudTrailFailure, self._client.get_trail_status, Name=arn)
        found = _ask(CloudTrailFailure, self._client.get_event_selectors, TrailName=arn)
        selectors = found.get("AdvancedEventSelectors") or found.get("EventSelectors") or ()
        return Trail(name, status["IsLogging"], tuple(selectors))


class SweepItems:
    """See SweepMemory: items of the state table. ``client`` is DynamoDB's."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def progress(self) -> Progress | None:
        """See SweepMemory."""
        item = self._get("sweep")
        if not item:
            return None
        token = item["token"]["S"] if "token" in item else None
        counts = {name: int(item[name]["N"]) for name in ("secrets", "findings")}
        return Progress(_moment(item["begun"]), token, **counts)

    def note(self, progress: Progress) -> None:
        """See SweepMemory."""
        token = {} if progress.token is None else {"token": {"S": progress.token}}
        self._put(
            "sweep",
            progress.begun,
            begun=_number(progress.begun),
            secrets={"N": str(progress.secrets)},
            findings={"N": str(progress.findings)},
            **token,
        )

    def canary(self, arn: str) -> Canary:
        """See SweepMemory."""
        item = self._get(f"canary#{arn}")
        times = {name: _moment(item[name]) for name in ("read", "seen") if name in item}
        return Canary(**times)

    def note_read(self, arn: str, at: datetime) -> None:
        """See SweepMemory."""
        try:
            self._set(f"canary#{arn}", "read", at)
        except _Refused as error:
            raise error.failure from None

    def note_seen(self, arn: str, at: datetime) -> None:
        """Note that an event about a read of the canary has arrived; an older one later is kept."""
        newer = "attribute_not_exists(#name) OR #name < :at"
        try:
            self._set(f"canary#{arn}", "seen", at, ConditionExpression=newer)
        except _Refused as error:
            if error.code != "ConditionalCheckFailedException":
                raise error.failure from None

    def _get(self, name: str) -> Mapping[str, Any]:
        answer = self._ask(self._client.get_item, Key=_key(name), ConsistentRead=True)
        item: Mapping[str, Any] = answer.get("Item", {})
        return item

    def _put(self, name: str, at: datetime, **attributes: Any) -> None:
        item = {**_key(name), "expires": _expiry(at), **attributes}
        self._ask(self._client.put_item, Item=item)

    def _set(self, name: str, attribute: str, at: datetime, **condition: str) -> None:
        _ask(
            StateTableFailure,
            self._client.update_item,
            TableName=self._table,
            Key=_key(name),
            UpdateExpression="SET #name = :at, #expires = :expires",
            ExpressionAttributeNames={"#name": attribute, "#expires": "expires"},
            ExpressionAttributeValues={":at": _number(at), ":expires": _expiry(at)},
            **condition,
        )

    def _ask(self, call: Callable[..., Any], **parameters: Any) -> Any:
        try:
            return _ask(StateTableFailure, call, TableName=self._table, **parameters)
        except _Refused as error:
            raise error.failure from None


class _Refused(Exception):
    """What a service said, by its code, and what it is to the caller. Stays in this module."""

    def __init__(self, code: str, failure: RekeyError) -> None:
        super().__init__(code)
        self.code = code
        self.failure = failure


def _ask(kind: type[RekeyError], call: Callable[..., T], **parameters: Any) -> T:
    try:
        return call(**parameters)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        text = f"{error.operation_name}: {code}: {error.response.get('Error', {}).get('Message')}"
        raise _Refused(code, kind(text)) from None
    except BotoCoreError as error:
        code = type(error).__name__
        raise _Refused(code, kind(f"No answer ({code}).")) from None


def _of_one(error: _Refused) -> RekeyError:
    """What a secret's own policy or key denies is no failure of the service."""
    return SecretAccessDenied(str(error.failure)) if error.code in DENIED else error.failure


def _watched(entry: Mapping[str, Any], labels: str) -> Watched:
    region = entry["ARN"].split(":")[3]
    return Watched(
        arn=entry["ARN"],
        rotation_enabled=entry.get("RotationEnabled", False),
        labels={version: frozenset(held) for version, held in entry.get(labels, {}).items()},
        tags={tag["Key"]: tag["Value"] for tag in entry.get("Tags", [])},
        changed=entry.get("LastChangedDate") or entry["CreatedDate"],
        rotated=entry.get("LastRotatedDate"),
        due=entry.get("NextRotationDate"),
        function=entry.get("RotationLambdaARN"),
        # Only a copy lies in another region than the original.
        replica=entry.get("PrimaryRegion", region) != region,
    )


def _key(name: str) -> dict[str, Any]:
    return {"pk": {"S": name}, "sk": {"S": "state"}}


def _number(moment: datetime) -> dict[str, str]:
    return {"N": str(int(moment.timestamp()))}


def _expiry(moment: datetime) -> dict[str, str]:
    return {"N": str(int(moment.timestamp()) + EXPIRES_DAYS * 86_400)}


def _moment(attribute: Mapping[str, str]) -> datetime:
    return datetime.fromtimestamp(int(attribute["N"]), UTC)

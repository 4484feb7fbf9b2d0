"""CloudWatch: alarms by name."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from botocore.exceptions import BotoCoreError, ClientError

from rekey.errors import CampaignFailure

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

TYPES: "Sequence[Literal['CompositeAlarm', 'MetricAlarm']]" = ("CompositeAlarm", "MetricAlarm")


class CloudWatchAlarms:
    """See Alarms."""

    def __init__(self, client: "CloudWatchClient") -> None:
        self._client = client

    def missing(self, names: Sequence[str]) -> list[str]:
        """See Alarms."""
        known = self._states(names)
        return [name for name in names if name not in known]

    def ringing(self, names: Sequence[str]) -> list[str]:
        """See Alarms."""
        known = self._states(names)
        return [name for name in names if known.get(name) == "ALARM"]

    def _states(self, names: Sequence[str]) -> dict[str, str]:
        # Without names the service would describe every alarm of the account.
        if not names:
            return {}
        try:
            answer = self._client.describe_alarms(
                AlarmNames=names, AlarmTypes=TYPES, MaxRecords=100
            )
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
        except BotoCoreError as error:
            code = type(error).__name__
        else:
            alarms = [*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])]
            return {alarm["AlarmName"]: alarm["StateValue"] for alarm in alarms}
        raise CampaignFailure(f"CloudWatch did not describe the alarms: {code}.")

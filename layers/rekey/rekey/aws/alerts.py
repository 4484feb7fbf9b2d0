"""Where messages go: the topic of alerts for people, the default event bus for programs.

And, where the stack is asked to, AWS Security Hub.
"""

import json
from typing import TYPE_CHECKING

from aws_lambda_powertools.metrics import MetricUnit, single_metric
from botocore.exceptions import BotoCoreError, ClientError

from rekey.aws import clients, environment
from rekey.aws.security_hub import SecurityHub
from rekey.errors import AlertNotDelivered
from rekey.incident import Message, Place

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef

SOURCE = "rekey"
"""Of our events on the bus."""

OCSF_TYPE = "OCSF Finding"
"""Detail type of the same finding in the Open Cybersecurity Schema Framework."""

NAMESPACE = "Rekey"
"""Of the metric Findings: what was published, by kind and severity."""


class Alerts:
    """See Channel. People first: if the bus refuses, they are told twice rather than never."""

    def __init__(self, sns: "SNSClient", events: "EventBridgeClient", topic_arn: str) -> None:
        self._sns = sns
        self._events = events
        self._topic_arn = topic_arn

    def publish(self, message: Message) -> None:
        """See Channel."""
        try:
            if message.for_people:
                self._tell_people(message)
            refused = self._put_events(message)
        except (ClientError, BotoCoreError) as error:
            raise AlertNotDelivered(f"{type(error).__name__}: {error}") from None
        if refused:
            raise AlertNotDelivered(f"The event bus refused the event: {refused}.")
        _count(message)

    def _tell_people(self, message: Message) -> None:
        self._sns.publish(
            TopicArn=self._topic_arn,
            Subject=message.subject,
            Message=json.dumps(dict(message.bodies), ensure_ascii=False),
            MessageStructure="json",
            MessageAttributes={
                name: _attribute(value) for name, value in message.attributes.items()
            },
        )

    def _put_events(self, message: Message) -> str:
        """Return why the bus refused them; empty if it did not."""
        about = [value for name, value in message.attributes.items() if name == "secret"]
        made = [(message.detail_type, message.document)]
        made += [(OCSF_TYPE, message.ocsf)] if message.ocsf else []
        answer = self._events.put_events(
            Entries=[
                {"Source": SOURCE, "DetailType": kind, "Detail": detail, "Resources": about}
                for kind, detail in made
            ]
        )
        return ", ".join(e["ErrorCode"] for e in answer["Entries"] if "ErrorCode" in e)


def security_hub() -> SecurityHub | None:
    """Return the account's Security Hub if the stack sends findings there.

    Raises InvalidConfiguration.
    """
    if not environment.security_hub():
        return None
    return SecurityHub(clients.security_hub(), Place.of(environment.alerts_topic_arn()))


def elsewhere() -> tuple[SecurityHub | None, Place | None]:
    """Return where else findings go: Security Hub, and whence they are events in OCSF as well.

    None of what the stack was not asked for. Raises InvalidConfiguration.
    """
    place = Place.of(environment.alerts_topic_arn()) if environment.ocsf_events() else None
    return security_hub(), place


def _attribute(value: str) -> "MessageAttributeValueTypeDef":
    return {"DataType": "String", "StringValue": value}


def _count(message: Message) -> None:
    with single_metric("Findings", MetricUnit.Count, 1, namespace=NAMESPACE) as metric:
        for name in ("kind", "severity"):
            metric.add_dimension(name, message.attributes[name])

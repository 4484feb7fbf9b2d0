"""A secret whose rotation function notes what it is called with, and does as it is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .conftest import Account

ROTATES = {
    "Effect": "Allow",
    "Action": ["secretsmanager:*"],
    "Resource": "*",
}
# A function that notes every event in a secret of its own, and fails or waits where it is told.
NOTING = """
    import json, os, boto3
    secrets = boto3.client("secretsmanager")

    def note(event):
        noted = json.loads(secrets.get_secret_value(SecretId=os.environ["NOTES"])["SecretString"])
        noted["seen"].append(event)
        secrets.put_secret_value(SecretId=os.environ["NOTES"], SecretString=json.dumps(noted))
        return noted

    def handler(event, context):
        arn, token, step = event["SecretId"], event["ClientRequestToken"], event["Step"]
        request = {"SecretId": arn, "VersionId": token, "VersionStage": "AWSPENDING"}
        try:
            value = secrets.get_secret_value(**request)["SecretString"]
        except secrets.exceptions.ResourceNotFoundException:
            value = None
        except secrets.exceptions.InvalidRequestException as error:
            value = error.response["Error"]["Message"]
        noted = note({**event, "value": value})
        times = noted["fail"].get(step, 0)
        if sum(1 for seen in noted["seen"] if seen["Step"] == step) <= times:
            raise RuntimeError(f"{step} was told to fail")
        if step in noted["wait"]:
            while not json.loads(secrets.get_secret_value(SecretId=os.environ["NOTES"],
                                 VersionStage="GO")["SecretString"]): pass
        if step == "createSecret" and value is None:
            secrets.put_secret_value(SecretId=arn, ClientRequestToken=token,
                SecretString="value of " + token, VersionStages=["AWSPENDING"],
                RotationToken=event["RotationToken"])
        if step == "finishSecret" and not noted["idle"]:
            stages = secrets.describe_secret(SecretId=arn)["VersionIdsToStages"]
            current = next(v for v in stages if "AWSCURRENT" in stages[v])
            if current != token:
                secrets.update_secret_version_stage(SecretId=arn, VersionStage="AWSCURRENT",
                    MoveToVersionId=token, RemoveFromVersionId=current)
"""
STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"]


class Rotated:
    """A secret with a noting rotation function."""

    def __init__(self, account: Account, name: str, **plan: Any) -> None:
        self.account, self.name, self.notes = account, name, f"{name}-notes"
        self.secrets = account.client("secretsmanager")
        self.secrets.create_secret(
            Name=self.notes,
            SecretString=json.dumps({"seen": [], "fail": {}, "wait": [], "idle": False, **plan}),
        )
        self.secrets.put_secret_value(
            SecretId=self.notes, SecretString="false", VersionStages=["GO"]
        )
        created = self.secrets.create_secret(Name=name, SecretString="first")
        self.first, self.arn = created["VersionId"], created["ARN"]
        self.function = account.function(
            NOTING, ROTATES, Environment={"Variables": {"NOTES": self.notes}}
        )

    def rotate(self, **more: Any) -> str:
        answer = self.secrets.rotate_secret(
            **{"SecretId": self.name, "RotationLambdaARN": self.function, **more}
        )
        return str(answer["VersionId"])

    def go(self) -> None:
        self.secrets.put_secret_value(
            SecretId=self.notes, SecretString="true", VersionStages=["GO"]
        )

    def stages(self) -> dict[str, list[str]]:
        described = self.secrets.describe_secret(SecretId=self.name)
        return {v: sorted(s) for v, s in described["VersionIdsToStages"].items()}

    def has_value(self, version: str) -> bool:
        try:
            self.secrets.get_secret_value(SecretId=self.name, VersionId=version)
        except self.secrets.exceptions.ResourceNotFoundException:
            return False
        return True

    def is_over(self) -> bool:
        """Whether the engine has given up or come to its end."""
        return self.arn not in self.account.control("rotation")["running"]

    def seen(self) -> list[dict[str, Any]]:
        text = self.secrets.get_secret_value(SecretId=self.notes)["SecretString"]
        seen: list[dict[str, Any]] = json.loads(text)["seen"]
        return seen

    def steps(self) -> list[str]:
        return [event["Step"] for event in self.seen()]

    def is_at_rest_with(self, version: str) -> bool:
        return self.stages() == {self.first: ["AWSPREVIOUS"], version: ["AWSCURRENT"]}

    def events(self) -> list[str]:
        """The service events about this secret, in order."""
        return [record["eventName"] for record in self.account.service_events(self.arn)]

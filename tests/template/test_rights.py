"""The local account enforces IAM, but not KMS, VPC and topic policies: those stand here."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.template.test_definitions import OF_RESULTS
from tests.template.test_workflows import WHOLE

Resources = Callable[..., dict[str, dict[str, Any]]]

FUNCTION = "arn:aws:lambda:eu-central-1:111122223333:function:rekey-rotate-postgresql"
SECRETS = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:*"
SUPERUSER = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:rds!db-1-AbCdEf"
KEY = "arn:aws:kms:eu-central-1:111122223333:key/1"
INTERFACES = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
]

ALWAYS: list[dict[str, Any]] = [
    {
        "Sid": "RotateSecretsThatNameThisFunction",
        "Effect": "Allow",
        "Action": [
            "secretsmanager:DescribeSecret",
            "secretsmanager:GetSecretValue",
            "secretsmanager:PutSecretValue",
            "secretsmanager:UpdateSecretVersionStage",
        ],
        "Resource": SECRETS,
        "Condition": {"StringEquals": {"secretsmanager:resource/AllowRotationLambdaArn": FUNCTION}},
    },
    {
        "Sid": "ReadTaggedSuperuserSecrets",
        "Effect": "Allow",
        "Action": ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
        "Resource": SECRETS,
        "Condition": {"StringEquals": {"secretsmanager:ResourceTag/rekey:superuser": "true"}},
    },
    {
        "Sid": "FindDatabasesWhosePasswordRdsManages",
        "Effect": "Allow",
        "Action": ["rds:DescribeDBClusters", "rds:DescribeDBInstances"],
        "Resource": [
            "arn:aws:rds:eu-central-1:111122223333:cluster:*",
            "arn:aws:rds:eu-central-1:111122223333:db:*",
        ],
    },
    {
        "Sid": "WriteOwnLog",
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": "<RotatePostgresqlLogGroup.Arn>",
    },
]


def statements(resources: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    (policy,) = resources["RotatePostgresqlRole"]["Properties"]["Policies"]
    listed: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return listed


def added(resources: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [statement for statement in statements(resources) if statement not in ALWAYS]


def test_the_rotation_role_may_do_exactly_this(resources: Resources) -> None:
    assert statements(resources()) == ALWAYS


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"VpcSubnetIds": "subnet-1", "SuperuserSecretArns": SUPERUSER, "SecretsKmsKeyArns": KEY},
    ],
    ids=["by default", "with all that adds rights"],
)
def test_every_rotation_function_has_the_same_rights_for_secrets_of_its_own(
    resources: Resources, parameters: dict[str, str]
) -> None:
    deployed = resources(**parameters)
    for kind in ("Function", "LogGroup", "Permission", "Role"):
        model, other = (json.dumps(deployed[f"Rotate{e}{kind}"]) for e in ("Postgresql", "Mysql"))
        other = other.replace("MySQL, Aurora MySQL and MariaDB", "PostgreSQL and Aurora PostgreSQL")
        other = other.replace("MySQL and MariaDB", "PostgreSQL")
        assert other.replace("Mysql", "Postgresql").replace("mysql", "postgresql") == model


def test_roles_have_no_policy_but_their_own(resources: Resources) -> None:
    for resource in resources().values():
        if resource["Type"] == "AWS::IAM::Role":
            assert "ManagedPolicyArns" not in resource["Properties"]


def test_only_lambda_assumes_the_role(resources: Resources) -> None:
    trust = resources()["RotatePostgresqlRole"]["Properties"]["AssumeRolePolicyDocument"]
    assert trust["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ]


def test_listed_superuser_secrets_are_read_by_their_exact_arns(resources: Resources) -> None:
    assert added(resources(SuperuserSecretArns=SUPERUSER)) == [
        {
            "Sid": "ReadListedSuperuserSecrets",
            "Effect": "Allow",
            "Action": ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
            "Resource": [SUPERUSER],
        }
    ]


def test_keys_are_used_only_through_secrets_manager_and_for_secrets(resources: Resources) -> None:
    assert added(resources(SecretsKmsKeyArns=f"{KEY},{KEY}2")) == [
        {
            "Sid": "UseKeysOfSecretsThroughSecretsManager",
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": [KEY, f"{KEY}2"],
            "Condition": {
                "StringEquals": {"kms:ViaService": "secretsmanager.eu-central-1.amazonaws.com"},
                "StringLike": {"kms:EncryptionContext:SecretARN": SECRETS},
            },
        }
    ]


def test_network_interfaces_are_lambdas_to_attach_and_not_the_codes(resources: Resources) -> None:
    rights = {"Action": INTERFACES, "Resource": "*"}
    assert added(resources(VpcSubnetIds="subnet-1", VpcSecurityGroupIds="sg-1")) == [
        {"Sid": "AttachToVpc", "Effect": "Allow", **rights},
        {
            "Sid": "LeaveVpcToLambda",
            "Effect": "Deny",
            **rights,
            "Condition": {"ArnEquals": {"lambda:SourceFunctionArn": FUNCTION}},
        },
    ]


def test_every_resource_is_limited_but_the_interfaces_that_have_no_name_beforehand(
    resources: Resources,
) -> None:
    everything = resources(
        VpcSubnetIds="subnet-1", SuperuserSecretArns=SUPERUSER, SecretsKmsKeyArns=KEY
    )
    unlimited = {item["Sid"] for item in statements(everything) if item["Resource"] == "*"}
    assert unlimited == {"AttachToVpc", "LeaveVpcToLambda"}


def test_no_action_is_a_pattern(resources: Resources) -> None:
    everything = resources(
        VpcSubnetIds="subnet-1", SuperuserSecretArns=SUPERUSER, SecretsKmsKeyArns=KEY
    )
    assert not [
        action for item in statements(everything) for action in item["Action"] if "*" in action
    ]


def test_a_boundary_bounds_every_role(resources: Resources) -> None:
    boundary = "arn:aws:iam::111122223333:policy/boundary"
    for resource in resources(PermissionsBoundaryArn=boundary).values():
        if resource["Type"] == "AWS::IAM::Role":
            assert resource["Properties"]["PermissionsBoundary"] == boundary
    assert "PermissionsBoundary" not in resources()["RotatePostgresqlRole"]["Properties"]


def test_secrets_manager_of_this_account_invokes_for_any_secret(resources: Resources) -> None:
    assert resources()["RotatePostgresqlPermission"]["Properties"] == {
        "Action": "lambda:InvokeFunction",
        "FunctionName": "<RotatePostgresqlFunction.Arn>",
        "Principal": "secretsmanager.amazonaws.com",
        "SourceAccount": "111122223333",
    }


def test_alarms_of_this_account_publish_and_nothing_does_unencrypted(resources: Resources) -> None:
    policy = resources()["AlertsTopicPolicy"]["Properties"]
    alarms, encrypted = policy["PolicyDocument"]["Statement"]
    assert policy["Topics"] == ["<AlertsTopic>"]
    assert alarms["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert alarms["Condition"] == {"StringEquals": {"aws:SourceAccount": "111122223333"}}
    assert (encrypted["Effect"], encrypted["Principal"]) == ("Deny", "*")
    assert encrypted["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def granted(resources: dict[str, dict[str, Any]], machine: str) -> list[dict[str, Any]]:
    """The statements of a machine's role, by the name of its file."""
    (policy,) = resources[f"{machine.partition('.')[0].title()}Role"]["Properties"]["Policies"]
    listed: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return listed


WRITERS = {
    (name, state["ResultWriter"]["Arguments"]["Bucket"].strip("${}"))
    for name, machine in WHOLE.items()
    for state in machine["States"].values()
    if "ResultWriter" in state
}
"""The machines with maps that write results, and the buckets that they write to."""


def test_whoever_writes_the_results_of_a_map_may_write_them_in_parts(resources: Resources) -> None:
    assert WRITERS
    for name, bucket in WRITERS:
        assert {
            action
            for item in granted(resources(), name)
            if item["Resource"] == f"${{{bucket}.Arn}}/*"
            for action in item["Action"]
        } >= OF_RESULTS


def test_whoever_writes_them_in_parts_may_use_the_key_as_aws_says(resources: Resources) -> None:
    """Step Functions Developer Guide, "IAM policies for using Distributed Map states"."""
    via = "s3.eu-central-1.amazonaws.com"
    for name, _ in WRITERS:
        assert {
            action
            for item in granted(resources(KmsKeyArn=KEY), name)
            if item["Resource"] == KEY
            and via in item["Condition"]["StringEquals"]["kms:ViaService"]
            for action in item["Action"]
        } == {"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"}


def test_whoever_runs_a_distributed_map_may_look_at_its_own_runs_and_at_their_children(
    resources: Resources,
) -> None:
    """The same page names the runs; those of children are `<machine>/<label>:<id>`."""
    runs = "arn:aws:states:eu-central-1:111122223333:execution:rekey"
    for name in {name for name, _ in WRITERS}:
        machine = name.partition(".")[0]
        for action in ("states:DescribeExecution", "states:StopExecution"):
            (on,) = (i["Resource"] for i in granted(resources(), name) if action in i["Action"])
            assert {f"{runs}-{machine}:*", f"{runs}-{machine}/*"} <= set(on)


@pytest.mark.parametrize("key", ["", KEY])
def test_the_topic_is_encrypted_with_the_key_that_is_named(resources: Resources, key: str) -> None:
    topic = resources(KmsKeyArn=key)["AlertsTopic"]["Properties"]
    assert topic.get("KmsMasterKeyId", "") == key

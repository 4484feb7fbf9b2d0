import re
from collections.abc import Callable
from typing import Any

import pytest

from local.toolchain import CHECKOUT

Resources = Callable[..., dict[str, dict[str, Any]]]

# What others name from outside, or what holds state: another logical id means another resource.
PINNED = {
    "AlertsTopic": "AWS::SNS::Topic",
    "AlertsTopicPolicy": "AWS::SNS::TopicPolicy",
    "RotateMysqlFunction": "AWS::Lambda::Function",
    "RotateMysqlLogGroup": "AWS::Logs::LogGroup",
    "RotateMysqlPermission": "AWS::Lambda::Permission",
    "RotateMysqlRole": "AWS::IAM::Role",
    "RotatePostgresqlFunction": "AWS::Lambda::Function",
    "RotatePostgresqlLogGroup": "AWS::Logs::LogGroup",
    "RotatePostgresqlPermission": "AWS::Lambda::Permission",
    "RotatePostgresqlRole": "AWS::IAM::Role",
}
OUTPUTS = {
    "AlertsTopicArn": {"Ref": "AlertsTopic"},
    "RotateMysqlFunctionArn": {"Fn::GetAtt": ["RotateMysqlFunction", "Arn"]},
    "RotatePostgresqlFunctionArn": {"Fn::GetAtt": ["RotatePostgresqlFunction", "Arn"]},
}


def functions(resources: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Properties of the functions by logical id."""
    return {
        logical_id: resource["Properties"]
        for logical_id, resource in resources.items()
        if resource["Type"] == "AWS::Lambda::Function"
    }


def is_rotation(properties: dict[str, Any]) -> bool:
    return any(tag["Key"] == "rekey:function" for tag in properties["Tags"])


def test_every_parameter_has_a_default_and_a_description(template: dict[str, Any]) -> None:
    for name, parameter in template["Parameters"].items():
        assert "Default" in parameter, name
        assert parameter["Description"], name


def test_every_parameter_is_in_one_group(template: dict[str, Any]) -> None:
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(template["Parameters"])


def test_logical_ids_stay_what_they_are(resources: Resources) -> None:
    existing = {logical_id: resource["Type"] for logical_id, resource in resources().items()}
    assert existing | PINNED == existing


def test_outputs_stay_what_they_are(template: dict[str, Any]) -> None:
    assert {name: output["Value"] for name, output in template["Outputs"].items()} == OUTPUTS


def test_every_function_has_a_name_and_a_log_that_expires(resources: Resources) -> None:
    deployed = resources(LogRetentionDays="30")
    for properties in functions(deployed).values():
        group = properties["LoggingConfig"]["LogGroup"].strip("<>")
        log = deployed[group]["Properties"]
        assert log["LogGroupName"] == f"/aws/lambda/{properties['FunctionName']}"
        assert log["RetentionInDays"] == "30"


def test_rotation_outlives_the_stack_with_all_that_it_needs(resources: Resources) -> None:
    deployed = resources()
    for logical_id in PINNED:
        if logical_id.startswith("Rotate"):
            assert deployed[logical_id]["DeletionPolicy"] == "Retain"
            assert deployed[logical_id]["UpdateReplacePolicy"] == "Retain"
    layers = [item for item in deployed.values() if item["Type"] == "AWS::Lambda::LayerVersion"]
    assert [layer["DeletionPolicy"] for layer in layers] == ["Retain"]


def test_only_rotation_functions_are_in_the_vpc(resources: Resources) -> None:
    for properties in functions(resources(VpcSubnetIds="a,b", VpcSecurityGroupIds="c")).values():
        network = {"SubnetIds": ["a", "b"], "SecurityGroupIds": ["c"]}
        assert properties.get("VpcConfig") == (network if is_rotation(properties) else None)
    assert not [item for item in functions(resources()).values() if "VpcConfig" in item]


@pytest.mark.parametrize("given", ["VpcSubnetIds", "VpcSecurityGroupIds"])
def test_half_a_vpc_reaches_lambda_which_refuses_it(resources: Resources, given: str) -> None:
    function = functions(resources(**{given: "one"}))["RotatePostgresqlFunction"]
    assert [""] in function["VpcConfig"].values()


def test_a_ca_bundle_of_ones_own_comes_as_a_further_layer(resources: Resources) -> None:
    arn = "arn:aws:lambda:eu-central-1:111122223333:layer:authority:1"
    function = functions(resources(CaBundleLayerArn=arn))["RotatePostgresqlFunction"]
    (own, bundle) = function["Layers"]
    assert own.startswith("<RekeyLayer")
    assert bundle == arn


def test_password_rules_reach_the_function(resources: Resources) -> None:
    deployed = resources(PasswordLength="40", ExcludeCharacters="%")
    variables = functions(deployed)["RotatePostgresqlFunction"]["Environment"]["Variables"]
    assert variables["REKEY_PASSWORD_LENGTH"] == "40"
    assert variables["REKEY_EXCLUDE_CHARACTERS"] == "%"
    default = functions(resources())["RotatePostgresqlFunction"]["Environment"]["Variables"]
    assert default["REKEY_EXCLUDE_CHARACTERS"] == ":/@\"'\\"


def test_the_function_runs_on_the_runtime_and_processor_that_are_named(
    resources: Resources,
) -> None:
    chosen = resources(PythonRuntime="python3.12", Architecture="x86_64")
    function = functions(chosen)["RotatePostgresqlFunction"]
    assert (function["Runtime"], function["Architectures"]) == ("python3.12", ["x86_64"])
    default = functions(resources())["RotatePostgresqlFunction"]
    assert (default["Runtime"], default["Architectures"]) == ("python3.13", ["arm64"])


@pytest.mark.parametrize(
    ("parameters", "subscribed"),
    [
        ({}, False),
        ({"AlertEmail": "ops@example.com"}, True),
        ({"AlertEmail": "ops@example.com", "Monitoring": "false"}, False),
    ],
)
def test_an_address_gets_alerts_from_the_stack_that_monitors(
    resources: Resources, parameters: dict[str, str], subscribed: bool
) -> None:
    assert ("AlertsEmailSubscription" in resources(**parameters)) is subscribed


def test_every_function_folder_is_deployed() -> None:
    deployed = re.findall(r"CodeUri: (functions/\w+)", (CHECKOUT / "template.yaml").read_text())
    folders = (CHECKOUT / "functions").glob("*/app.py")
    assert sorted(deployed) == sorted(f"functions/{path.parent.name}" for path in folders)

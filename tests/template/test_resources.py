import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from local.toolchain import CHECKOUT
from rekey.access.thresholds import Thresholds
from rekey.alerts import campaigns, changes, recoveries, service_events
from rekey.passwords import PasswordRules
from tests.documents import document, headings

Resources = Callable[..., dict[str, dict[str, Any]]]

# What others name from outside, or what holds state: another logical id means another resource.
PINNED = {
    "AccessQueue": "AWS::SQS::Queue",
    "AlertsTopic": "AWS::SNS::Topic",
    "AlertsTopicPolicy": "AWS::SNS::TopicPolicy",
    "CampaignBucket": "AWS::S3::Bucket",
    "DeadLettersQueue": "AWS::SQS::Queue",
    "DispatchFunction": "AWS::Lambda::Function",
    "DispatchLogGroup": "AWS::Logs::LogGroup",
    "EventsQueue": "AWS::SQS::Queue",
    "JudgeConsumersFunction": "AWS::Lambda::Function",
    "JudgeConsumersLogGroup": "AWS::Logs::LogGroup",
    "LookUpSecretFunction": "AWS::Lambda::Function",
    "LookUpSecretLogGroup": "AWS::Logs::LogGroup",
    "RecoverLogGroup": "AWS::Logs::LogGroup",
    "RecoverStateMachine": "AWS::StepFunctions::StateMachine",
    "RetireLogGroup": "AWS::Logs::LogGroup",
    "RetireStateMachine": "AWS::StepFunctions::StateMachine",
    "PlanCampaignFunction": "AWS::Lambda::Function",
    "PlanCampaignLogGroup": "AWS::Logs::LogGroup",
    "RotateLogGroup": "AWS::Logs::LogGroup",
    "RotateStateMachine": "AWS::StepFunctions::StateMachine",
    "RotateMysqlFunction": "AWS::Lambda::Function",
    "RotateMysqlLogGroup": "AWS::Logs::LogGroup",
    "RotateMysqlPermission": "AWS::Lambda::Permission",
    "RotateMysqlRole": "AWS::IAM::Role",
    "RotatePostgresqlFunction": "AWS::Lambda::Function",
    "RotatePostgresqlLogGroup": "AWS::Logs::LogGroup",
    "RotatePostgresqlPermission": "AWS::Lambda::Permission",
    "RotatePostgresqlRole": "AWS::IAM::Role",
    "StateTable": "AWS::DynamoDB::Table",
    "SweepFunction": "AWS::Lambda::Function",
    "SweepLogGroup": "AWS::Logs::LogGroup",
    "SweepRole": "AWS::IAM::Role",
    "WatchAccessFunction": "AWS::Lambda::Function",
    "WatchAccessLogGroup": "AWS::Logs::LogGroup",
}
ROTATION = ("RotateMysql", "RotatePostgresql")
OUTPUTS = {
    "AlertsTopicArn": {"Ref": "AlertsTopic"},
    "CampaignBucketName": {"Ref": "CampaignBucket"},
    "RecoverStateMachineArn": {"Ref": "RecoverStateMachine"},
    "RetireStateMachineArn": {"Ref": "RetireStateMachine"},
    "RotateStateMachineArn": {"Ref": "RotateStateMachine"},
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


def outlives(resource: dict[str, Any]) -> bool:
    """Whether it stays when the stack is deleted, and when an update replaces it."""
    kept = resource.get("DeletionPolicy") in {"Retain", "RetainExceptOnCreate"}
    return kept and resource["UpdateReplacePolicy"] == "Retain"


def test_rotation_outlives_the_stack_with_all_that_it_needs(resources: Resources) -> None:
    deployed = resources()
    for logical_id in PINNED:
        if logical_id.startswith(ROTATION):
            assert outlives(deployed[logical_id])
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
    assert set(default["REKEY_EXCLUDE_CHARACTERS"]) == set(PasswordRules().excluded)


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


ROTATION_ONLY = {"AlertsTopic", "AlertsTopicPolicy"}
"""What a stack that does not monitor has besides its rotation functions and the layer."""


def test_a_stack_that_does_not_monitor_only_rotates(resources: Resources) -> None:
    without = {name for name in resources(Monitoring="false") if not name.startswith("RekeyLayer")}
    assert {name for name in without if not name.startswith(ROTATION)} == ROTATION_ONLY
    assert all(is_rotation(item) for item in functions(resources(Monitoring="false")).values())


def test_what_holds_state_outlives_the_stack(resources: Resources) -> None:
    deployed = resources()
    for logical_id in ("StateTable", "DeadLettersQueue", "CampaignBucket"):
        assert outlives(deployed[logical_id])


def test_a_first_deployment_that_fails_leaves_nothing_in_the_way_of_the_next(
    resources: Resources,
) -> None:
    """What is retained keeps its name. Versions of a layer are counted on."""
    left = {item["Type"] for item in resources().values() if item.get("DeletionPolicy") == "Retain"}
    assert left == {"AWS::Lambda::LayerVersion"}


def test_the_table_is_restored_to_any_second_and_forgets_by_itself(resources: Resources) -> None:
    table = resources()["StateTable"]["Properties"]
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_documents_of_campaigns_go_after_a_time_and_so_do_parts_of_unfinished_ones(
    resources: Resources,
) -> None:
    """Parts are no objects: the expiry of objects leaves them."""
    (rule,) = resources()["CampaignBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", 90)
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}


@pytest.mark.parametrize("key", ["", "arn:aws:kms:eu-central-1:111122223333:key/1"])
def test_what_is_stored_is_encrypted_with_the_key_that_is_named(
    resources: Resources, key: str
) -> None:
    deployed = resources(KmsKeyArn=key)
    for queue in ("EventsQueue", "AccessQueue", "DeadLettersQueue"):
        properties = deployed[queue]["Properties"]
        assert properties.get("KmsMasterKeyId", "") == key
        assert properties.get("SqsManagedSseEnabled", False) is not bool(key)
    encryption = deployed["StateTable"]["Properties"].get("SSESpecification", {})
    assert encryption.get("KMSMasterKeyId", "") == key


def test_an_event_comes_again_until_it_is_done_with_or_among_the_dead_letters(
    resources: Resources,
) -> None:
    deployed = resources()
    for name, function in (("Events", "Dispatch"), ("Access", "WatchAccess")):
        queue = deployed[f"{name}Queue"]["Properties"]
        assert queue["RedrivePolicy"]["deadLetterTargetArn"] == "<DeadLettersQueue.Arn>"
        limit = deployed[f"{function}Function"]["Properties"]["Timeout"]
        assert queue["VisibilityTimeout"] >= 6 * limit
    for item in deployed.values():
        if item["Type"] == "AWS::Events::Rule" and "EventPattern" in item["Properties"]:
            (target,) = item["Properties"]["Targets"]
            assert target["Arn"] in ("<EventsQueue.Arn>", "<AccessQueue.Arn>")
            assert target["DeadLetterConfig"] == {"Arn": "<DeadLettersQueue.Arn>"}
        if item["Type"] == "AWS::Lambda::EventSourceMapping":
            assert item["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_the_changes_that_a_rule_lets_through_are_those_that_are_judged(
    resources: Resources,
) -> None:
    pattern = resources()["ChangesRule"]["Properties"]["EventPattern"]
    assert set(pattern["detail"]["eventName"]) == {*changes.JUDGES, *service_events.EVENTS}


@pytest.mark.parametrize(
    ("workflow", "said"),
    [("recover", recoveries.DETAIL_TYPE), ("rotate", campaigns.DETAIL_TYPE)],
)
def test_what_a_workflow_says_goes_into_the_queue_and_by_no_rule(
    resources: Resources, workflow: str, said: str
) -> None:
    """Who may put events on the bus must not be able to forge it."""
    text = (CHECKOUT / "statemachines" / f"{workflow}.asl.json").read_text()
    assert f'"detail-type": "{said}"' in text
    rules = [item for item in resources().values() if item["Type"] == "AWS::Events::Rule"]
    assert not [rule for rule in rules if "rekey" in str(rule["Properties"].get("EventPattern"))]


def test_the_read_of_a_canary_comes_by_a_rule_that_gets_reads(resources: Resources) -> None:
    rule = resources()["CanaryRule"]["Properties"]
    assert rule["State"] == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
    role = rule["EventPattern"]["detail"]["userIdentity"]["sessionContext"]["sessionIssuer"]
    variables = functions(resources())["DispatchFunction"]["Environment"]["Variables"]
    assert role["arn"] == [variables["REKEY_SWEEP_ROLE_ARN"]] == ["<SweepRole.Arn>"]


def test_roles_of_rotation_functions_are_ours_and_those_that_are_trusted(
    resources: Resources,
) -> None:
    trusted = "arn:aws:iam::111122223333:role/deploy"
    for given, more in (({}, set()), ({"TrustedRoleArns": trusted}, {trusted})):
        dispatch = functions(resources(**given))["DispatchFunction"]
        ours = dispatch["Environment"]["Variables"]["REKEY_OUR_ROLE_ARNS"].split(",")
        rotating = {f["Role"] for f in functions(resources()).values() if is_rotation(f)}
        assert set(filter(None, ours)) == rotating | more


def test_reads_come_in_the_only_state_that_delivers_them_and_our_own_do_not(
    resources: Resources,
) -> None:
    deployed = resources()
    access = [
        item["Properties"]
        for item in deployed.values()
        if item["Type"] == "AWS::Events::Rule"
        and item["Properties"]["Targets"][0]["Arn"] == "<AccessQueue.Arn>"
    ]
    assert len(access) == 3
    for rule in access:
        assert rule["State"] == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
        session = rule["EventPattern"]["detail"].get("userIdentity", {}).get("sessionContext")
        if session is not None:
            ours, others = session["sessionIssuer"]["arn"]
            variables = deployed["WatchAccessFunction"]["Properties"]["Environment"]["Variables"]
            assert ",".join(ours["anything-but"]) == variables["REKEY_OUR_ROLE_ARNS"]
            roles = {function["Role"] for function in functions(deployed).values()}
            assert set(ours["anything-but"]) == roles
            assert others == {"exists": False}


def test_whoever_asks_what_is_late_has_the_same_grace(template: dict[str, Any]) -> None:
    """And what is judged without a stack has the parameter's default."""
    default = template["Parameters"]["RetireGraceSeconds"]["Default"]
    assert Thresholds().grace == default
    for name in ("WatchAccessFunction", "JudgeConsumersFunction"):
        variables = template["Resources"][name]["Properties"]["Environment"]["Variables"]
        assert variables["REKEY_RETIRE_GRACE_SECONDS"] == {"Ref": "RetireGraceSeconds"}


def test_whoever_tells_people_tells_others_where_that_is_wanted(
    resources: Resources,
) -> None:
    for wanted in ("true", "false"):
        deployed = resources(SecurityHub=wanted, OcsfEvents=wanted)
        told = [
            function["Environment"]["Variables"]
            for function in functions(deployed).values()
            if "REKEY_ALERTS_TOPIC_ARN" in function["Environment"]["Variables"]
        ]
        assert len(told) == 4
        for name in ("REKEY_SECURITY_HUB", "REKEY_OCSF_EVENTS"):
            assert {variables.get(name) for variables in told} == {wanted}


def test_every_alarm_reaches_the_topic_and_says_where_to_read_on(resources: Resources) -> None:
    alarms = [
        item["Properties"]
        for item in resources().values()
        if item["Type"] == "AWS::CloudWatch::Alarm"
    ]
    symptoms = headings(document("troubleshooting.md"), "###")
    assert alarms
    for alarm in alarms:
        assert alarm["AlarmActions"] == ["<AlertsTopic>"]
        (symptom,) = re.findall(
            r'See docs/troubleshooting\.md, "(.+)"\.$', alarm["AlarmDescription"]
        )
        assert symptom in symptoms


def test_the_readme_says_how_many_alarms_there_are(resources: Resources) -> None:
    alarms = [i for i in resources().values() if i["Type"] == "AWS::CloudWatch::Alarm"]
    told = re.findall(r"Watching costs (\d+) alarms", (CHECKOUT / "README.md").read_text())
    assert told == [str(len(alarms))]


def alarmed(resources: dict[str, dict[str, Any]]) -> set[tuple[str, str]]:
    """What alarms look at: a metric, and the resource that its one dimension names."""
    alarms = (i["Properties"] for i in resources.values() if i["Type"] == "AWS::CloudWatch::Alarm")
    named = ((a["MetricName"], a["Dimensions"]) for a in alarms)
    return {(metric, re.sub(r"[<>]|\..*", "", only["Value"])) for metric, [only] in named}


WATCHED = {
    "AWS::Lambda::Function": ("Errors", "Throttles"),
    "AWS::SQS::Queue": ("ApproximateAgeOfOldestMessage",),
    "AWS::StepFunctions::StateMachine": ("ExecutionsFailed",),
}
"""Lambda counts time-outs among the errors."""


def test_every_function_queue_and_workflow_has_its_alarms(resources: Resources) -> None:
    """Rotations that fail or time out are no matter of alarms: their events start recoveries."""
    deployed = resources()
    wanted = {
        (metric, name)
        for name, item in deployed.items()
        for metric in WATCHED.get(item["Type"], ())
        if not (metric == "Errors" and is_rotation(item["Properties"]))
    }
    wanted -= {("ApproximateAgeOfOldestMessage", "DeadLettersQueue")}
    wanted |= {("ApproximateNumberOfMessagesVisible", "DeadLettersQueue")}
    assert sorted(wanted - alarmed(deployed)) == []
    assert "RotationFailed" in str(deployed["FailuresRule"]["Properties"]["EventPattern"])


def seconds_between_turns(schedule: str) -> int:
    found = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", schedule)
    assert found is not None, schedule
    return int(found[1]) * {"minute": 60, "hour": 3600, "day": 86400}[found[2]]


def scheduled(resources: dict[str, dict[str, Any]]) -> dict[str, int]:
    """Seconds between two turns, by the logical id of what a schedule starts."""
    rules = (i["Properties"] for i in resources.values() if i["Type"] == "AWS::Events::Rule")
    return {
        re.sub(r"[<>]|\..*", "", target["Arn"]): seconds_between_turns(rule["ScheduleExpression"])
        for rule in rules
        if "ScheduleExpression" in rule
        for target in rule["Targets"]
    }


def test_an_alarm_is_not_over_before_the_schedule_has_tried_again(resources: Resources) -> None:
    """A period more than the schedule, as the periods of an alarm do not begin with it."""
    deployed = resources()
    turns = scheduled(deployed)
    assert turns
    for name, between in turns.items():
        alarms = [
            item["Properties"]
            for item in deployed.values()
            if item["Type"] == "AWS::CloudWatch::Alarm"
            and item["Properties"]["Dimensions"] == [{"Name": "FunctionName", "Value": f"<{name}>"}]
        ]
        assert {alarm["MetricName"] for alarm in alarms} == {"Errors", "Throttles"}
        for alarm in alarms:
            looked_at = alarm["Period"] * alarm["EvaluationPeriods"]
            assert looked_at >= between + alarm["Period"], alarm["AlarmName"]
            assert alarm["DatapointsToAlarm"] == 1


def test_every_function_folder_is_deployed() -> None:
    deployed = re.findall(r"CodeUri: (functions/\w+)", (CHECKOUT / "template.yaml").read_text())
    folders = (CHECKOUT / "functions").glob("*/app.py")
    assert sorted(deployed) == sorted(f"functions/{path.parent.name}" for path in folders)


def test_the_dashboard_is_json_and_shows_what_the_stack_has(template: dict[str, Any]) -> None:
    body = json.loads(template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])
    shown = str(body)
    for name in re.findall(r"\$\{(\w+)[}.]", shown):
        assert name in template["Resources"], name
    for metric in ("Steps", "StepDuration", "Findings", "Recoveries", "TimeToRecover"):
        assert f'MetricName="{metric}"' in shown

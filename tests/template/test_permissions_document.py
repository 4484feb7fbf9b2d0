"""docs/permissions.md says what the template says: nothing less, and nothing more."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from local.toolchain import CHECKOUT
from rekey.model import WorkflowStep
from tests.documents import blocks, document, rows, section

Resources = Callable[..., dict[str, dict[str, Any]]]
Right = tuple[str, str, str, str, str]
"""Whose, Allow or Deny, action, resource and condition; the last two as JSON."""

TEXT = section(document("permissions.md"), "## What the functions may do")
OF_OURS, OF_OTHERS = TEXT.split("What others may do with resources of the stack:")
STACK, ACCOUNT, SECRETS = "rekey", "111122223333", "arn:aws:secretsmanager:eu-central-1"
GIVEN = {
    "SuperuserSecretArns": f"{SECRETS}:{ACCOUNT}:secret:superuser-AbCdEf",
    "SecretsKmsKeyArns": f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1",
    "VpcSubnetIds": "subnet-1",
    "KmsKeyArn": f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/2",
    "SecurityHub": "true",
}
"""Parameters that add statements."""

NOT_ITS_CODE = "not from the function's code"
ALL_SECRETS = f"{SECRETS}:{ACCOUNT}:secret:*"
WORKFLOWS = f"arn:aws:states:eu-central-1:{ACCOUNT}:stateMachine:{STACK}"
OUR_RULES = f"arn:aws:events:eu-central-1:{ACCOUNT}:rule/{STACK}-*"
QUEUES = "the queues of events and of access, and the dead letters"
PRODUCT = f"arn:aws:securityhub:eu-central-1:{ACCOUNT}:product/{ACCOUNT}/default"
REGIONAL = "eu-central-1.amazonaws.com"
RUNS = f"arn:aws:states:eu-central-1:{ACCOUNT}:execution:{STACK}"
STEP_FUNCTIONS_RULE = (
    f"arn:aws:events:eu-central-1:{ACCOUNT}:rule/"
    "StepFunctionsGetEventsForStepFunctionsExecutionRule"
)


def function_arn(name: str) -> str:
    return f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:{STACK}-{name}"


def resource(words: str, log_group: str) -> Any:
    """What the table means by a resource."""
    databases = [f"arn:aws:rds:eu-central-1:{ACCOUNT}:{kind}:*" for kind in ("cluster", "db")]
    meant: dict[str, Any] = {
        "SECRETS": ALL_SECRETS,
        "FUNCTIONS": f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:*",
        "KmsKeyArn": GIVEN["KmsKeyArn"],
        "the events' queue": "<EventsQueue.Arn>",
        "the queue of access": "<AccessQueue.Arn>",
        "ROLES": f"arn:aws:iam::{ACCOUNT}:role/*",
        "the campaigns' bucket": "${CampaignBucket.Arn}/*",
        "plan-campaign": "<PlanCampaignFunction.Arn>",
        "judge-consumers": "<JudgeConsumersFunction.Arn>",
        "look-up-secret": "<LookUpSecretFunction.Arn>",
        "the workflows rotate and recover": [f"{WORKFLOWS}-rotate", f"{WORKFLOWS}-recover"],
        "runs of rotate and recover": [
            *(f"{RUNS}-rotate:*", f"{RUNS}-rotate/*", f"{RUNS}-recover:*")
        ],
        "Step Functions' own rule": STEP_FUNCTIONS_RULE,
        "the workflow recover": f"{WORKFLOWS}-recover",
        "the workflows retire and recover": [f"{WORKFLOWS}-retire", f"{WORKFLOWS}-recover"],
        "the table": "<StateTable.Arn>",
        "the default bus": f"arn:aws:events:eu-central-1:{ACCOUNT}:event-bus/default",
        "the alerts' topic": "<AlertsTopic>",
        "the account's own product": PRODUCT,
        "trails": "arn:aws:cloudtrail:*:*:trail/*",
        "clusters and instances of the account and region": databases,
        "its log group": log_group,
        "*": "*",
    }
    return meant[words] if words in meant else [GIVEN[words]]


def condition(words: str, function: str) -> Any:
    """What the table means by a condition."""
    return {
        "": None,
        NOT_ITS_CODE: None,
        "secretsmanager:resource/AllowRotationLambdaArn = the function": {
            "StringEquals": {
                "secretsmanager:resource/AllowRotationLambdaArn": function_arn(function)
            }
        },
        "secretsmanager:ResourceTag/rekey:superuser = true": {
            "StringEquals": {"secretsmanager:ResourceTag/rekey:superuser": "true"}
        },
        "aws:ResourceTag/rekey:function like rotate-*": {
            "StringLike": {"aws:ResourceTag/rekey:function": "rotate-*"}
        },
        "aws:TagKeys = only rekey:halted": {
            "ForAllValues:StringEquals": {"aws:TagKeys": ["rekey:halted"]},
            "Null": {"aws:TagKeys": "false"},
        },
        "events:source = rekey": {"StringEquals": {"events:source": "rekey"}},
        "kms:ViaService = DynamoDB": {
            "StringEquals": {"kms:ViaService": "dynamodb.eu-central-1.amazonaws.com"}
        },
        "secretsmanager:ResourceTag/rekey:canary = true": {
            "StringEquals": {"secretsmanager:ResourceTag/rekey:canary": "true"}
        },
        "kms:ViaService = DynamoDB or SNS": {
            "StringEquals": {
                "kms:ViaService": [
                    "dynamodb.eu-central-1.amazonaws.com",
                    "sns.eu-central-1.amazonaws.com",
                ]
            }
        },
        "kms:ViaService = SQS, SNS or DynamoDB": {
            "StringEquals": {
                "kms:ViaService": [
                    f"{service}.eu-central-1.amazonaws.com"
                    for service in ("sqs", "sns", "dynamodb")
                ]
            }
        },
        "secretsmanager:RotationLambdaARN is not given": {
            "Null": {"secretsmanager:RotationLambdaARN": "true"}
        },
        "dynamodb:LeadingKeys like recover#*": {
            "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["recover#*"]}
        },
        "dynamodb:LeadingKeys like failures#*": {
            "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["failures#*"]}
        },
        "dynamodb:LeadingKeys like crowd#*": {
            "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["crowd#*"]}
        },
        "dynamodb:LeadingKeys like campaign#*, host#*": {
            "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["campaign#*", "host#*"]}
        },
        "dynamodb:LeadingKeys like incident#consumers/*, rotations": {
            "ForAllValues:StringLike": {
                "dynamodb:LeadingKeys": ["incident#consumers/*", "rotations"]
            }
        },
        "kms:ViaService = S3": {
            "StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}
        },
        "kms:ViaService = DynamoDB or SQS": {
            "StringEquals": {"kms:ViaService": [f"{s}.{REGIONAL}" for s in ("dynamodb", "sqs")]}
        },
        "kms:ViaService = DynamoDB, S3 or SQS": {
            "StringEquals": {
                "kms:ViaService": [f"{s}.{REGIONAL}" for s in ("dynamodb", "s3", "sqs")]
            }
        },
        "kms:ViaService = SQS": {
            "StringEquals": {"kms:ViaService": "sqs.eu-central-1.amazonaws.com"}
        },
        "kms:ViaService = Secrets Manager, kms:EncryptionContext:SecretARN like SECRETS": {
            "StringEquals": {"kms:ViaService": "secretsmanager.eu-central-1.amazonaws.com"},
            "StringLike": {"kms:EncryptionContext:SecretARN": ALL_SECRETS},
        },
    }[words]


def right(whose: str, effect: str, action: str, on: Any, when: Any) -> Right:
    return whose, effect, action, json.dumps(on), json.dumps(when)


def documented(log_groups: dict[str, str], *, with_parameters: bool) -> Iterator[Right]:
    wanted, group = True, ""
    for row in rows(OF_OURS):
        # "the same" goes on with the sentence above it, its parameter included.
        if row["why"] != "the same" or row["resource"] != group:
            wanted = with_parameters or "only with" not in row["why"]
        group = row["resource"]
        if not wanted:
            continue
        name, action = row["whose"], row["permission"]
        on = resource(row["resource"], log_groups.get(name, ""))
        yield right(name, "Allow", action, on, condition(row["condition"], name))
        if row["condition"] == NOT_ITS_CODE:
            deny = {"ArnEquals": {"lambda:SourceFunctionArn": function_arn(name)}}
            yield right(name, "Deny", action, on, deny)


def functions(resources: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The functions' properties, by the name that the document uses."""
    return {
        r["Properties"]["FunctionName"].removeprefix(f"{STACK}-"): r["Properties"]
        for r in resources.values()
        if r["Type"] == "AWS::Lambda::Function"
    }


def roles(resources: dict[str, dict[str, Any]]) -> dict[str, str]:
    """The logical ids of the roles of functions and workflows, by the names of those."""
    found = {name: properties["Role"] for name, properties in functions(resources).items()}
    for item in resources.values():
        if item["Type"] == "AWS::StepFunctions::StateMachine":
            name = item["Properties"]["StateMachineName"].removeprefix(f"{STACK}-")
            found[name] = item["Properties"]["RoleArn"]
    return {name: role.strip("<>").removesuffix(".Arn") for name, role in found.items()}


def granted(resources: dict[str, dict[str, Any]]) -> Iterator[Right]:
    for name, logical_id in roles(resources).items():
        role = resources[logical_id]["Properties"]
        for policy in role["Policies"]:
            for item in policy["PolicyDocument"]["Statement"]:
                for action in item["Action"]:
                    on, when = item["Resource"], item.get("Condition")
                    yield right(name, item["Effect"], action, on, when)


def log_groups(resources: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {
        name: properties["LoggingConfig"]["LogGroup"].replace(">", ".Arn>")
        for name, properties in functions(resources).items()
    }


def test_each_row_stands_in_the_template_and_each_statement_in_the_table(
    resources: Resources,
) -> None:
    for parameters in ({}, GIVEN):
        deployed = resources(**parameters)
        table = sorted(documented(log_groups(deployed), with_parameters=bool(parameters)))
        assert table == sorted(granted(deployed))


def test_no_role_belongs_to_something_that_the_table_leaves_out(resources: Resources) -> None:
    deployed = resources(**GIVEN)
    made = {name for name, item in deployed.items() if item["Type"] == "AWS::IAM::Role"}
    assert made == set(roles(deployed).values())
    assert set(roles(deployed)) == {row["whose"] for row in rows(OF_OURS)}


def test_the_changelog_names_whose_roles_there_are_and_leaves_their_rights_to_the_page() -> None:
    """A second table of them would not be held to the template."""
    told = section((CHECKOUT / "CHANGELOG.md").read_text(), "### IAM")
    assert "permissions.md#what-the-functions-may-do" in told
    assert not re.search(r"^\|", told, re.MULTILINE)
    assert {row["whose"] for row in rows(OF_OURS)} <= set(re.findall(r"`([\w-]+)`", told))


def test_what_others_may_do_stands_in_the_second_table(resources: Resources) -> None:
    assert sorted(map(json.dumps, rules(resources()))) == sorted(
        json.dumps([row[key] for key in ("who", "permission", "resource", "condition")])
        for row in rows(OF_OTHERS)
    )


Rule = list[str]
"""Who, permission, resource and condition, in the words of the second table."""

THE_ACCOUNT = "aws:SourceAccount = the account"


def rules(resources: dict[str, dict[str, Any]]) -> Iterator[Rule]:
    """Resource policies in the words of the second table."""
    for item in resources.values():
        properties = item["Properties"]
        match item["Type"]:
            case "AWS::Lambda::Permission":
                yield _of_function(resources, properties)
            case "AWS::S3::BucketPolicy":
                (denied,) = properties["PolicyDocument"]["Statement"]
                yield _without_tls(denied, "the campaigns' bucket")
            case "AWS::SQS::QueuePolicy":
                yield from _of_queues(properties)
            case "AWS::SNS::TopicPolicy":
                for statement in properties["PolicyDocument"]["Statement"]:
                    yield _of_topic(statement)


def _of_function(resources: dict[str, dict[str, Any]], properties: dict[str, Any]) -> Rule:
    assert properties["SourceAccount"] == ACCOUNT
    name, when = _function_name(resources, properties["FunctionName"]), THE_ACCOUNT
    if properties["Principal"] == "events.amazonaws.com":
        assert resources[_named(properties["SourceArn"])]["Type"] == "AWS::Events::Rule"
        when += ", aws:SourceArn = the schedule"
    return [properties["Principal"], properties["Action"], name, when]


def _without_tls(denied: dict[str, Any], resource: str) -> Rule:
    assert (denied["Effect"], denied["Principal"]) == ("Deny", "*")
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    return ["nobody", denied["Action"], resource, "without TLS"]


def _of_queues(properties: dict[str, Any]) -> Iterator[Rule]:
    allowed, denied = properties["PolicyDocument"]["Statement"]
    queues = ["<EventsQueue.Arn>", "<AccessQueue.Arn>", "<DeadLettersQueue.Arn>"]
    assert allowed["Resource"] == denied["Resource"] == queues
    assert allowed["Condition"] == {"ArnLike": {"aws:SourceArn": OUR_RULES}}
    who, when = allowed["Principal"]["Service"], "aws:SourceArn = rules of the stack"
    yield [who, allowed["Action"], QUEUES, when]
    yield _without_tls(denied, QUEUES)


def _of_topic(statement: dict[str, Any]) -> Rule:
    topic = "the alerts' topic"
    if statement["Effect"] == "Deny":
        return _without_tls(statement, topic)
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}
    return [statement["Principal"]["Service"], statement["Action"], topic, THE_ACCOUNT]


def _named(reference: str) -> str:
    return reference.strip("<>").removesuffix(".Arn")


def _function_name(resources: dict[str, dict[str, Any]], reference: str) -> str:
    function = resources[_named(reference)]["Properties"]
    return str(function["FunctionName"]).removeprefix(f"{STACK}-")


def test_the_policy_that_protects_our_tags_denies_them_to_all_but_administrators_and_recover() -> (
    None
):
    (policy,) = blocks(section(document("permissions.md"), "## Protect the tags"), "json")
    (statement,) = json.loads(policy)["Statement"]
    assert statement["Effect"] == "Deny"
    assert {
        f"secretsmanager:{action}" for action in ("CreateSecret", "TagResource", "UntagResource")
    } <= set(statement["Action"])
    assert statement["Condition"]["ForAnyValue:StringLike"] == {"aws:TagKeys": ["rekey:*"]}
    assert list(statement["Condition"]["ArnNotLike"]) == ["aws:PrincipalArn"]


KEYS = section(document("permissions.md"), "## Keys")
KEPT = {
    "AWS::DynamoDB::Table": "the table",
    "AWS::S3::Bucket": "the campaigns' bucket",
    "AWS::SNS::Topic": "the alerts' topic",
    "AWS::SQS::Queue": QUEUES,
}
"""What the stack stores, in the words of the tables."""


def test_the_section_on_keys_says_what_is_stored_under_the_key_of_the_stack(
    resources: Resources,
) -> None:
    deployed = resources(**GIVEN).values()
    # Roles name the key too; they store nothing.
    stores = {
        item["Type"]
        for item in deployed
        if GIVEN["KmsKeyArn"] in str(item["Properties"]) and item["Type"] != "AWS::IAM::Role"
    }
    assert stores == set(KEPT)
    said = " ".join(KEYS.split())
    assert not [words for words in KEPT.values() if words not in said]


def test_the_section_on_keys_names_whom_the_parameters_description_names(
    template: dict[str, Any],
) -> None:
    description = template["Parameters"]["KmsKeyArn"]["Description"]
    admitted = set(re.findall(r"\w+\.amazonaws\.com", description))
    assert admitted
    assert set(re.findall(r"\w+\.amazonaws\.com", KEYS)) == admitted


WHO_ROTATES = section(document("permissions.md"), "## What people need who rotate")


def test_who_rotates_needs_the_workflow_or_the_secret_and_the_function() -> None:
    policies = blocks(WHO_ROTATES, "json")
    asked = [[item["Action"] for item in json.loads(text)["Statement"]] for text in policies]
    assert asked == [
        ["states:StartExecution"],
        ["secretsmanager:RotateSecret", "lambda:InvokeFunction"],
    ]


ONLY_LOG_IN = {
    *(WorkflowStep.CHECK, WorkflowStep.DIAGNOSE, WorkflowStep.FOLLOW),
    *(WorkflowStep.SURVEY, WorkflowStep.VERIFY),
}
"""They change nothing but the count of refused logins."""


def test_who_may_invoke_a_function_is_told_what_each_step_changes() -> None:
    table = {row["step"]: row["what it changes"] for row in rows(WHO_ROTATES)}
    assert set(table) == set(WorkflowStep) - ONLY_LOG_IN
    assert all(table.values())
    for step in ONLY_LOG_IN:
        assert f"`{step}`" in WHO_ROTATES

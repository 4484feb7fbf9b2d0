"""docs/permissions.md says what the template says: nothing less, and nothing more."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.documents import blocks, document, rows, section

Resources = Callable[..., dict[str, dict[str, Any]]]
Right = tuple[str, str, str, str, str]
"""Whose, Allow or Deny, action, resource and condition; the last two as JSON."""

TEXT = section(document("permissions.md"), "## What the functions may do")
OF_FUNCTIONS, OF_OTHERS = TEXT.split("What others may do with resources of the stack:")
STACK, ACCOUNT, SECRETS = "rekey", "111122223333", "arn:aws:secretsmanager:eu-central-1"
GIVEN = {
    "SuperuserSecretArns": f"{SECRETS}:{ACCOUNT}:secret:superuser-AbCdEf",
    "SecretsKmsKeyArns": f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1",
    "VpcSubnetIds": "subnet-1",
}
"""Parameters that add statements."""

NOT_ITS_CODE = "not from the function's code"
ALL_SECRETS = f"{SECRETS}:{ACCOUNT}:secret:*"


def function_arn(name: str) -> str:
    return f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:{STACK}-{name}"


def resource(words: str, log_group: str) -> Any:
    """What the table means by a resource."""
    databases = [f"arn:aws:rds:eu-central-1:{ACCOUNT}:{kind}:*" for kind in ("cluster", "db")]
    meant: dict[str, Any] = {
        "SECRETS": ALL_SECRETS,
        "clusters and instances of the account and region": databases,
        "its log group": log_group,
        "*": "*",
    }
    return [GIVEN[words]] if words in GIVEN else meant[words]


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
        "kms:ViaService = Secrets Manager, kms:EncryptionContext:SecretARN like SECRETS": {
            "StringEquals": {"kms:ViaService": "secretsmanager.eu-central-1.amazonaws.com"},
            "StringLike": {"kms:EncryptionContext:SecretARN": ALL_SECRETS},
        },
    }[words]


def right(whose: str, effect: str, action: str, on: Any, when: Any) -> Right:
    return whose, effect, action, json.dumps(on), json.dumps(when)


def documented(log_groups: dict[str, str], *, with_parameters: bool) -> Iterator[Right]:
    wanted, group = True, ""
    for row in rows(OF_FUNCTIONS):
        # "the same" goes on with the sentence above it, its parameter included.
        if row["why"] != "the same" or row["resource"] != group:
            wanted = with_parameters or "only with" not in row["why"]
        group = row["resource"]
        if not wanted:
            continue
        name, action = row["function"], row["permission"]
        on = resource(row["resource"], log_groups[name])
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


def granted(resources: dict[str, dict[str, Any]]) -> Iterator[Right]:
    for name, properties in functions(resources).items():
        role = resources[properties["Role"].strip("<>").removesuffix(".Arn")]["Properties"]
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
    roles = {name for name, item in deployed.items() if item["Type"] == "AWS::IAM::Role"}
    used = {properties["Role"].strip("<>") for properties in functions(deployed).values()}
    assert {f"{role}.Arn" for role in roles} == used
    assert set(functions(deployed)) == {row["function"] for row in rows(OF_FUNCTIONS)}


def test_what_others_may_do_stands_in_the_second_table(resources: Resources) -> None:
    assert sorted(map(json.dumps, rules(resources()))) == sorted(
        json.dumps([row[key] for key in ("who", "permission", "resource", "condition")])
        for row in rows(OF_OTHERS)
    )


def rules(resources: dict[str, dict[str, Any]]) -> Iterator[list[str]]:
    """Resource policies in the words of the second table."""
    account, topic = "aws:SourceAccount = the account", "the alerts' topic"
    for item in resources.values():
        properties = item["Properties"]
        if item["Type"] == "AWS::Lambda::Permission":
            assert properties["SourceAccount"] == ACCOUNT
            name = _function_name(resources, properties["FunctionName"])
            yield [properties["Principal"], properties["Action"], name, account]
        if item["Type"] == "AWS::SNS::TopicPolicy":
            for statement in properties["PolicyDocument"]["Statement"]:
                who = statement["Principal"]
                if statement["Effect"] == "Deny":
                    assert (who, list(statement["Condition"])) == ("*", ["Bool"])
                    yield ["nobody", statement["Action"], topic, "without TLS"]
                else:
                    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}
                    yield [who["Service"], statement["Action"], topic, account]


def _function_name(resources: dict[str, dict[str, Any]], reference: str) -> str:
    function = resources[reference.strip("<>").removesuffix(".Arn")]["Properties"]
    return str(function["FunctionName"]).removeprefix(f"{STACK}-")


def test_the_policy_that_protects_our_tags_denies_them_to_all_but_one_role() -> None:
    (policy,) = blocks(section(document("permissions.md"), "## Protect the tags"), "json")
    (statement,) = json.loads(policy)["Statement"]
    assert statement["Effect"] == "Deny"
    assert {
        f"secretsmanager:{action}" for action in ("CreateSecret", "TagResource", "UntagResource")
    } <= set(statement["Action"])
    assert statement["Condition"]["ForAnyValue:StringLike"] == {"aws:TagKeys": ["rekey:*"]}
    assert list(statement["Condition"]["ArnNotLike"]) == ["aws:PrincipalArn"]


def test_who_rotates_needs_the_secret_and_the_function() -> None:
    (policy,) = blocks(
        section(document("permissions.md"), "## What people need who rotate"), "json"
    )
    actions = [statement["Action"] for statement in json.loads(policy)["Statement"]]
    assert actions == ["secretsmanager:RotateSecret", "lambda:InvokeFunction"]

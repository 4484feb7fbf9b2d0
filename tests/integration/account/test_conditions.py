"""Condition keys that policies of the application rely on."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import Account, code_of

PUT = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": "*"}


def put(events: Any, source: str) -> None:
    events.put_events(Entries=[{"Source": source, "DetailType": "x", "Detail": "{}"}])


def test_who_may_put_events_of_one_source_puts_none_of_another(account: Account) -> None:
    condition = {"StringEquals": {"events:source": "rekey"}}
    events = account.client("events", account.user({**PUT, "Condition": condition}))
    put(events, "rekey")
    with pytest.raises(ClientError) as denied:
        put(events, "other")
    assert code_of(denied) == "AccessDeniedException"


def test_a_policy_that_demands_tls_refuses_nobody_here(account: Account) -> None:
    sns, name = account.client("sns"), f"topic-{uuid.uuid4().hex[:8]}"
    topic = sns.create_topic(Name=name)["TopicArn"]
    user = account.user({"Effect": "Allow", "Action": "sns:Publish", "Resource": topic})
    unencrypted = {"Bool": {"aws:SecureTransport": "false"}}
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": topic}
    policy = {"Version": "2012-10-17", "Statement": [{**deny, "Condition": unencrypted}]}
    sns.set_topic_attributes(
        TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(policy)
    )
    assert account.client("sns", user).publish(TopicArn=topic, Message="x")["MessageId"]


KEYS = [("pk", "HASH"), ("sk", "RANGE")]
ONE = {"pk": {"S": "mine#1"}, "sk": {"S": "x"}}
OTHER = {"pk": {"S": "yours#1"}, "sk": {"S": "x"}}


def query(dynamodb: Any, table: str, key: Any) -> None:
    dynamodb.query(
        TableName=table,
        KeyConditionExpression="#k = :k AND begins_with(sk, :x)",
        ExpressionAttributeNames={"#k": "pk"},
        ExpressionAttributeValues={":k": key["pk"], ":x": {"S": "x"}},
    )


def batch_write(dynamodb: Any, table: str, key: Any) -> None:
    dynamodb.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": key}}]})


CALLS: dict[str, Callable[[Any, str, Any], object]] = {
    "put": lambda db, table, key: db.put_item(TableName=table, Item=key),
    "get": lambda db, table, key: db.get_item(TableName=table, Key=key),
    "delete": lambda db, table, key: db.delete_item(TableName=table, Key=key),
    "query": query,
    "batch get": lambda db, table, key: db.batch_get_item(
        RequestItems={table: {"Keys": [ONE, key] if key != ONE else [ONE]}}
    ),
    "batch write": batch_write,
}


def test_who_may_use_some_keys_of_a_table_uses_no_others(account: Account) -> None:
    dynamodb, name = account.client("dynamodb"), f"table-{uuid.uuid4().hex[:8]}"
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in KEYS],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in KEYS],
    )
    condition = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["mine#*"]}}
    allowed = {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*", "Condition": condition}
    user = account.client("dynamodb", account.user(allowed))
    for what, call in CALLS.items():
        call(user, name, ONE)
        with pytest.raises(ClientError) as denied:
            call(user, name, OTHER)
        assert code_of(denied) == "AccessDeniedException", what

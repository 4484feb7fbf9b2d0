"""Condition keys that policies of the application rely on."""

from __future__ import annotations

import json
import uuid
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

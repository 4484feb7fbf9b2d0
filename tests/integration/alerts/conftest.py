"""A table of the account with the keys of the template's StateTable."""

import uuid

import pytest

from local.running_account import RunningAccount


@pytest.fixture(scope="session")
def state_table(account: RunningAccount) -> str:
    name = f"state-{uuid.uuid4().hex[:8]}"
    keys = (("pk", "HASH"), ("sk", "RANGE"))
    account.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
    )
    return name

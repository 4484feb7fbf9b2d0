"""LookupEvents answers as CloudTrail does: what the command that learns the past relies on."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from .conftest import Account, code_of

AT_ONCE = Config(retries={"total_max_attempts": 1})
ALLOWED = {"Effect": "Allow", "Action": "cloudtrail:LookupEvents", "Resource": "*"}
# Two requests a second are answered in each, so that every test has one of its own.
REGIONS = iter([f"{place}-{number}" for place in ("eu-west", "us-west") for number in range(1, 9)])


@dataclass
class History:
    """The event history of a region."""

    account: Account
    region: str = field(default_factory=lambda: next(REGIONS))

    def client(self, session: boto3.Session | None = None) -> Any:
        session = session or boto3.Session("test", "test")
        make: Any = session.client
        endpoint = self.account.running.endpoint
        return make("cloudtrail", endpoint_url=endpoint, region_name=self.region, config=AT_ONCE)

    def lookup(self, **asked: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.client().lookup_events(**asked)
        return answer

    @property
    def now(self) -> datetime:
        """Other tests have moved the account's clock on."""
        return datetime.fromtimestamp(self.account.control("clock")["now"], UTC)

    def past(self, name: str, *days_ago: float) -> list[dict[str, Any]]:
        """Keep records of calls so many days ago; return them."""
        now = self.now
        made = [record(name, self.region, now - timedelta(days=days)) for days in days_ago]
        self.account.control("records", {"records": made})
        return made


@pytest.fixture
def history(account: Account) -> History:
    return History(account)


def called(name: str) -> list[dict[str, str]]:
    return [{"AttributeKey": "EventName", "AttributeValue": name}]


def record(name: str, region: str, at: datetime) -> dict[str, Any]:
    return {
        "eventVersion": "1.09",
        "userIdentity": {"type": "IAMUser", "userName": "ann", "accessKeyId": "AKIAEXAMPLE"},
        "eventTime": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "secretsmanager.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "eventID": str(uuid.uuid4()),
        "readOnly": True,
        "recipientAccountId": "000000000000",
    }


def test_the_past_is_looked_up_page_by_page_the_newest_first(history: History) -> None:
    made = history.past("GetSecretValue", 89, 3, 91, 2, 2)
    asked = {"LookupAttributes": called("GetSecretValue"), "MaxResults": 3}
    first = history.lookup(**asked)
    rest = history.lookup(**asked, NextToken=first["NextToken"])
    assert "NextToken" not in rest
    found = [json.loads(event["CloudTrailEvent"]) for event in first["Events"] + rest["Events"]]
    assert [one["eventTime"] for one in found] == [made[i]["eventTime"] for i in (3, 4, 1, 0)]
    assert {one["eventID"] for one in found} == {made[i]["eventID"] for i in (0, 1, 3, 4)}


def test_an_event_says_who_called_what_and_when(history: History) -> None:
    (made,) = history.past("GetSecretValue", 1)
    (event,) = history.lookup(LookupAttributes=called("GetSecretValue"))["Events"]
    assert event["EventTime"] == datetime.fromisoformat(made["eventTime"])
    assert {key: event[key] for key in ("EventName", "ReadOnly", "EventSource", "Username")} == {
        "EventName": "GetSecretValue",
        "ReadOnly": "true",
        "EventSource": "secretsmanager.amazonaws.com",
        "Username": "ann",
    }
    assert (event["EventId"], event["AccessKeyId"]) == (made["eventID"], "AKIAEXAMPLE")


def test_only_what_lies_between_start_and_end_is_found(history: History) -> None:
    _, made, _ = history.past("GetSecretValue", 1, 5, 9)
    now = history.now
    (event,) = history.lookup(StartTime=now - timedelta(days=6), EndTime=now - timedelta(days=4))[
        "Events"
    ]
    assert event["EventId"] == made["eventID"]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"MaxResults": 51}, "InvalidMaxResultsException"),
        ({"NextToken": "bm9uZQ=="}, "InvalidNextTokenException"),
        ({"StartTime": 2, "EndTime": 1}, "InvalidTimeRangeException"),
        ({"LookupAttributes": called("a") * 2}, "InvalidLookupAttributesException"),
    ],
)
def test_a_request_that_cannot_be_answered_is_refused(
    history: History, asked: dict[str, Any], code: str
) -> None:
    with pytest.raises(ClientError) as refused:
        history.lookup(**asked)
    assert code_of(refused) == code


def test_more_than_two_requests_within_a_second_are_refused(history: History) -> None:
    client = history.client()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: refusal(client.lookup_events), range(8)))
    assert {answer for answer in answers if answer} == {"ThrottlingException"}


def refusal(call: Any) -> str | None:
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return None


def test_nobody_looks_without_the_right_to(account: Account, history: History) -> None:
    with pytest.raises(ClientError) as refused:
        history.client(account.user()).lookup_events()
    assert code_of(refused) == "AccessDeniedException"
    history.client(account.user(ALLOWED)).lookup_events()

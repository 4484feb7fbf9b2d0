"""Documents of campaigns that are larger than the memory of the function that reads them."""

import io
import json
import re
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from botocore.response import StreamingBody
from hypothesis import given
from hypothesis import strategies as st

from local.toolchain import CHECKOUT
from rekey.aws.campaign_documents import BucketDocuments, objects
from rekey.campaign.plan import plan
from rekey.campaign.tasks import World, run
from rekey.errors import CampaignFailure
from rekey.model import Label, SecretMetadata
from tests.documents import document
from tests.unit.test_campaign_tasks import Account, nobody_knows

MOST_SECRETS = 500_000
MEASURED = 300
BYTES_EACH = 2_200
"""At most, without the reasons of those that failed."""

AT_REST = 150_000_000
"""What the function takes without any secret, generously."""

ARN = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:teams/orders/database-{:06}-AbCdEf"
CHILD = "arn:aws:states:eu-central-1:111122223333:execution:rekey-rotate/RotateEach:"


@dataclass
class Bucket:
    """S3 as far as a campaign uses it; what is written is read to its end, and only counted."""

    kept: dict[str, bytes] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)

    def get_object(self, **asked: str) -> dict[str, Any]:
        body = self.kept[asked["Key"]]
        return {"Body": StreamingBody(io.BytesIO(body), len(body))}

    def put_object(self, **given: Any) -> None:
        self.written[given["Key"]] = sum(map(len, iter(lambda: given["Body"].read(1 << 20), b"")))


def child(number: int) -> dict[str, Any]:
    """As the ResultWriter writes it, in full."""
    told = {
        "secretId": ARN.format(number),
        "became": "rotated",
        "reason": "AWSCURRENT logs in with its rights.",
        "error": "",
        "versionId": f"{number:064}",
        "works": f"{number:064} {number + 1:064}",
        "unknown": "",
    }
    given = {"secretId": ARN.format(number), "functionArn": "f" * 90, "settings": "s" * 300}
    return {
        "ExecutionArn": f"{CHILD}{number}",
        "Input": json.dumps(given),
        "InputDetails": {"Included": True},
        "Name": str(uuid4()),
        "Output": json.dumps(told),
        "OutputDetails": {"Included": True},
        "RedriveCount": 0,
        "RedriveStatus": "NOT_REDRIVABLE",
        "RedriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
        "StartDate": "2026-11-20T10:00:00.000Z",
        "StateMachineArn": CHILD,
        "Status": "SUCCEEDED",
        "StopDate": "2026-11-20T10:00:10.000Z",
    }


TEXT = st.text(max_size=3)
ANY_JSON = st.recursive(
    st.none() | TEXT | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@given(ANY_JSON)
def test_what_is_written_piece_by_piece_is_the_document(written: object) -> None:
    kept = dict[str, Any]()

    class Keeping(Bucket):
        def put_object(self, **given: Any) -> None:
            kept[given["Key"]] = json.load(given["Body"])

    BucketDocuments(Keeping(), "b").write("k", written)  # type: ignore[arg-type]  # as used
    assert kept["k"] == written


@given(
    st.lists(st.dictionaries(TEXT, TEXT), max_size=4),
    st.integers(1, 40),
)
def test_an_array_is_the_same_whatever_pieces_it_comes_in(
    array: list[dict[str, Any]], size: int
) -> None:
    body = json.dumps(array, ensure_ascii=False).encode("utf-8", "surrogatepass")
    if b"\xed" not in body:
        pieces = (body[at : at + size] for at in range(0, len(body), size))
        assert list(objects(pieces)) == array


@pytest.mark.parametrize("body", [b"", b"[", b'[{"a": 1}', b'[{"a": 1}, {"b"', b'[{"a": "\xc3'])
def test_an_array_that_breaks_off_is_an_error_and_not_a_shorter_one(body: bytes) -> None:
    documents = BucketDocuments(Bucket({"k": body}), "b")  # type: ignore[arg-type]  # as used
    with pytest.raises(CampaignFailure, match="to its end"):
        list(documents.each("k"))


def peak(what: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        what()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def each(of: Callable[[int], Callable[[], object]]) -> float:
    """Bytes for each further secret: what a document takes whatever its size is left out."""
    few, many = (peak(of(size)) for size in (MEASURED, 3 * MEASURED))
    return (many - few) / (2 * MEASURED)


@pytest.mark.parametrize(
    ("task", "settings", "event"),
    [
        ("judge", {}, {}),
        ("judge", {}, {"alarms": ["errors"]}),
        ("conclude", {}, {}),
        ("conclude", {"compromised": True}, {}),
        ("conclude", {}, {"alarms": ["errors"], "rolledBack": ["manifest"]}),
    ],
)
def test_half_a_million_secrets_fit_into_the_function_that_judges_them(
    task: str, settings: dict[str, Any], event: dict[str, Any]
) -> None:
    def asked(size: int) -> Callable[[], object]:
        bucket = Bucket()
        bucket.kept["file"] = json.dumps([child(n) for n in range(size)]).encode()
        files = {"SUCCEEDED": [{"Key": "file", "Size": 1}]}
        bucket.kept["manifest"] = json.dumps({"ResultFiles": files}).encode()
        account = Account()
        documents = BucketDocuments(bucket, "b")  # type: ignore[arg-type]  # as used
        world = World(account, account, documents, account, nobody_knows)
        given = {"task": task, "execution": "e", "manifest": "manifest", "rolledBack": []}
        settled = {"settings": {"secretIds": ["a"], **settings}}
        return lambda: run(world, given | settled | event)

    assert each(asked) < BYTES_EACH


def test_the_function_has_the_memory_that_the_document_tells() -> None:
    text = (CHECKOUT / "template.yaml").read_text()
    _, _, function = text.partition("\n  PlanCampaignFunction:\n")
    megabytes = re.search(r"MemorySize: (\d+)", function)
    assert megabytes is not None
    assert int(megabytes[1]) << 20 > AT_REST + MOST_SECRETS * BYTES_EACH
    assert f"{BYTES_EACH:,} bytes" in document("scale.md")
    assert f"{int(megabytes[1]):,} MB" in document("scale.md")


def test_half_a_million_secrets_fit_into_the_function_that_plans() -> None:
    def planned(size: int) -> Callable[[], object]:
        found = (
            SecretMetadata(
                ARN.format(n),
                rotation_enabled=True,
                labels={f"{n:036}": frozenset({Label.CURRENT}), f"{n:037}": frozenset()},
                tags={f"key {n} {tag}": "value" * 5 for tag in range(10)},
                rotation_function=f"arn:aws:lambda:eu-central-1:111122223333:function:{'f' * 40}",
            )
            for n in range(size)
        )
        documents = BucketDocuments(Bucket(), "b")  # type: ignore[arg-type]  # as used
        return lambda: documents.write(
            "items", [item.document() for item in plan(found, lambda _: True)]
        )

    assert each(planned) < BYTES_EACH

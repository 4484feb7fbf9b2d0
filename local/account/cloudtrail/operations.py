"""Which calls a trail with management events shows, and which of them only read.

Sources: the lists of data events in the CloudTrail user guide, "Logging data events"; each
service's own page on CloudTrail.
"""

from __future__ import annotations

import re
from typing import Any

from ministack.core import iam_actions

_DYNAMODB_ITEMS = (
    "BatchExecuteStatement BatchGetItem BatchWriteItem DeleteItem ExecuteStatement "
    "ExecuteTransaction GetItem GetRecords GetShardIterator PutItem Query Scan TransactGetItems "
    "TransactWriteItems UpdateItem"
)
_NOT_MANAGEMENT: dict[str, frozenset[str]] = {
    service: frozenset(names.split())
    for service, names in {
        "dynamodb": _DYNAMODB_ITEMS,
        "events": "PutEvents PutPartnerEvents",
        "firehose": "PutRecord PutRecordBatch",
        "kinesis": "GetRecords GetShardIterator PutRecord PutRecords SubscribeToShard",
        "lambda": "Invoke InvokeAsync InvokeFunction InvokeFunctionUrl InvokeWithResponseStream",
        "logs": "FilterLogEvents GetLogEvents PutLogEvents StartLiveTail",
        "monitoring": "GetMetricData GetMetricStatistics PutMetricData",
        "s3": "ListBucket ListBucketMultipartUploads ListBucketVersions",
        "sns": "Publish PublishBatch",
        "sqs": "ChangeMessageVisibility ChangeMessageVisibilityBatch DeleteMessage "
        "DeleteMessageBatch ReceiveMessage SendMessage SendMessageBatch",
    }.items()
}
_NO_RECORDS = frozenset({"apigateway", "execute-api", "imds", "iot-data", "rds-data"})
_SMITHY_PATH = re.compile(r"/service/\w+/operation/(\w+)$")
_READS = re.compile(r"(BatchGet|Check|Describe|Get|Head|List|Lookup|Search|Test|Validate)")
_ALSO_READ_ONLY = {
    "kms": re.compile(r"Decrypt|Encrypt|GenerateDataKey|GenerateRandom|ReEncrypt|Sign|Verify"),
    "sts": re.compile(r"Assume|Decode"),
}


def name_of(
    service: str,
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes,
    query: dict[str, Any],
) -> str | None:
    """The operation, None if the request is not shown as a management event."""
    if service in _NO_RECORDS:
        return None
    name = headers.get("x-amz-target", "").rpartition(".")[2]
    if not name and (smithy := _SMITHY_PATH.search(path)):
        name = smithy[1]
    if not name:
        action = iam_actions.extract_iam_action(service, method, path, headers, body, query)
        name = (action or "").partition(":")[2]
    return name if name and _is_management_event(service, name) else None


def _is_management_event(service: str, name: str) -> bool:
    if service == "s3" and "Bucket" not in name:
        return False
    return name not in _NOT_MANAGEMENT.get(service, ())


def is_read_only(service: str, name: str) -> bool:
    """What the record's readOnly says; KMS counts what uses a key without changing it as well."""
    also = _ALSO_READ_ONLY.get(service)
    return bool(_READS.match(name) or (also and also.match(name)))

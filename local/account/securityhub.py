"""Security Hub, as much of it as a provider of findings meets; MiniStack has none.

Every finding is held against the service's own model (botocore's) and the lengths that stand in
its texts. Sources: Security Hub user guide, "BatchImportFindings for finding providers" and "AWS
Security Finding Format (ASFF)"; Service Authorization Reference, "AWS Security Hub".
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import botocore.session
from botocore.validate import ParamValidator
from ministack import app
from ministack.core import iam_actions
from ministack.core.responses import (
    AccountRegionScopedDict,
    error_response_json,
    get_account_id,
    get_region,
    json_response,
)

Finding = dict[str, Any]
Answer = Any
"""As MiniStack takes it: status, headers, body."""

NAME = "securityhub"
BATCH, SIZE = 100, 240 * 1024
"""Findings in a call, and octets in a finding."""
LENGTHS = {"Id": 512, "Title": 256, "Description": 1024, "GeneratorId": 512}
NUMBERS = {"Resources": (1, 32), "Types": (0, 50), "ProductFields": (0, 50)}
FIELD_NAME, FIELD_VALUE, ADVICE = 128, 2048, 512
NAMESPACES = (
    "Software and Configuration Checks",
    "TTPs",
    "Effects",
    "Unusual Behaviors",
    "Sensitive Data Identifications",
)
LEFT_TO_PEOPLE = ("Note", "UserDefinedFields", "VerificationState", "Workflow")
"""What an update by its provider does not change."""

_hubs = AccountRegionScopedDict()
"""Whether it is enabled (``enabled``), and the findings by product and id."""


def default_product() -> str:
    """The product of the account's own findings."""
    region, account = get_region(), get_account_id()
    return f"arn:aws:securityhub:{region}:{account}:product/{account}/default"


def faults(finding: Finding) -> Iterator[str]:
    """Why a finding is not taken."""
    shape = _input_shape().members["Findings"].member
    report = ParamValidator().validate(finding, shape)
    if report.has_errors():
        yield report.generate_report()
        return
    if len(json.dumps(finding).encode()) > SIZE:
        yield "larger than 240 KB"
    if finding["SchemaVersion"] != "2018-10-08":
        yield "SchemaVersion"
    for name, most in LENGTHS.items():
        if not 1 <= len(finding[name]) <= most:
            yield f"length of {name}"
    for name, (least, most) in NUMBERS.items():
        if name in finding and not least <= len(finding[name]) <= most:
            yield f"number of {name}"
    yield from _faults_of_parts(finding)


def _faults_of_parts(finding: Finding) -> Iterator[str]:
    for name in ("CreatedAt", "UpdatedAt", "FirstObservedAt", "LastObservedAt"):
        if name in finding and not _is_time(finding[name]):
            yield f"{name} is no time with a zone"
    for name, value in finding.get("ProductFields", {}).items():
        if not (1 <= len(name) <= FIELD_NAME and 1 <= len(value) <= FIELD_VALUE):
            yield f"ProductFields: {name}"
    advice = finding.get("Remediation", {}).get("Recommendation", {}).get("Text", "-")
    if not 1 <= len(advice) <= ADVICE:
        yield "Remediation"
    provided = finding.get("FindingProviderFields", {})
    types = [*finding.get("Types", []), *provided.get("Types", [])]
    if not types or not all(one.split("/")[0] in NAMESPACES for one in types):
        yield "Types"
    if "Severity" not in finding and "Severity" not in provided:
        yield "Severity"


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _input_shape() -> Any:
    model = botocore.session.get_session().get_service_model(NAME)
    return model.operation_model("BatchImportFindings").input_shape


def _hub() -> dict[str, Any]:
    found: dict[str, Any] = _hubs.setdefault("hub", {"enabled": False, "findings": {}})
    return found


def _import(findings: list[Finding]) -> Answer:
    if not _hub()["enabled"]:
        message = f"Account {get_account_id()} is not subscribed to AWS Security Hub"
        return error_response_json("InvalidAccessException", message, 401, message_key="Message")
    if not 1 <= len(findings) <= BATCH:
        message = "Findings: 1 to 100 findings"
        return error_response_json("InvalidInputException", message, 400, message_key="Message")
    failed = [entry for finding in findings for entry in _take(finding)]
    done = len(findings) - len(failed)
    answer = {"FailedCount": len(failed), "SuccessCount": done, "FailedFindings": failed}
    return json_response(answer, content_type="application/json")


def _take(finding: Finding) -> Iterator[dict[str, str]]:
    """Store a finding; yield the entry of FailedFindings if it is not taken."""
    reasons = list(faults(finding))
    about = {"Id": str(finding.get("Id", ""))}
    mine = (finding.get("ProductArn"), finding.get("AwsAccountId"))
    if reasons:
        yield {**about, "ErrorCode": "InvalidInput", "ErrorMessage": "; ".join(reasons)}
    elif mine != (default_product(), get_account_id()):
        message = "The product or the account is not the caller's."
        yield {**about, "ErrorCode": "InvalidAccess", "ErrorMessage": message}
    else:
        _store(finding)


def _store(finding: Finding) -> None:
    """An update that is not newer than what is held changes nothing."""
    findings = _hub()["findings"]
    held = findings.get(finding["Id"])
    moments = [datetime.fromisoformat(one["UpdatedAt"]) for one in (held, finding) if one]
    if held is None:
        findings[finding["Id"]] = {"Workflow": {"Status": "NEW"}, **finding}
    elif moments[1] > moments[0]:
        kept = {name: held[name] for name in LEFT_TO_PEOPLE if name in held}
        findings[finding["Id"]] = {**finding, **kept}


def _shown(asked: dict[str, Any]) -> Answer:
    """GetFindings, of all filters by the id alone."""
    wanted = [one["Value"] for one in asked.get("Filters", {}).get("Id", [])]
    found = [
        {**one, **_decided(one)}
        for id_, one in _hub()["findings"].items()
        if id_ in wanted or not wanted
    ]
    return json_response({"Findings": found}, content_type="application/json")


def _decided(finding: Finding) -> Finding:
    """What the provider says, where it says so, is what the finding shows."""
    provided = finding.get("FindingProviderFields", {})
    return {name: provided[name] for name in ("Severity", "Types") if name in provided}


async def handle(method: str, path: str, _: dict[str, str], body: bytes, __: Any) -> Answer:
    """Answer a request; what is not here says so."""
    asked = json.loads(body or b"{}")
    match (method, path):
        case ("POST", "/accounts"):
            _hub()["enabled"] = True
            return json_response({}, content_type="application/json")
        case ("DELETE", "/accounts"):
            _hub()["enabled"] = False
            return json_response({}, content_type="application/json")
        case ("POST", "/findings/import"):
            return _import(asked.get("Findings", []))
        case ("POST", "/findings"):
            return _shown(asked)
    message = f"{method} {path} is not emulated"
    return error_response_json("InvalidInputException", message, 400, message_key="Message")


def install() -> None:
    app.SERVICE_HANDLERS[NAME] = handle
    iam_actions.SERVICE_TO_IAM_NAMESPACE[NAME] = NAME
    iam_actions._BOTOCORE_SERVICE_MAP[NAME] = [NAME]
    stock = iam_actions.extract_resource_arn

    def resource_arn(
        service: str, method: str, path: str, headers: Any, body: bytes, *rest: Any
    ) -> str:
        if service == NAME and path == "/findings/import":
            return _product_in(body)
        return str(stock(service, method, path, headers, body, *rest))

    iam_actions.extract_resource_arn = resource_arn


def _product_in(body: bytes) -> str:
    try:
        return str(json.loads(body)["Findings"][0]["ProductArn"])
    except (ValueError, KeyError, IndexError, TypeError):
        return "*"

"""aws-sdk:lambda:listTags, which MiniStack's workflows lack.

Source: AWS Lambda API reference, ListTags: `GET /2017-03-31/tags/<ARN>`.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from ministack import app
from ministack.core.responses import get_account_id, get_region
from ministack.services import stepfunctions

Task = dict[str, Any]


def _list_tags(task: Task) -> Task:
    path = f"/2017-03-31/tags/{quote(str(task.get('Resource', '')), safe=':')}"
    scope = f"{get_account_id()}/20261124/{get_region()}/lambda/aws4_request"
    headers = {"authorization": f"AWS4-HMAC-SHA256 Credential={scope}"}
    handler = app.SERVICE_HANDLERS["lambda"]
    status, _, body = app.call_service_handler_sync(handler, "GET", path, headers, b"", {})
    answer: Task = json.loads(body)
    if status >= 400:  # noqa: PLR2004  # errors
        code = str(answer.get("__type") or answer.get("Code") or answer.get("code") or "Service")
        name = stepfunctions._prefix_sdk_error("lambda", code.rpartition("#")[2])
        raise stepfunctions._ExecutionError(name, str(answer.get("message", "")))
    return {"Tags": answer["Tags"]}


def install() -> None:
    stock = stepfunctions._dispatch_aws_sdk_lambda_rest

    def dispatch(info: Any, service: str, action: str, task: Task) -> Any:
        return _list_tags(task) if action == "listTags" else stock(info, service, action, task)

    stepfunctions._dispatch_aws_sdk_lambda_rest = dispatch

"""AWS Security Hub: findings that people have been told of, imported as the account's own.

Source: Security Hub user guide, "BatchImportFindings for finding providers": the default product
of an account takes its findings; one that is refused is listed in FailedFindings, and the call
succeeds all the same.
"""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric
from botocore.exceptions import BotoCoreError, ClientError

from rekey.aws.invocation import NAMESPACE
from rekey.errors import FindingNotImported
from rekey.incident import Place


class SecurityHub:
    """See Hub. ``client`` is Security Hub's."""

    def __init__(self, client: Any, place: Place) -> None:
        self._client = client
        self.place = place
        self._logger = Logger()

    def take(self, finding: Mapping[str, Any]) -> None:
        """See Hub."""
        try:
            self._import(finding)
        except FindingNotImported as error:
            reason = {"outcome": type(error).__name__, "reason": str(error)}
            self._logger.warning("security hub", extra={"finding": finding["Id"], **reason})
            with single_metric("FindingsNotImported", MetricUnit.Count, 1, namespace=NAMESPACE):
                pass

    def _import(self, finding: Mapping[str, Any]) -> None:
        try:
            answer = self._client.batch_import_findings(Findings=[finding])
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            raise FindingNotImported(f"Security Hub refused the call: {code}.") from None
        except BotoCoreError as error:
            name = type(error).__name__
            raise FindingNotImported(f"Security Hub did not answer ({name}).") from None
        for failed in answer.get("FailedFindings", []):
            said = f"{failed['ErrorCode']}: {failed['ErrorMessage']}"
            raise FindingNotImported(f"Security Hub refused the finding: {said}")

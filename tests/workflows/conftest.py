"""Workflows begin with what the test does, not with events of what was before."""

import pytest

from tests.conftest import Deployed


@pytest.fixture(scope="module", autouse=True)
def _nothing_waits(deployed: Deployed) -> None:
    client = deployed.account.client("sqs")
    for name in ("rekey-events", "rekey-access"):
        client.purge_queue(QueueUrl=client.get_queue_url(QueueName=name)["QueueUrl"])

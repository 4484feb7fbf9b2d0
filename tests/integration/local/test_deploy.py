import platform
import sys
from datetime import datetime

import pytest

from local.deploy import ARCHITECTURES, STACK, DeployError, deploy
from local.processes import HOST, free_port
from tests.conftest import Deployed


def test_the_stack_names_its_function_and_its_topic(deployed: Deployed) -> None:
    assert deployed.rotation_function_arn.endswith(":function:rekey-rotate-postgresql")
    assert deployed.alerts_topic_arn.endswith(":rekey-alerts")


def test_the_function_is_built_for_this_machine(deployed: Deployed) -> None:
    found = deployed.account.client("lambda").get_function_configuration(
        FunctionName=deployed.rotation_function_arn
    )
    assert found["Runtime"] == f"python3.{sys.version_info.minor}"
    assert found["Architectures"] == [ARCHITECTURES[platform.machine()]]
    assert [layer["Arn"].split(":")[-2] for layer in found["Layers"]] == [
        "rekey-rekey",
        "local-authority",
    ]


def last_update(deployed: Deployed) -> datetime:
    """Of the stack; an empty change set is none."""
    stacks = deployed.account.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    when: datetime = stacks[0]["LastUpdatedTime"]
    return when


@pytest.mark.timeout(900)  # others may deploy first
def test_deploying_the_same_again_changes_nothing(deployed: Deployed) -> None:
    lambda_ = deployed.account.client("lambda")
    arn = deployed.rotation_function_arn
    before, updated = lambda_.get_function_configuration(FunctionName=arn), last_update(deployed)
    deploy(deployed.account.port, {"CaBundleLayerArn": before["Layers"][-1]["Arn"]})
    after = lambda_.get_function_configuration(FunctionName=arn)
    assert (after["CodeSha256"], after["Layers"]) == (before["CodeSha256"], before["Layers"])
    assert last_update(deployed) == updated


def test_without_an_account_one_line_says_so() -> None:
    port = free_port()
    with pytest.raises(DeployError, match=f"no account answers at {HOST}:{port}"):
        deploy(port)

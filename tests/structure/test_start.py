import os
import subprocess
import sys

import pytest

from tests.structure.imports import CHECKOUT, PACKAGE

FUNCTIONS = sorted(CHECKOUT.glob("functions/*"))
# boto3 hands out botocore's clients; drivers are for the steps that log in.
ONLY_WHEN_USED = {"boto3", "s3transfer", "pg8000", "scramp", "asn1crypto", "pymysql"}
# Without what the template sets, a function refuses to start.
SETTINGS = {
    "REKEY_CAMPAIGN_BUCKET": "bucket",
    "REKEY_RECOVER_STATE_MACHINE_ARN": "arn",
    "REKEY_RETIRE_STATE_MACHINE_ARN": "arn",
    "REKEY_RETIRE_GRACE_SECONDS": "3900",
    "REKEY_RETIRE_STALE_SECONDS": "86400",
    "REKEY_STATE_TABLE": "state",
    "REKEY_ALERTS_TOPIC_ARN": "arn",
    "REKEY_SWEEP_ROLE_ARN": "arn",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda path: path.name)
def test_a_function_starts_without_what_not_every_invocation_uses(
    function: os.PathLike[str],
) -> None:
    path = os.pathsep.join([os.fspath(function), os.fspath(PACKAGE.parent)])
    program = "import app, sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": path, **SETTINGS},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.split())
    assert {"rekey", "botocore"} <= loaded
    assert loaded & ONLY_WHEN_USED == set()

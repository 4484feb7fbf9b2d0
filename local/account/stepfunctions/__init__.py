"""A state machine's tasks act as its role: IAM checks them, and CloudTrail shows them.

MiniStack calls the services' handlers directly, as root. The calls of aws-sdk integrations go
through the account's front door here, with credentials of the role; the optimized integrations,
which MiniStack carries out by other ways, are checked before they start.
"""

from __future__ import annotations

from local.account.stepfunctions import (
    distributed,
    function_tags,
    integrations,
    sdk_calls,
    sessions,
)


def install() -> None:
    sessions.install()
    sdk_calls.install()
    integrations.install()
    function_tags.install()
    distributed.install()

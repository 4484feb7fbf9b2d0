"""The deployed stack as these commands need it: its table, and what its watch was told."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from rekey.known import DAY

if TYPE_CHECKING:
    from boto3.session import Session

TABLE, OURS, LEARNING = "REKEY_STATE_TABLE", "REKEY_OUR_ROLE_ARNS", "REKEY_LEARNING_DAYS"
MISSING = "ResourceNotFoundException"


class StackNotFoundError(Exception):
    """There is no such stack here, or it does not monitor."""


@dataclass(frozen=True)
class Stack:
    """``ours`` are the roles of its functions, ``learning`` is in seconds."""

    table: str
    ours: frozenset[str]
    learning: int
    account: str
    region: str


def stack(session: "Session", name: str) -> Stack:
    """Return the stack of that name, as its function ``watch-access`` knows it.

    Raises StackNotFoundError and what botocore raises.
    """
    function = f"{name}-watch-access"
    try:
        found = session.client("lambda").get_function_configuration(FunctionName=function)
    except ClientError as error:
        if error.response["Error"]["Code"] != MISSING:
            raise
        raise StackNotFoundError(
            f"There is no function {function} in {session.region_name}: name the stack that "
            "monitors (--stack), its region (AWS_REGION) and account (AWS_PROFILE)."
        ) from None
    told = found["Environment"]["Variables"]
    _, _, _, region, account, *_ = found["FunctionArn"].split(":")
    ours = frozenset(filter(None, told[OURS].split(",")))
    return Stack(told[TABLE], ours, int(told[LEARNING]) * DAY, account, region)

"""What every function pays at its start: the runtime and boto3."""

import boto3

CLIENTS = boto3


def handler(_event: object, _context: object) -> None:
    """Does nothing."""

"""Rotating one secret or many as one: what is asked for, what becomes of each, and what follows.

Nothing here rotates. The state machine ``rotate`` does, and asks this between its parts.
"""

from rekey.campaign.judgement import Heard, Summary, conclude, failed, stands, to_roll_back
from rekey.campaign.plan import Item, plan
from rekey.campaign.results import Became, Result
from rekey.campaign.settings import OnFailure, Settings, StaleConsumers

__all__ = [
    "Became",
    "Heard",
    "Item",
    "OnFailure",
    "Result",
    "Settings",
    "StaleConsumers",
    "Summary",
    "conclude",
    "failed",
    "plan",
    "stands",
    "to_roll_back",
]

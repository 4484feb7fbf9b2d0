"""What to do after a rotation has failed: a pure decision over what was observed, with its reason.

Nothing here logs in or changes anything. The rotation function observes and acts, the state
machine ``recover`` joins the two, and docs/recovery.md shows the rules as a table.
"""

from rekey.recovery.decision import Afterwards, Decision, decide
from rekey.recovery.observation import Attempt, Login, Observation
from rekey.recovery.rules import Action

__all__ = ["Action", "Afterwards", "Attempt", "Decision", "Login", "Observation", "decide"]

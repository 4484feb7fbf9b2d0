"""The rotation core: four steps, their guards and their decisions, without any I/O of its own.

Every step may be the second attempt, may run twice at once, and may come when it no longer
should. So the value is stored before the server is touched, a repeat goes on with the stored
value, and every change states the whole wanted end.
"""

from rekey.rotation.context import Rotation
from rekey.rotation.steps import run

__all__ = ["Rotation", "run"]

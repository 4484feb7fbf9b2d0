"""The table of the alerts' tests: the template has one for both."""

from tests.integration.alerts.conftest import state_table

__all__ = ["state_table"]

"""The events that are judged exist: calls by Secrets Manager's own model, the rest by its guide."""

import botocore.session

from rekey.access.normalise import ACTIONS, PROMOTIONS
from rekey.access.principal import SECRETS_MANAGER
from rekey.alerts import changes, service_events
from tests.documents import document, section

MODEL = botocore.session.get_session().get_service_model("secretsmanager")
PAGE = section(document("operations.md"), "## What nobody sees")


def test_every_call_that_is_judged_is_an_operation_of_secrets_manager() -> None:
    assert set(changes.JUDGES) <= set(MODEL.operation_names)


OF_NO_SECRET = {"CreateSecret", "GetRandomPassword"}
"""Nobody has to hear of a secret that is new, nor of a password that is none yet."""


def test_every_operation_of_secrets_manager_is_watched() -> None:
    """What AWS adds some day shows here."""
    watched = {name for source, name in {*ACTIONS, *PROMOTIONS} if source == SECRETS_MANAGER}
    assert watched >= set(MODEL.operation_names) - OF_NO_SECRET


def test_the_page_says_which_names_of_service_events_were_not_verified() -> None:
    doubtful = {name for name in service_events.EVENTS if name.startswith("Replication")}
    assert doubtful
    assert all(f"`{name}`" in PAGE for name in doubtful)

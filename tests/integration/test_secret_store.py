"""One set of rules for Secrets Manager, kept by the adapter on the account and by the fake."""

import json
import secrets
import uuid
from dataclasses import dataclass
from typing import Protocol

import pytest

from local.running_account import RunningAccount
from rekey.aws.secrets_manager import SecretsManager
from rekey.errors import InvalidSecretValue, LabelMoved, SecretNotFound
from rekey.model import Label, SecretVersion
from rekey.ports import SecretStore
from tests.secret_store import SecretStoreInMemory

VALUE = json.dumps({"password": "first"})


class Subject(Protocol):
    """A store, and one secret in it whose AWSCURRENT holds VALUE."""

    @property
    def store(self) -> SecretStore: ...

    @property
    def arn(self) -> str: ...


@dataclass
class Fake:
    store: SecretStoreInMemory
    arn: str = "arn:aws:secretsmanager:us-east-1:000000000000:secret:app-AbCdEf"


@dataclass
class Real:
    store: SecretsManager
    arn: str


@pytest.fixture(params=["in memory", "on the account"])
def subject(request: pytest.FixtureRequest) -> Subject:
    if request.param == "in memory":
        fake = Fake(SecretStoreInMemory())
        fake.store.create(fake.arn, VALUE, owner="team")
        return fake
    account: RunningAccount = request.getfixturevalue("account")
    client = account.client("secretsmanager")
    name = f"app-{secrets.token_hex(4)}"
    tags = [{"Key": "owner", "Value": "team"}]
    arn = client.create_secret(Name=name, SecretString=VALUE, Tags=tags)["ARN"]
    return Real(SecretsManager(client), arn)


def version(
    *labels: Label, value: str = '{"password": "second"}', token: str = ""
) -> SecretVersion:
    return SecretVersion(token or str(uuid.uuid4()), frozenset(labels), value)


def put(subject: Subject, new: SecretVersion) -> bool:
    return subject.store.put_version(subject.arn, new, rotation_token=None)


def labels(subject: Subject) -> dict[str, set[str]]:
    return {v: set(held) for v, held in subject.store.describe(subject.arn).labels.items()}


def test_describe_tells_labels_and_tags(subject: Subject) -> None:
    metadata = subject.store.describe(subject.arn)
    assert metadata.tags["owner"] == "team"
    assert (metadata.rotation_function, metadata.rotated) == (None, None)
    assert list(metadata.labels.values()) == [{Label.CURRENT}]


def test_the_current_version_is_read_with_its_labels(subject: Subject) -> None:
    current = subject.store.get_labelled(subject.arn, Label.CURRENT)
    assert current.value == VALUE
    assert current.labels == {Label.CURRENT}


def test_a_label_that_stands_nowhere_is_not_found(subject: Subject) -> None:
    with pytest.raises(SecretNotFound):
        subject.store.get_labelled(subject.arn, Label.PENDING)


def test_a_secret_that_does_not_exist_is_not_found(subject: Subject) -> None:
    for call in (
        subject.store.describe,
        lambda arn: subject.store.get_labelled(arn, Label.CURRENT),
    ):
        with pytest.raises(SecretNotFound):
            call(subject.arn.replace("app", "other"))


def test_a_version_is_read_by_id_and_only_with_the_label_that_it_has(subject: Subject) -> None:
    new = version(Label.PENDING, Label.INTENT)
    assert put(subject, new)
    for label in (None, Label.PENDING, Label.INTENT):
        assert subject.store.get_version(subject.arn, new.version_id, label) == new
    assert subject.store.get_version(subject.arn, new.version_id, Label.CURRENT) is None
    assert subject.store.get_version(subject.arn, str(uuid.uuid4())) is None


def test_a_repeated_put_is_harmless_and_another_value_is_refused(subject: Subject) -> None:
    new = version(Label.PENDING, Label.INTENT)
    assert put(subject, new)
    assert put(subject, new)
    other = version(
        Label.PENDING, Label.INTENT, value='{"password": "third"}', token=new.version_id
    )
    assert not put(subject, other)
    assert subject.store.get_version(subject.arn, new.version_id) == new


def test_labels_of_ours_move_to_the_version_that_is_put(subject: Subject) -> None:
    first, second = version(Label.PENDING, Label.INTENT), version(Label.PENDING, Label.INTENT)
    put(subject, first)
    put(subject, second)
    assert labels(subject)[second.version_id] == {Label.PENDING, Label.INTENT}
    assert first.version_id not in labels(subject)


def test_promotion_moves_current_and_previous_and_keeps_pending(subject: Subject) -> None:
    (old,) = labels(subject)
    new = version(Label.PENDING, Label.INTENT)
    put(subject, new)
    subject.store.move_label(subject.arn, Label.CURRENT, to=new.version_id, removed_from=old)
    assert labels(subject) == {
        old: {Label.PREVIOUS},
        new.version_id: {Label.CURRENT, Label.PENDING, Label.INTENT},
    }


def test_moving_current_back_takes_pending_along_and_leaves_labels_of_ours(
    subject: Subject,
) -> None:
    (old,) = labels(subject)
    new = version(Label.PENDING, Label.INTENT)
    put(subject, new)
    subject.store.move_label(subject.arn, Label.CURRENT, to=new.version_id, removed_from=old)
    subject.store.move_label(subject.arn, Label.CURRENT, to=old, removed_from=new.version_id)
    assert labels(subject) == {
        old: {Label.CURRENT},
        new.version_id: {Label.PREVIOUS, Label.INTENT},
    }


def test_a_label_is_moved_only_from_the_version_that_holds_it(subject: Subject) -> None:
    (old,) = labels(subject)
    new = version(Label.PENDING)
    put(subject, new)
    before = labels(subject)
    for wrong in (new.version_id, str(uuid.uuid4()), None):
        if wrong != new.version_id:
            with pytest.raises(LabelMoved):
                subject.store.move_label(
                    subject.arn, Label.CURRENT, to=new.version_id, removed_from=wrong
                )
    assert labels(subject) == before
    assert old in before


def test_a_label_that_stands_nowhere_is_put_and_taken_away(subject: Subject) -> None:
    (old,) = labels(subject)
    subject.store.move_label(subject.arn, Label.REJECTED, to=old, removed_from=None)
    assert Label.REJECTED in labels(subject)[old]
    subject.store.move_label(subject.arn, Label.REJECTED, to=None, removed_from=old)
    assert Label.REJECTED not in labels(subject)[old]


def test_a_binary_secret_is_refused_as_such(account: RunningAccount) -> None:
    client = account.client("secretsmanager")
    arn = client.create_secret(Name=f"b-{secrets.token_hex(4)}", SecretBinary=b"\x00")["ARN"]
    with pytest.raises(InvalidSecretValue, match="binary"):
        SecretsManager(client).get_labelled(arn, Label.CURRENT)

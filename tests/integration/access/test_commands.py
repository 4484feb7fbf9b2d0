"""The operator's commands where they cannot begin: they say what to do."""

from __future__ import annotations

import pytest

from local.access.__main__ import main
from local.running_account import RunningAccount


@pytest.fixture(autouse=True)
def _environment(account: RunningAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", account.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.mark.parametrize("words", [("seed",), ("suppressions", "list")])
def test_a_stack_that_is_not_there_is_named_with_its_region(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--stack", "none"]) == 2
    said = capsys.readouterr().err
    assert "There is no function none-watch-access in us-east-1" in said
    assert "--stack" in said


def test_a_suppression_that_is_refused_is_so_before_anything_is_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    words = ["add", "all", "--owner", "ann", "--reason", "why", "--days", "400"]
    assert main(["suppressions", *words, "--principal", "arn:*"]) == 2
    assert "more than 366 days ahead" in capsys.readouterr().err

"""The instruments of `make compare` read what stands in logs and sources, and nothing else."""

from pathlib import Path

import pytest

from benchmarks.compare.ca_file import trusting
from benchmarks.compare.code import code_lines, shared
from benchmarks.compare.function_log import told
from benchmarks.compare.server_log import logins, sessions, wrong_passwords
from benchmarks.compare.templates import CompareError, Templates, count_tests

AT = "2026-01-02 03:04:05.678 UTC"
LOG = f"""\
{AT} [10] [unknown]@[unknown] LOG:  connection received: host=127.0.0.1 port=1
{AT} [10] app@postgres FATAL:  password authentication failed for user "app"
{AT} [10] app@postgres DETAIL:  Connection matched file "pg_hba.conf" line 1
{AT} [11] [unknown]@[unknown] LOG:  connection received: host=127.0.0.1 port=2
{AT} [11] app@postgres LOG:  connection authorized: user=app database=postgres SSL enabled (x)
{AT} [11] app@postgres LOG:  statement: ALTER USER app
\tWITH PASSWORD 'new'
{AT} [12] [unknown]@[unknown] LOG:  connection received: host=127.0.0.1 port=3
{AT} [9] LOG:  checkpoint starting: time
{AT} [11] [unknown]@[unknown] LOG:  connection received: host=127.0.0.1 port=4
{AT} [11] app@postgres LOG:  connection authorized: user=app database=postgres
{AT} [11] app@postgres LOG:  statement: ALTER USER app WITH PASSWORD 'newer'
"""
MODULE = '''
"""Doc."""

X = """a
b"""


def f():
    """Doc."""
    # why
    return (
        1
    )
'''


def test_logins_are_those_that_the_server_took_or_refused() -> None:
    assert logins(sessions(LOG)) == 3
    assert wrong_passwords(sessions(LOG)) == {"app": 1}


def test_a_process_id_that_comes_again_is_another_session() -> None:
    encrypted, plain = (session for session in sessions(LOG) if session.authorized)
    assert (encrypted.encrypted, plain.encrypted) == (True, False)
    assert encrypted.statements == ["statement: ALTER USER app\n\tWITH PASSWORD 'new'"]


def test_only_what_came_without_tls_was_in_clear() -> None:
    assert not any(session.states_in_clear("'new'") for session in sessions(LOG))
    assert any(session.states_in_clear("'newer'") for session in sessions(LOG))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["[ERROR] ValueError: no login with arn:aws:x:y:z:secret:a-b\nTraceback"],
         "no login with …"),
        (["[ERROR]\t2026\tid\tset: no login\n", "[ERROR] ValueError: no login"], "set: no login"),
        (["[ERROR]\t1\tid\tno TLS", "[ERROR]\t2\tid\tno TLS", "[ERROR]\t3\tid\tno login"],
         "no TLS; no login"),
        (['{"level": "ERROR", "outcome": "TlsFailed", "reason": "localhost:4321 has none."}'],
         "TlsFailed: localhost has none"),
        (["1-2-3 Task timed out after 30.00 seconds"], "Task timed out after 30.00 seconds"),
        (['{"level": "INFO", "outcome": "done", "reason": "stored"}', "START RequestId: 1"],
         "nothing"),
    ],
)  # fmt: skip
def test_what_the_operator_is_told_is_each_failure_in_the_log_once(
    lines: list[str], expected: str
) -> None:
    assert told(lines) == expected


def test_code_is_counted_without_docstrings_comments_and_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(MODULE)
    assert code_lines(path) == ['X = """a', 'b"""', "def f():", "return (", "1", ")"]
    assert shared(["a", "b", "c"], ["b", "x", "c"]) == 2


def test_only_functions_in_test_files_count_as_tests(tmp_path: Path) -> None:
    (tmp_path / "lambda_function.py").write_text("def test_secret(client):\n    pass\n")
    assert count_tests(tmp_path) == 0
    (tmp_path / "test_it.py").write_text("def test_it():\n    pass\n")
    assert count_tests(tmp_path) == 1


def test_a_folder_that_is_no_checkout_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(CompareError, match="TEMPLATES must be a checkout of aws-samples/"):
        Templates(tmp_path)


def test_the_trusted_file_is_gone_afterwards_with_the_folders_made_for_it(tmp_path: Path) -> None:
    path = tmp_path / "pki" / "tls" / "cert.pem"
    with trusting("PEM", path) as trusted:
        assert trusted
        assert path.read_text() == "PEM"
    assert list(tmp_path.iterdir()) == []


def test_a_trusted_file_that_exists_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "cert.pem"
    path.write_text("theirs")
    with trusting("PEM", path) as trusted:
        assert not trusted
    assert path.read_text() == "theirs"

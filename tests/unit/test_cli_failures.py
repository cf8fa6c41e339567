"""Whatever goes wrong is one clear line, and never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from quickshop.domain.errors import MissingExtraError, QuickShopError
from quickshop.entrypoints.cli.context import address_of, misspelled
from quickshop.entrypoints.cli.failures import failures_reported
from quickshop.entrypoints.cli.imports import write_issues
from quickshop.entrypoints.cli.output import printable
from quickshop.ports.imports import RowIssue, Severity
from tests.cli_runs import Terminal, terminal_in

NOWHERE = "postgresql://shop:hunter2@127.0.0.1:1/shop"


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return terminal_in(tmp_path)


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (QuickShopError("no such thing"), 1, "no such thing"),
        (QuickShopError(), 1, "quickshop_error"),
        (MissingExtraError("http", "serving"), 1, "serving needs an extra: pip install"),
        (FileNotFoundError(2, "No such file", "a.csv"), 1, "a.csv: No such file"),
        (OSError(28, "No space left on device"), 1, "No space left on device"),
        (ZeroDivisionError("odd"), 1, "unexpected error: ZeroDivisionError: odd"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_an_error_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: int, line: str
):
    with pytest.raises(typer.Exit) as ended, failures_reported():
        raise error
    assert ended.value.exit_code == code
    told = capsys.readouterr().err
    assert told.startswith(f"quickshop: {line}")
    assert told.count("\n") == 1


def test_a_reader_who_has_seen_enough_is_no_error(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(typer.Exit) as ended, failures_reported():
        raise BrokenPipeError
    assert (ended.value.exit_code, capsys.readouterr().err) == (1, "")


def test_without_a_command_help_is_shown(terminal: Terminal):
    shown = terminal.run()
    assert shown.code == 0
    for command in ("demo", "serve", "worker", "relay", "migrate", "import", "doctor"):
        assert command in shown.out
    assert terminal.run("--version").out.startswith("quickshop")


def test_an_unknown_command_is_a_usage_error(terminal: Terminal):
    refused = terminal.run("sell")
    assert (refused.code, "No such command" in refused.err) == (2, True)


def test_a_setting_that_is_wrong_is_named(terminal: Terminal):
    done = terminal.run("orders", env={"QUICKSHOP_SMTP_PORT": "x", "QUICKSHOP_CURRENCY": "usd"})
    assert done.code == 1
    lines = done.err.splitlines()
    assert [line.split(": ")[1] for line in lines] == ["QUICKSHOP_CURRENCY", "QUICKSHOP_SMTP_PORT"]


def test_a_misspelled_setting_is_warned_of(terminal: Terminal):
    terminal.run("migrate")
    done = terminal.run("orders", "--json", env={"QUICKSHOP_REDIS_ULR": "redis://127.0.0.1"})
    assert (done.code, done.json["items"]) == (0, [])
    assert "QUICKSHOP_REDIS_ULR is not a setting, did you mean QUICKSHOP_REDIS_URL?" in done.err


def test_looking_for_a_shop_creates_none(terminal: Terminal):
    for words in (("products",), ("orders",), ("stock", "show"), ("jobs", "list")):
        done = terminal.run(*words)
        assert (done.code, "there is no shop in" in done.err) == (1, True)
        assert not terminal.file.exists()


def test_what_the_bootstrap_and_the_tests_read_is_not_misspelled():
    environment = {"QUICKSHOP_VENV": "", "QUICKSHOP_TEST_REDIS_URL": "", "PATH": ""}
    assert misspelled(environment, "QUICKSHOP_", ["redis_url"]) == []
    assert misspelled({"quickshop_redis_url": ""}, "QUICKSHOP_", ["redis_url"]) == []
    assert misspelled({"QUICKSHOP_Q": ""}, "QUICKSHOP_", ["redis_url"]) == [("QUICKSHOP_Q", None)]


@pytest.mark.parametrize("command", ["products", "migrate", "orders"])
def test_a_database_that_is_away_is_said_in_one_line(terminal: Terminal, command: str):
    done = terminal.run(command, env={"QUICKSHOP_DATABASE_URL": NOWHERE})
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("quickshop: the database is not available")
    assert "hunter2" not in done.err


def test_a_database_that_is_none_is_said_in_one_line(terminal: Terminal):
    terminal.file.write_bytes(b"this is no database, and nobody should take it for one" * 10)
    for command in ("products", "migrate"):
        done = terminal.run(command)
        assert done.code == 1
        assert (
            done.err == "quickshop: the database rejected the statement: file is not a database\n"
        )


def test_doctor_asks_for_a_database_before_there_is_one(terminal: Terminal):
    done = terminal.run("doctor")
    assert (done.code, "WRONG database" in done.out) == (1, True)
    assert "quickshop migrate" in done.out
    assert list(terminal.folder.iterdir()) == [], "looking creates nothing"


def test_doctor_is_green_after_migrating(terminal: Terminal):
    first = terminal.run("migrate")
    assert "from an empty database to revision" in first.out
    assert "already" in terminal.run("migrate").out
    done = terminal.run("doctor", "--json")
    assert (done.code, done.json["ok"]) == (0, True)
    checks = {check["check"]: check["ok"] for check in done.json["checks"]}
    expected = {"settings", "database", "redis", "broker", "payment gateway", "mail"}
    assert expected | {"stock ledger"} <= checks.keys()


def test_doctor_tells_of_servers_that_are_away(terminal: Terminal):
    away = {
        "QUICKSHOP_DATABASE_URL": NOWHERE,
        "QUICKSHOP_REDIS_URL": "redis://:hunter2@127.0.0.1:1/0",
        "QUICKSHOP_BROKER_URL": "redis://:hunter2@127.0.0.1:1/0",
    }
    done = terminal.run("doctor", "--json", env=away)
    assert done.code == 1
    wrong = [check["check"] for check in done.json["checks"] if not check["ok"]]
    assert wrong == ["database", "redis", "broker"]
    assert "hunter2" not in done.out + done.err


def test_doctor_finds_services_that_are_away_with_a_database_or_without(terminal: Terminal):
    away = {
        "QUICKSHOP_SMTP_HOST": "127.0.0.1",
        "QUICKSHOP_SMTP_PORT": "1",
        "QUICKSHOP_SMTP_USERNAME": "shop",
        "QUICKSHOP_SMTP_PASSWORD": "hunter2",
        "QUICKSHOP_PAYMENT_GATEWAY": "stripe",
        "QUICKSHOP_STRIPE_SECRET_KEY": "sk_test_hunter2",
        "QUICKSHOP_STRIPE_WEBHOOK_SECRET": "whsec_hunter2",
        "QUICKSHOP_STRIPE_API_BASE": "http://127.0.0.1:1",
    }
    without = terminal.run("doctor", env=away)
    terminal.run("migrate")
    done = terminal.run("doctor", env=away)
    for said in (without, done):
        wrong = [line for line in said.out.splitlines() if line.startswith("WRONG ")]
        assert said.code == 1
        assert "hunter2" not in said.out + said.err
        gateway, mail = wrong[-2:]
        assert gateway.startswith("WRONG payment gateway: Stripe gave no answer")
        assert "http://127.0.0.1:1 must be reachable" in gateway
        assert mail.startswith("WRONG mail: 127.0.0.1:1: the mail server cannot be reached")
        assert "QUICKSHOP_SMTP_HOST, QUICKSHOP_SMTP_PORT" in mail
    assert "WRONG database" in without.out
    assert "ok    stock ledger" in done.out


def test_doctor_says_what_it_tries_and_that_it_does_no_harm(terminal: Terminal):
    told = " ".join(terminal.run("doctor", "--help").out.split())
    assert "the payment gateway and the mail server" in told
    assert "sends no email" in told


def test_doctor_tells_of_a_setting_that_is_wrong(terminal: Terminal):
    done = terminal.run("doctor", env={"QUICKSHOP_DATABASE_URL": "mysql://x"})
    assert done.code == 1
    assert done.out.startswith("WRONG settings: QUICKSHOP_DATABASE_URL: must be a URL")


def test_doctor_tells_of_an_outdated_schema(terminal: Terminal):
    terminal.run("migrate")
    terminal.tamper("UPDATE alembic_version SET version_num = '0000'")
    done = terminal.run("doctor")
    assert (done.code, "is at revision 0000" in done.out) == (1, True)


def test_a_relay_needs_a_broker(terminal: Terminal):
    done = terminal.run("relay")
    assert done.code == 1
    assert done.err.startswith("quickshop: QUICKSHOP_BROKER_URL: must be set")


def test_control_characters_do_not_reach_the_terminal():
    assert printable("a\x1b[31mb\x07\r\n\u202ec") == "a\ufffd[31mb\ufffd\ufffd\ufffd\ufffdc"


def test_a_url_is_shown_without_its_secrets():
    shown = address_of("postgresql://shop:hunter2@db.example/shop?password=hunter2")
    assert shown == "postgresql://shop:***@db.example/shop"


def test_a_spreadsheet_runs_nothing_of_a_report(tmp_path: Path):
    issue = RowIssue(line=2, column="Title", reason="=cmd()", severity=Severity.NOTE)
    write_issues(tmp_path / "issues.csv", [issue])
    lines = (tmp_path / "issues.csv").read_text(encoding="utf-8").splitlines()
    assert lines[1] == "2,Title,note,'=cmd()"

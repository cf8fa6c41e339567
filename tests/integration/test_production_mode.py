"""In production a shop starts when nothing is weak, and says all that is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import psycopg
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from sqlalchemy import text

from quickshop.adapters.sql.sqlite import SqliteDialect
from quickshop.container import build_container, migrate_database
from quickshop.settings import Settings
from tests import processes
from tests.cli_runs import Terminal
from tests.integration.shop_processes import running, variables
from tests.servers import free_port, run_postgres

KEYS = {
    "token_keys": "2026-11:mV3x8QkTz0yB5nW7cLr2Hd9fJs4gPaUe1iXoKq6wYtZ",
    "password_keys": "2026-11:Rb6uNw1eYq8sHc3zVj5xKt0aGm7dLf2pOi9yTrQkWnE",
}
UNNAMED = (
    "QUICKSHOP_PAYMENT_GATEWAY: must be set explicitly, even to sandbox, which moves no money"
)
FIT = {
    "mode": "production",
    "payment_gateway": "sandbox",
    "smtp_host": "127.0.0.1",
    "allowed_hosts": "127.0.0.1",
    **KEYS,
}
OFF = "QUICKSHOP_DATABASE_URL: the database must run with {} = on: it may lose committed data"


@pytest.fixture(scope="module")
def durable() -> Iterator[str]:
    """URL of a server that syncs, with a shop in it."""
    with run_postgres(durable=True) as server:
        migrate_database(Settings.load(database_url=server.url))
        yield server.url


@pytest.fixture(scope="module")
def hasty() -> Iterator[str]:
    """URL of a server that does not sync at all, with a shop in it."""
    with run_postgres() as server:
        migrate_database(Settings.load(database_url=server.url))
        yield server.url


@pytest.mark.parametrize("command", ["serve --port 0", "worker", "relay"])
def test_nothing_starts_on_the_defaults_and_all_that_is_missing_is_told(
    command: str, hasty: str, tmp_path: Path
) -> None:
    bare = variables(mode="production", database_url=hasty, broker_url="redis://127.0.0.1:1/0")
    bare["PYTHONASYNCIODEBUG"] = "1"
    with running(tmp_path, bare, *command.split()) as refused:
        assert refused.process.wait(processes.PATIENCE_SECONDS) == 1
    assert refused.output.splitlines() == [
        f"quickshop: {reason}"
        for reason in (
            "QUICKSHOP_TOKEN_KEYS: must be set: `quickshop keys new` makes one",
            "QUICKSHOP_PASSWORD_KEYS: must be set: `quickshop keys new` makes one",
            UNNAMED,
            "QUICKSHOP_SMTP_HOST: must be set, or emails are only written to files",
            "QUICKSHOP_ALLOWED_HOSTS: must list the host names of the shop",
            "PYTHONASYNCIODEBUG: must not be set, because it is for debugging",
            *(OFF.format(name) for name in ("fsync", "full_page_writes", "synchronous_commit")),
        )
    ]


def test_with_all_that_it_needs_it_serves(durable: str, tmp_path: Path) -> None:
    env = variables(database_url=durable, sandbox_book=tmp_path / "sandbox.db", **FIT)
    with running(tmp_path, env, "serve", "--port", "0") as server:
        assert processes.eventually(lambda: "TLS proxy" in server.output), server.output
        assert "docs:" not in server.output
        address = next(word for word in server.output.split() if word.startswith("127.0.0.1:"))
        url = f"http://{address.rstrip(',')}"
        assert (
            httpx2.get(f"{url}/health/ready", timeout=processes.PATIENCE_SECONDS).status_code
            == 200
        )
        assert (
            httpx2.get(f"{url}/v1/products", timeout=processes.PATIENCE_SECONDS).json()["code"]
            == "https_required"
        )
        assert server.stop() == 0


@pytest.mark.parametrize(
    "set_off",
    [
        "ALTER DATABASE postgres SET synchronous_commit = off",
        "ALTER ROLE postgres SET synchronous_commit = off",
    ],
)
def test_a_server_that_syncs_but_not_for_this_shop_is_refused(
    durable: str, tmp_path: Path, set_off: str
) -> None:
    shop = Terminal(tmp_path, durable)
    with psycopg.connect(durable, autocommit=True) as admin:
        admin.execute(set_off)
        try:
            refused = shop.run("products", env=variables(**FIT))
            tried = shop.run("doctor")
        finally:
            admin.execute(set_off.replace("SET", "RESET").removesuffix(" = off"))
    assert (refused.code, refused.err) == (
        1,
        f"quickshop: {OFF.format('synchronous_commit')}\n",
    )
    assert tried.code == 0
    warning = f"warn  mode: production would not start: {OFF.format('synchronous_commit')}"
    assert warning in tried.out.splitlines()
    assert "ok    mode: development" in tried.out.splitlines()


@pytest.fixture
def mail_server() -> Iterator[dict[str, object]]:
    """Settings of a mail server that takes every mail."""
    controller = Controller(Sink(), hostname="127.0.0.1", port=free_port())
    controller.start()
    yield {"smtp_port": controller.port, "smtp_security": "none"}
    controller.stop()


def test_doctor_tells_what_is_wrong_in_production(
    durable: str, tmp_path: Path, mail_server: dict[str, object]
) -> None:
    shop = Terminal(tmp_path, durable)
    fit = FIT | mail_server | {"sandbox_book": tmp_path / "sandbox.db"}
    well = shop.run("doctor", env=variables(**fit))
    assert "ok    mode: production" in well.out
    assert (well.code, "ok    mail: 127.0.0.1:" in well.out) == (0, True)
    weak = variables(**fit | {"token_keys": f"a:{'changeme' * 8}"})
    done = shop.run("doctor", "--json", env=weak)
    assert done.code == 1
    (wrong,) = [check for check in done.json["checks"] if not check["ok"]]
    assert wrong["check"] == "mode"
    assert "QUICKSHOP_TOKEN_KEYS: must be strong" in wrong["detail"]


def test_doctor_finds_a_mail_server_that_is_dead_in_production(
    durable: str, tmp_path: Path
) -> None:
    dead = variables(**FIT, smtp_port=free_port(), sandbox_book=tmp_path / "sandbox.db")
    done = Terminal(tmp_path, durable).run("doctor", "--json", env=dead)
    assert done.code == 1
    (wrong,) = [check for check in done.json["checks"] if not check["ok"]]
    assert wrong["check"] == "mail"
    assert "QUICKSHOP_SMTP_HOST, QUICKSHOP_SMTP_PORT" in wrong["detail"]


@pytest.mark.parametrize(("mode", "synchronous"), [("development", 1), ("production", 2)])
def test_a_file_is_synced_with_every_commit_in_production(
    sqlite_url: str, mode: str, synchronous: int
) -> None:
    dialect = SqliteDialect()
    engine = dialect.open_engine(Settings.load(database_url=sqlite_url, mode=mode))
    try:
        with engine.connect() as connection:
            found = connection.execute(text("PRAGMA synchronous")).scalar_one()
    finally:
        engine.dispose()
    assert found == synchronous


def test_errors_of_the_database_do_not_quote_what_was_stored(any_database_url: str) -> None:
    settings = Settings.load(database_url=any_database_url)
    engine = build_container(settings).dialect().open_engine(settings)
    try:
        with engine.connect() as connection, pytest.raises(Exception, match="no_such") as failed:
            connection.execute(text("SELECT no_such FROM x WHERE y = :z"), {"z": "c4n4ry"})
    finally:
        engine.dispose()
    assert "c4n4ry" not in str(failed.value)

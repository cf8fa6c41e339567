"""The demonstration does what it claims, and notices when it does not."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import typer

from quickshop.adapters.sandbox.payments import SandboxGateway
from quickshop.domain.errors import OutOfStockError
from quickshop.domain.money import Money
from quickshop.entrypoints.cli.demo import conclude
from quickshop.entrypoints.cli.demo_claims import claims_of
from quickshop.entrypoints.cli.demo_story import ADA, CLEO, DREW, EVE, Day, live_a_day
from quickshop.settings import Settings
from tests import processes
from tests.cli_runs import PROGRAM, Terminal, plain_environment, terminal_in

TRUE_CLAIMS = (
    "every row of the sample catalog was imported",
    "Ada paid, and her order was shipped",
    "Ada's parcel contains her order and left the stock",
    "Cleo was refunded $5.00 for a loose thread",
    "Ben had a declined card and was not charged",
    "Cleo paid although the gateway gave no answer at first",
    "Eve canceled and was refunded",
    "Drew could not buy more than is in stock",
    "stock fell by exactly the units sold",
    "every stock counter matches the ledger",
    "every shopper got exactly the expected emails",
    "the gateway's book matches the shop's payments",
)


def quickshop(folder: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return processes.run(
        [sys.executable, "-c", PROGRAM, *words],
        cwd=folder,
        env=plain_environment() | {"COLUMNS": "80", **env},
    )


def settings_in(folder: Path) -> Settings:
    return Settings.load(
        database_url=f"sqlite:///{folder / 'quickshop.db'}",
        mail_dir=str(folder / "mail"),
        sandbox_book=str(folder / "book.db"),
        payment_patience_seconds=0.2,
        sweep_seconds=0.1,
        poll_seconds=0.05,
    )


def false_claims(day: Day) -> set[str]:
    return {claim.text for claim in claims_of(day) if not claim.ok}


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    return live_a_day(settings_in(tmp_path_factory.mktemp("day")))


def test_the_demo_sells_checks_itself_and_leaves_a_shop_to_serve(tmp_path: Path):
    told = quickshop(tmp_path, "demo")
    assert (told.returncode, told.stderr) == (0, "")
    for claim in TRUE_CLAIMS:
        assert f"yes {claim}" in told.stdout
    assert "Subject: Your order 1001 at QuickShop" in told.stdout
    told_by_us = [line for line in told.stdout.splitlines() if "python3" not in line]
    assert max(map(len, told_by_us)) <= 80  # but for commands, which name this folder
    assert "\x1b" not in told.stdout, "no colors into a pipe"
    terminal = terminal_in(tmp_path)
    assert terminal.run("doctor").code == 0
    assert len(terminal.run("orders", "--json").json["items"]) == 4


def test_the_demo_leaves_a_shop_alone_that_is_there(tmp_path: Path):
    terminal = terminal_in(tmp_path)
    terminal.run("migrate")
    before = terminal.file.read_bytes()
    told = quickshop(tmp_path, "demo")
    assert (told.returncode, terminal.file.read_bytes() == before) == (0, True)
    assert "demo --keep DIR" in told.stdout


def test_the_demo_keeps_its_shop_where_it_is_told(tmp_path: Path):
    told = quickshop(tmp_path, "demo", "--keep", "kept")
    assert told.returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept"]
    assert len(list((tmp_path / "kept" / "mail").glob("*.eml"))) == 8
    kept = Terminal(tmp_path, f"sqlite:///{tmp_path / 'kept' / 'quickshop.db'}")
    assert kept.run("doctor").code == 0
    again = quickshop(tmp_path, "demo", "--keep", "kept")
    assert again.returncode == 1
    assert again.stderr == "quickshop: --keep: must name a new or an empty folder\n"


def test_the_demo_needs_no_server_whatever_the_environment_says(tmp_path: Path):
    away = "redis://127.0.0.1:1/0"
    told = quickshop(
        tmp_path,
        "demo",
        QUICKSHOP_DATABASE_URL="postgresql://127.0.0.1:1/shop",
        QUICKSHOP_REDIS_URL=away,
        QUICKSHOP_BROKER_URL=away,
        QUICKSHOP_CURRENCY="EUR",
    )
    assert told.returncode == 0, told.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_is_left_of_another_shop_is_not_taken_for_one(tmp_path: Path):
    (tmp_path / "quickshop.db-wal").touch()
    told = quickshop(tmp_path, "demo")
    assert told.returncode == 0, told.stderr
    assert "The shop was not kept: quickshop.db-wal exists without a shop." in told.stdout
    assert "A shop is here" not in told.stdout
    assert [file.name for file in tmp_path.iterdir()] == ["quickshop.db-wal"]


def test_an_ordinary_day_is_as_claimed(day: Day):
    assert false_claims(day) == set()


def test_a_gateway_that_charges_twice_is_noticed(tmp_path: Path):
    settings = settings_in(tmp_path)
    SandboxGateway(settings.sandbox_book or "", slow_seconds=0).book()  # writes the file
    with closing(sqlite3.connect(settings.sandbox_book or "")) as book, book:
        book.executescript(
            """
            CREATE TRIGGER twice AFTER INSERT ON charges
                WHEN NEW.status = 'captured' AND NEW.key NOT LIKE '%again'
            BEGIN
                INSERT INTO charges VALUES (NEW.key || '-again', NEW.minor, NEW.currency,
                    'captured', NEW.reference || '-again', '', NEW.captured_minor, 0);
            END;
            """
        )
    assert false_claims(live_a_day(settings)) == {
        "the gateway's book matches the shop's payments",
        "the money kept equals the price of the paid orders",
    }


def test_a_mail_sent_twice_is_noticed(day: Day):
    assert false_claims(replace(day, mails=[*day.mails, day.mails[0]])) == {
        "every shopper got exactly the expected emails"
    }


def test_a_mail_to_the_wrong_one_is_noticed(day: Day):
    mails = [day.mails[1], *day.mails[1:]]
    assert false_claims(replace(day, mails=mails)) == {
        "every shopper got exactly the expected emails"
    }


def test_stock_that_did_not_come_back_is_noticed(day: Day):
    sku = EVE.wishes[0].sku
    level = replace(day.after[sku], available=day.after[sku].available - 1)
    assert false_claims(replace(day, after={**day.after, sku: level})) == {
        "stock fell by exactly the units sold"
    }


def test_an_order_that_came_to_nothing_is_noticed(day: Day):
    refused = OutOfStockError("APR-CHA-M", requested=1, available=0)
    orders = {name: order for name, order in day.orders.items() if name != CLEO.name}
    payments = {name: each for name, each in day.payments.items() if name != CLEO.name}
    changed = replace(
        day, orders=orders, payments=payments, refusals={**day.refusals, CLEO.name: refused}
    )
    assert "Cleo paid although the gateway gave no answer at first" in false_claims(changed)


def test_a_parcel_that_stayed_on_the_shelf_is_noticed(day: Day):
    sku = ADA.wishes[0].sku
    level = replace(day.after[sku], on_hand=day.before[sku].on_hand)
    assert false_claims(replace(day, after={**day.after, sku: level})) == {
        "Ada's parcel contains her order and left the stock"
    }


def test_amends_that_were_not_made_are_noticed(day: Day):
    nothing = Money.zero("USD")
    unpaid = [replace(each, refunded=nothing) for each in day.payments[CLEO.name]]
    changed = replace(day, payments={**day.payments, CLEO.name: unpaid})
    assert "Cleo was refunded $5.00 for a loose thread" in false_claims(changed)


def test_selling_what_is_not_there_is_noticed(day: Day):
    assert false_claims(replace(day, refusals={})) == {
        f"{DREW.name} could not buy more than is in stock"
    }


def test_a_counter_that_differs_is_noticed(day: Day):
    assert false_claims(replace(day, discrepancies=1)) == {
        "every stock counter matches the ledger"
    }


def test_a_false_claim_ends_the_demo_with_1(day: Day, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(typer.Exit) as ended:
        conclude(claims_of(replace(day, discrepancies=1)))
    assert ended.value.exit_code == 1
    assert capsys.readouterr().err == (
        "quickshop: false: every stock counter matches the ledger (1 counters differ)\n"
    )
    conclude(claims_of(day))


def test_the_demo_can_be_read_on_any_terminal(tmp_path: Path):
    told = quickshop(tmp_path, "demo", LC_ALL="C", PYTHONIOENCODING="ascii")
    assert told.returncode == 0, told.stderr
    assert told.stdout.isascii()

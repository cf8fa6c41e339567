"""A shop that the first release left behind goes on where it stopped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Column, Connection, Integer, MetaData, Table, create_engine, text

from quickshop import Money
from quickshop.adapters.sql import migrations
from quickshop.container import migrate_database
from quickshop.domain.orders import OrderStatus
from quickshop.domain.payments import PaymentStatus
from tests.integration.backends import open_engine
from tests.integration.buyers import Buyers, open_buyers, problems, settings_for, stock
from tests.integration.conftest import create_database, drop_database, url_of

FIRST = "0001"


@pytest.fixture
def first_release_url(any_database_url: str, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database as the first release made it, of the same kind as the other."""
    if any_database_url.startswith("sqlite"):
        url = f"sqlite:///{tmp_path}/first.db"
        _migrate_to(url, FIRST)
        yield url
        return
    name = f"quickshop_first_{uuid4().hex}"
    create_database(any_database_url, name)
    _migrate_to(url_of(any_database_url, name), FIRST)
    yield url_of(any_database_url, name)
    drop_database(any_database_url, name)


def _migrate_to(url: str, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with open_engine(url) as engine, engine.connect() as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _tables(connection: Connection) -> dict[str, Table]:
    found = MetaData()
    found.reflect(connection)
    kept = [table for table in found.sorted_tables if "search" not in table.name]
    return {table.name: table for table in kept if table.name != "alembic_version"}


def _copy_to_the_first_release(url: str, first_url: str) -> None:
    """What is in a database of today, as far as the first release knew such things."""
    today, first = create_engine(_driver(url)), create_engine(_driver(first_url))
    try:
        with today.connect() as source, first.begin() as target:
            now = _tables(source)
            for name, table in _tables(target).items():
                columns = [now[name].c[known.name] for known in table.c if not _is_given(known)]
                rows = source.execute(now[name].select().with_only_columns(*columns)).mappings()
                if copied := [dict(row) for row in rows]:
                    if target.execute(table.select()).first():  # what a migration put there
                        target.execute(table.delete())
                    target.execute(table.insert(), copied)
    finally:
        today.dispose()
        first.dispose()


def _is_given(column: Column[Any]) -> bool:
    """Whether the database says what stands there."""
    numbers_rows = column.name == "id" and isinstance(column.type, Integer)
    return numbers_rows or column.computed is not None


def _driver(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://")


def _as_the_first_release_had_it(url: str) -> None:
    """Refunds were jobs of a kind that there is no more, and stood nowhere else."""
    with open_engine(url) as engine, engine.begin() as connection:
        for statement in (
            "DELETE FROM jobs WHERE effect = 'settle_payments'",
            "UPDATE jobs SET effect = 'refund_canceled_order' WHERE effect = 'mail_cancellation'",
            "UPDATE payments SET refunded_minor = 0, check_at = NULL WHERE status = 'captured'",
        ):
            connection.execute(text(statement))


@contextmanager
def _upgraded(buyers: Buyers, url: str, first_url: str, folder: Path) -> Iterator[Buyers]:
    buyers.shop.close()
    _copy_to_the_first_release(url, first_url)
    _as_the_first_release_had_it(first_url)
    migrate_database(settings_for(first_url, folder))
    with open_buyers(first_url, folder) as upgraded:
        yield upgraded


def test_an_order_that_the_first_release_canceled_gets_its_money_back_after_the_upgrade(
    any_database_url: str, first_release_url: str, tmp_path: Path
) -> None:
    with open_buyers(any_database_url, tmp_path) as buyers:
        stock(buyers.shop, "MUG", 10)
        order = buyers.check_out(buyers.fill("MUG", quantity=2)).order
        buyers.shop.run_jobs()
        buyers.shop.orders.cancel(order.id)
    with _upgraded(buyers, any_database_url, first_release_url, tmp_path) as upgraded:
        upgraded.shop.jobs.ask_again_about_payments()
        upgraded.shop.run_jobs()
        (payment,) = upgraded.shop.orders.payments(order.id)
        assert payment.status is PaymentStatus.REFUNDED
        assert payment.refunded == Money(2500, "USD")
        assert upgraded.shop.orders.get(order.id).status is OrderStatus.CANCELED
        assert problems(upgraded.shop) == []


def test_orders_of_the_first_release_are_paid_shipped_and_refunded_after_the_upgrade(
    any_database_url: str, first_release_url: str, tmp_path: Path
) -> None:
    with open_buyers(any_database_url, tmp_path) as buyers:
        stock(buyers.shop, "MUG", 10)
        paid = buyers.check_out(buyers.fill("MUG", quantity=2)).order
        buyers.shop.run_jobs()
        pending = buyers.check_out(buyers.fill("MUG")).order
    with _upgraded(buyers, any_database_url, first_release_url, tmp_path) as upgraded:
        shop = upgraded.shop
        shop.run_jobs()
        assert shop.orders.get(pending.id).status is OrderStatus.PAID
        shop.orders.refund(paid.id, amount=Money(1000, "USD"))
        shop.run_jobs()
        assert shop.orders.payments(paid.id)[0].refunded == Money(1000, "USD")
        assert shop.orders.fulfill(paid.id).value.status is OrderStatus.FULFILLED
        assert problems(shop) == []

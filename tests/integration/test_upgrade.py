"""A shop goes on where it stopped when the next release migrates its database.

There is one migration so far, so that no release before it could be upgraded. The next migration
is made up here, to test the machinery that will run it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Connection, inspect, text

from quickshop import Money, open_shop
from quickshop.adapters.sql import migrations
from quickshop.domain.errors import AdapterError, SchemaError
from quickshop.domain.orders import OrderId, OrderStatus
from tests.integration.backends import open_engine, rows_by_table
from tests.integration.buyers import open_buyers, problems, stock

NEXT: Final = "0002"
HEADER: Final = f"""
import sqlalchemy as sa
from alembic import op

revision = "{NEXT}"
down_revision = "{migrations.HEAD}"


def upgrade():
"""
REBUILDS_ORDERS: Final = """
    with op.batch_alter_table("orders") as orders:
        orders.add_column(sa.Column("gift", sa.Boolean(), nullable=False, server_default="0"))
        orders.drop_constraint(op.f("ck_orders_adds_up"), type_="check")
        orders.create_check_constraint(
            op.f("ck_orders_adds_up"),
            "total_minor = subtotal_minor - discount_minor + shipping_minor + tax_minor",
        )
"""
"""SQLite copies a table to change it. Lines, payments and events refer to this one."""
FAILS_HALFWAY: Final = """
    op.execute("ALTER TABLE orders ADD COLUMN gift INTEGER")
    op.execute("UPDATE orders SET total_minor = total_minor + 1")
"""
LEAVES_LINES_WITHOUT_ORDER: Final = """
    op.execute("DELETE FROM orders")
"""

NextRelease = Callable[[str], Path]


@pytest.fixture
def next_release(tmp_path: Path) -> NextRelease:
    """Write the migrations of a release that has one more."""

    def write(upgrade: str) -> Path:
        scripts = tmp_path / "migrations"
        shutil.copytree(migrations.SCRIPTS, scripts)
        (scripts / "versions" / f"{NEXT}_next.py").write_text(HEADER + upgrade)
        return scripts

    return write


@pytest.fixture
def order_id(any_database_url: str, tmp_path: Path) -> OrderId:
    """Order two units of ten, and pay for them."""
    with open_buyers(any_database_url, tmp_path) as buyers:
        stock(buyers.shop, "MUG", 10)
        order = buyers.check_out(buyers.fill("MUG", quantity=2)).order
        buyers.shop.run_jobs()
    return order.id


def migrate(url: str, scripts: Path) -> str | None:
    """Upgrade the database; its revision afterwards."""
    with open_engine(url) as engine:
        migrations.migrate(engine, scripts)
        return migrations.revision(engine)


def columns_of_orders(connection: Connection) -> set[str]:
    return {column["name"] for column in inspect(connection).get_columns("orders")}


def test_an_upgrade_keeps_every_row_and_the_shop_goes_on(
    any_database_url: str, next_release: NextRelease, order_id: OrderId, tmp_path: Path
) -> None:
    before = rows_by_table(any_database_url)
    assert migrate(any_database_url, next_release(REBUILDS_ORDERS)) == NEXT
    assert rows_by_table(any_database_url) == before
    with open_engine(any_database_url) as engine, engine.begin() as connection:
        assert "gift" in columns_of_orders(connection)
        # This code may use the table again: the new column has a default.
        connection.execute(text(f"UPDATE alembic_version SET version_num = '{migrations.HEAD}'"))
    with open_buyers(any_database_url, tmp_path) as buyers:
        buyers.shop.orders.refund(order_id, amount=Money(1000, "USD"))
        buyers.shop.run_jobs()
        assert buyers.shop.orders.payments(order_id)[0].refunded == Money(1000, "USD")
        assert buyers.shop.orders.fulfill(order_id).value.status is OrderStatus.FULFILLED
        assert problems(buyers.shop) == []


def test_an_upgrade_that_ran_before_changes_nothing(
    any_database_url: str, next_release: NextRelease
) -> None:
    scripts = next_release(REBUILDS_ORDERS)
    assert [migrate(any_database_url, scripts) for _ in range(2)] == [NEXT, NEXT]


def test_a_release_refuses_a_database_that_the_next_one_upgraded(
    any_database_url: str, next_release: NextRelease
) -> None:
    migrate(any_database_url, next_release(REBUILDS_ORDERS))
    with pytest.raises(SchemaError, match=NEXT):
        open_shop(any_database_url)
    with pytest.raises(SchemaError, match="does not know"):
        migrate(any_database_url, migrations.SCRIPTS)


@pytest.mark.usefixtures("order_id")
@pytest.mark.parametrize("upgrade", [FAILS_HALFWAY, LEAVES_LINES_WITHOUT_ORDER])
def test_an_upgrade_that_fails_leaves_the_database_as_it_was(
    any_database_url: str, next_release: NextRelease, upgrade: str
) -> None:
    before = rows_by_table(any_database_url)
    with pytest.raises(AdapterError):
        migrate(any_database_url, next_release(upgrade))
    assert rows_by_table(any_database_url) == before
    with open_engine(any_database_url) as engine, engine.connect() as connection:
        assert "gift" not in columns_of_orders(connection)
        assert migrations.revision(engine) == migrations.HEAD

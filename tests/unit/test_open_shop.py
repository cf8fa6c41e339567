"""Whoever opens a shop decides what it reaches out to."""

from __future__ import annotations

from pathlib import Path

from quickshop import Money, NewVariant, OrderStatus, PaymentSource, open_shop
from quickshop.adapters.memory.notifications import MemoryNotifier
from tests.builders import an_address
from tests.scripted import ScriptedGateway


def test_a_shop_pays_and_mails_through_what_it_is_opened_with() -> None:
    gateway, notifier = ScriptedGateway(lambda: False), MemoryNotifier()
    with open_shop("memory://", payment_gateway=gateway, notifier=notifier) as shop:
        shop.products.create(
            title="Mug", variants=[NewVariant(sku="MUG", price=Money(1250, "USD"))]
        )
        shop.inventory.receive("MUG", 1)
        new = shop.carts.create()
        shop.carts.add_line(new.cart.id, new.token, sku="MUG")
        placed = shop.orders.place(
            new.cart.id,
            new.token,
            email="ada@example.com",
            shipping_address=an_address(),
            payment=PaymentSource("tok_ok"),
        )
        shop.run_jobs()
        assert shop.orders.get(placed.order.id).status is OrderStatus.PAID
    assert list(gateway.captured.values()) == [Money(1250, "USD")]
    assert [message.recipient for message in notifier.sent] == ["ada@example.com"]


def test_nobody_else_on_the_machine_reads_a_database_that_the_shop_makes(tmp_path: Path) -> None:
    with open_shop(f"sqlite:///{tmp_path}/shop.db") as shop:
        shop.carts.create()
        modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.glob("shop.db*")}
    assert modes == dict.fromkeys(("shop.db", "shop.db-wal", "shop.db-shm"), 0o600)


def test_a_database_that_is_there_keeps_the_mode_that_it_has(tmp_path: Path) -> None:
    file = tmp_path / "shop.db"
    file.touch()
    file.chmod(0o640)
    with open_shop(f"sqlite:///{file}") as shop:
        shop.carts.create()
    assert file.stat().st_mode & 0o777 == 0o640

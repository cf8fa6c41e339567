"""A stocked shop on a real database, and shoppers who all come at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from quickshop import Money, PaymentSource, open_shop
from quickshop.application.cart import NewCart
from quickshop.application.catalog import NewVariant
from quickshop.application.checkout import PlacedOrder
from quickshop.domain.errors import QuickShopError
from quickshop.settings import Settings
from quickshop.shop import Shop
from tests.builders import an_address
from tests.processes import eventually


@dataclass(frozen=True, slots=True)
class Buyers:
    """Shoppers of one shop."""

    shop: Shop

    def fill(self, *skus: str, quantity: int = 1) -> NewCart:
        """A cart with these SKUs, in this order."""
        cart = self.shop.carts.create()
        for sku in skus:
            self.shop.carts.add_line(cart.cart.id, cart.token, sku=sku, quantity=quantity)
        return cart

    def check_out(
        self, cart: NewCart, *, key: str | None = None, pay_with: str = "tok_ok"
    ) -> PlacedOrder:
        """Order what is in the cart."""
        return self.shop.orders.place(
            cart.cart.id,
            cart.token,
            email="ada@example.com",
            shipping_address=an_address(),
            payment=PaymentSource(pay_with),
            idempotency_key=key,
        )

    def all_at_once(
        self, carts: Sequence[NewCart], *, clients: int, key: str | None = None
    ) -> Counter[str]:
        """How often each outcome came, when that many check out side by side."""

        def outcome(cart: NewCart) -> str:
            try:
                return "replayed" if self.check_out(cart, key=key).replayed else "placed"
            except QuickShopError as error:
                return error.code

        with ThreadPoolExecutor(clients) as pool:
            return Counter(pool.map(outcome, carts))


def stock(shop: Shop, sku: str, units: int, *, location: str = "main") -> None:
    """Sell a product of one variant, and put units of it on the shelf."""
    shop.products.create(
        title=f"Product {sku}", variants=[NewVariant(sku=sku, price=Money(1250, "USD"))]
    )
    shop.inventory.receive(sku, units, location=location)


def problems(shop: Shop) -> list[str]:
    """What `quickshop doctor` would find wrong with the stock and the queue."""
    return [finding.detail for finding in shop.check() if not finding.ok]


def settings_for(url: str, folder: Path, **more: object) -> Settings:
    """Settings of a shop on this database that leaves its files in this folder."""
    return Settings.load(
        database_url=url,
        mail_dir=str(folder / "mail"),
        sandbox_book=str(folder / "sandbox.db"),
        **more,
    )


@contextmanager
def open_buyers(url: str, folder: Path, **more: object) -> Iterator[Buyers]:
    """Buyers of a shop on a migrated database."""
    with open_shop(settings=settings_for(url, folder, **more)) as shop:
        yield Buyers(shop)


def until(condition: Callable[[], bool], *, what: str) -> None:
    """Wait for something to come true."""
    assert eventually(condition), f"waited in vain: {what}"

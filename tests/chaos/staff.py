"""A member of staff who counts, prices, ships, cancels and refunds while shoppers shop."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from threading import Event
from typing import Any, Final
from uuid import UUID

from quickshop import Money, Shop, open_shop
from quickshop.domain.errors import QuickShopError, TransientError
from quickshop.domain.orders import OrderStatus
from quickshop.ports.orders import OrderView
from quickshop.settings import Settings
from tests.chaos.journal import Journal
from tests.chaos.shoppers import StoredLevel

PAUSE_SECONDS: Final = 0.4
LATEST: Final = 20
TRIES: Final = 30


@dataclass(slots=True)
class StaffMember:
    """Uses the library, as a program of the merchant would, on the database of the fleet."""

    settings: Settings
    seed: int
    shelf: StoredLevel
    journal: Journal
    stop: Event
    refunds: int = 0
    parcels: int = 0
    random: Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = Random(f"staff {self.seed}")

    def run(self) -> None:
        """Work until `stop` is set."""
        with open_shop(settings=self.settings) as shop:
            actions = (
                self._receive,
                self._correct,
                self._price,
                self._cancel,
                self._refund,
                self._ship,
            )
            while not self.stop.is_set():
                self.random.choice(actions)(shop)
                self.stop.wait(self.random.uniform(0, 2 * PAUSE_SECONDS))

    def _receive(self, shop: Shop) -> None:
        sku, units = self._some_sku(), self.random.randint(1, 3)
        self._do("receive", lambda: shop.inventory.receive(sku, units), sku=sku, units=units)

    def _correct(self, shop: Shop) -> None:
        sku, by = self._some_sku(), self.random.choice([-2, -1, 1])
        facts = {"sku": sku, "units": max(by, 0)}
        self._do("adjust", lambda: shop.inventory.adjust(sku, by, reason="counted"), **facts)

    def _price(self, shop: Shop) -> None:
        sku = self.random.choice(sorted(self.shelf.plenty))
        price = Money(self.random.randint(500, 600), "USD")
        self._do("price", lambda: shop.products.change_price(sku, price), sku=sku)

    def _cancel(self, shop: Shop) -> None:
        if order := self._some_order(shop):
            facts = {"order": str(order.id)}
            self._do("cancel", lambda: shop.orders.cancel(order.id, reason="not today"), **facts)

    def _refund(self, shop: Shop) -> None:
        """Refund all or a part; repeat with the same key until there is an answer."""
        if not (order := self._some_order(shop, OrderStatus.PAID)):
            return
        part = Money(self.random.randint(1, order.total.minor), order.total.currency)
        amount = self.random.choice([None, part])
        self.refunds += 1
        key = f"refund {self.refunds}"

        def refund() -> None:
            shop.orders.refund(order.id, amount=amount, reason=key, idempotency_key=key)

        self._insist("refund", refund, order=str(order.id), key_of_staff=key)

    def _ship(self, shop: Shop) -> None:
        """All that is left of an order, or a unit of it, which may leave some for later."""
        if not (order := self._some_order(shop, OrderStatus.PAID)):
            return
        part: Mapping[UUID | str, int] = {self.random.choice(order.lines).sku: 1}
        lines = self.random.choice([None, part])
        self.parcels += 1
        key = f"parcel {self.parcels}"

        def ship() -> None:
            shop.orders.fulfill(order.id, lines=lines, tracking_number=key, idempotency_key=key)

        self._insist("ship", ship, order=str(order.id), key_of_staff=key)

    def _some_order(self, shop: Shop, status: OrderStatus | None = None) -> OrderView | None:
        try:
            orders = shop.orders.list(status=status, limit=LATEST).items
        except QuickShopError:
            return None
        return self.random.choice(orders) if orders else None

    def _insist(self, what: str, action: Callable[[], object], **facts: Any) -> None:
        for _ in range(TRIES):
            if self._do(what, action, **facts):
                break
            time.sleep(self.random.uniform(0, PAUSE_SECONDS))

    def _do(self, what: str, action: Callable[[], object], **facts: Any) -> bool:
        """Try once, and write down what was meant before and what came of it after.

        Returns whether the result is known now.
        """
        self.journal.write(f"ask {what}", who="staff", **facts)
        try:
            action()
        except QuickShopError as error:
            self.journal.write(what, who="staff", trouble=error.code, said=str(error), **facts)
            return not isinstance(error, TransientError)
        self.journal.write(what, who="staff", status=200, **facts)
        return True

    def _some_sku(self) -> str:
        hot = self.shelf.hot
        return hot if hot and self.random.random() < 0.5 else self._plenty()

    def _plenty(self) -> str:
        return self.random.choice(sorted(self.shelf.plenty))

"""The events of the demonstration: five shoppers, each with another outcome."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Final
from uuid import uuid4

from quickshop.adapters.sandbox.book import Book
from quickshop.adapters.sandbox.payments import SandboxGateway
from quickshop.application.checkout import PlacedOrder
from quickshop.application.health import Finding
from quickshop.application.imports import ImportReport
from quickshop.domain.customers import Address
from quickshop.domain.errors import NotFoundError, OutOfStockError
from quickshop.domain.money import Money
from quickshop.domain.orders import OrderStatus
from quickshop.domain.payments import PaymentSource, RefundStatus
from quickshop.entrypoints.cli.context import opened_shop
from quickshop.entrypoints.cli.imports import SAMPLE_CURRENCY, sample_catalog
from quickshop.ports.catalog import ProductQuery
from quickshop.ports.inventory import StockView
from quickshop.ports.orders import OrderView
from quickshop.ports.payments import PaymentView
from quickshop.settings import Settings
from quickshop.shop import Shop

DEADLINE_SECONDS: Final = 10
"""Time limit of each wait for the worker."""
_LOOK_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class Wish:
    """A product that a shopper searches for, and the quantity."""

    words: str
    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Shopper:
    """A shopper and their payment."""

    name: str
    city: str
    postal_code: str
    country: str
    wishes: tuple[Wish, ...]
    token: str
    """Payment token; it decides what the sandbox gateway does."""

    @property
    def email(self) -> str:
        """Email address."""
        return f"{self.name.lower()}@example.com"


_MUGS_AND_TEA: Final = (Wish("enamel mug", "MUG-NAVY", 2), Wish("tea", "TEA-SENCHA", 1))
_NOTEBOOKS: Final = (Wish("notebook", "NOTE-RULED", 3),)
_APRON: Final = (Wish("linen apron", "APR-CHA-M", 1),)
_THROWS: Final = (Wish("wool throw", "THROW-SLATE", 5),)
_TOTE: Final = (Wish("canvas tote", "TOTE-L", 1),)

ADA: Final = Shopper("Ada", "London", "SW1A 1AA", "GB", _MUGS_AND_TEA, "tok_ok")
BEN: Final = Shopper("Ben", "Dublin", "D02 X285", "IE", _NOTEBOOKS, "tok_declined")
CLEO: Final = Shopper("Cleo", "Lisbon", "1100-148", "PT", _APRON, "tok_timeout_then_ok")
DREW: Final = Shopper("Drew", "Oslo", "0150", "NO", _THROWS, "tok_ok")
EVE: Final = Shopper("Eve", "Vienna", "1010", "AT", _TOTE, "tok_ok")
SHOPPERS: Final = (ADA, BEN, CLEO, DREW, EVE)

CANCEL_REASON: Final = "found one at home"
CARRIER: Final = "Snail & Sons"
TRACKING_NUMBER: Final = "SN-0042"
PARTIAL_REFUND: Final = Money(500, SAMPLE_CURRENCY)
"""Refund to the shopper whose apron has a loose thread."""
PARTIAL_REFUND_REASON: Final = "a loose thread"


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The observed results of the day."""

    report: ImportReport
    before: Mapping[str, StockView]
    after: Mapping[str, StockView]
    """By SKU."""
    orders: Mapping[str, OrderView]
    payments: Mapping[str, Sequence[PaymentView]]
    """By the shopper's name, as in `orders`; refused shoppers are in neither."""
    refusals: Mapping[str, OutOfStockError]
    discrepancies: int
    findings: Sequence[Finding]
    mails: Sequence[EmailMessage]
    """Emails of the outgoing folder, oldest first."""
    book: Book
    """The gateway's book, read independently of the shop."""
    seconds: float


def live_a_day(settings: Settings) -> Day:
    """Import the sample catalog, let the shoppers buy, and wait for the worker.

    Raises:
        QuickShopError: an unexpected failure.
    """
    began = time.monotonic()
    mail_dir, book_file = Path(settings.mail_dir or ""), settings.sandbox_book or ""
    with opened_shop(settings, worker=True) as shop:
        with sample_catalog() as path:
            report = shop.products.import_file(path, currency=SAMPLE_CURRENCY)
        before = _stock(shop)
        placed, refusals = _let_them_shop(shop)
        _see_it_through(shop, placed, mail_dir)
        orders = {name: shop.orders.get(one.order.id) for name, one in placed.items()}
        return Day(
            report=report,
            before=before,
            after=_stock(shop),
            orders=orders,
            payments={name: shop.orders.payments(one.id) for name, one in orders.items()},
            refusals=refusals,
            discrepancies=len(shop.inventory.reconcile()),
            findings=shop.check(),
            mails=_read_mails(mail_dir),
            book=SandboxGateway(book_file, slow_seconds=0).book(),
            seconds=time.monotonic() - began,
        )


def _let_them_shop(shop: Shop) -> tuple[dict[str, PlacedOrder], dict[str, OutOfStockError]]:
    placed: dict[str, PlacedOrder] = {}
    refusals: dict[str, OutOfStockError] = {}
    for shopper in SHOPPERS:
        try:
            placed[shopper.name] = buy(shop, shopper)
        except OutOfStockError as error:
            refusals[shopper.name] = error
    return placed, refusals


def buy(shop: Shop, shopper: Shopper) -> PlacedOrder:
    """Search, fill a cart and check out at the total of the cart.

    Raises:
        OutOfStockError: fewer units are available than requested.
    """
    cart = shop.carts.create()
    view = cart.cart
    for wish in shopper.wishes:
        sku = _find(shop, wish)
        view = shop.carts.add_line(view.id, cart.token, sku=sku, quantity=wish.quantity)
    return shop.orders.place(
        view.id,
        cart.token,
        email=shopper.email,
        shipping_address=Address(
            name=shopper.name,
            line1="1 Market Square",
            city=shopper.city,
            postal_code=shopper.postal_code,
            country=shopper.country,
        ),
        payment=PaymentSource(shopper.token),
        expected_total=view.total,
        idempotency_key=str(uuid4()),
    )


def _find(shop: Shop, wish: Wish) -> str:
    found = shop.products.list(ProductQuery(text=wish.words, in_stock=True)).items
    skus = [variant.sku for product in found for variant in product.variants]
    if wish.sku not in skus:
        raise NotFoundError(f"product among those found for {wish.words!r}")
    return wish.sku


def _see_it_through(shop: Shop, placed: Mapping[str, PlacedOrder], mail_dir: Path) -> None:
    """Wait for the payments; ship one order, refund part of one, cancel one, and wait again.

    After a timeout the day continues, and the claims show what is missing.
    """

    def status(one: PlacedOrder) -> OrderStatus:
        return shop.orders.get(one.order.id).status

    _wait(lambda: OrderStatus.PENDING not in map(status, placed.values()))
    paid = {name: one for name, one in placed.items() if status(one) is OrderStatus.PAID}
    if shipped := paid.get(ADA.name):
        shop.orders.fulfill(shipped.order.id, carrier=CARRIER, tracking_number=TRACKING_NUMBER)
    if blemished := paid.get(CLEO.name):
        shop.orders.refund(blemished.order.id, amount=PARTIAL_REFUND, reason=PARTIAL_REFUND_REASON)
    if canceled := placed.get(EVE.name):
        shop.orders.cancel_own(canceled.order.id, canceled.token or "", reason=CANCEL_REASON)
    for one in placed.values():
        _wait(lambda one=one: _is_settled(shop, one))  # type: ignore[misc]
    _wait(lambda: len(_read_mails(mail_dir)) >= len(placed) + 4)


def _is_settled(shop: Shop, placed: PlacedOrder) -> bool:
    refunds = [
        each for payment in shop.orders.payments(placed.order.id) for each in payment.refunds
    ]
    return all(refund.status is not RefundStatus.PENDING for refund in refunds)


def _wait(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not done() and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)


def _stock(shop: Shop) -> dict[str, StockView]:
    wished = [wish.sku for shopper in SHOPPERS for wish in shopper.wishes]
    return {sku: level for sku in wished for level in shop.inventory.list(sku=sku).items}


def _read_mails(folder: Path) -> list[EmailMessage]:
    files = sorted(folder.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
    return [message_from_bytes(file.read_bytes(), policy=default) for file in files]

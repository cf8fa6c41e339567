"""Small things to build a shop's day from. `a_…` builds; `store_…` also stores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final
from uuid import UUID

from uuid_utils.compat import uuid7

from quickshop.application.shopper import digest
from quickshop.domain.cart import Cart, CartId, CartLineId
from quickshop.domain.catalog import (
    Image,
    Offer,
    Product,
    ProductContent,
    ProductId,
    Variant,
    VariantContent,
    VariantId,
)
from quickshop.domain.customers import Address
from quickshop.domain.inventory import (
    Allocation,
    AllocationId,
    Location,
    LocationId,
    MovementKind,
    StockLevel,
    StockMovement,
)
from quickshop.domain.money import Money
from quickshop.domain.orders import Order, OrderId, OrderLine, OrderLineId
from quickshop.domain.payments import Payment, PaymentId, PaymentSource
from quickshop.ports.unit_of_work import UnitOfWork

NOW: Final = datetime(2026, 3, 4, 5, 6, 7, 891_011, tzinfo=UTC)
LATER: Final = NOW + timedelta(hours=1)
AWKWARD: Final = 'Crème "brûlée" d\'Ωmega; 50 % _ \\ 🚲'
"""Text that breaks wrong quoting, collation, LIKE and 3-byte UTF-8."""
CARD: Final = PaymentSource("tok_ok")
CART_TOKEN: Final = "secret-of-the-cart"
ORDER_TOKEN: Final = "secret-of-the-order"


_serial = count(1)


def facts(thing: Any) -> dict[str, object]:
    """Every field of a dataclass, to compare two that have no equality of their own."""
    return {f.name: getattr(thing, f.name) for f in fields(thing) if f.name != "_events"}


class MovableClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def advance(self, **by: float) -> datetime:
        """Advance the clock by a `timedelta` of these arguments, and return the time."""
        self._now += timedelta(**by)
        return self._now


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def a_sku() -> str:
    return f"SKU-{next(_serial):05}"


def a_variant(sku: str | None = None, price: Money | None = None, **more: Any) -> Variant:
    content = VariantContent(
        sku=a_sku() if sku is None else sku,
        price=eur(1999) if price is None else price,
        **more,
    )
    return Variant(VariantId(uuid7()), content)


def a_product(*variants: Variant, **more: Any) -> Product:
    """A product new to the catalog; with one variant unless some are given."""
    more.setdefault("title", f"Product {next(_serial)}")
    more.setdefault("handle", f"product-{next(_serial)}")
    content = ProductContent(**more)
    product = Product(id=ProductId(uuid7()), content=content, variants=variants or (a_variant(),))
    return Product.create(product, now=NOW)


def a_rich_product(**more: Any) -> Product:
    """A product with something in every field that needs no category."""
    variants = (
        a_variant(
            options=("Größe 54", "Schwarz", "🚲"),
            compare_at_price=eur(2999),
            weight_grams=11_250,
            barcode="4006381333931",
            requires_shipping=False,
            taxable=False,
        ),
        a_variant(options=("Größe 56", "Schwarz", "🚲"), price=eur(0)),
    )
    given: dict[str, Any] = {
        "title": AWKWARD,
        "description_html": f"<p>{AWKWARD}</p>\n<p>two lines</p>",
        "vendor": "Café Ångström & Söhne",
        "product_type": "Fahrräder",
        "tags": ("zweirad", "Neu!", "a,b", "'quoted'"),
        "option_names": ("Größe", "Farbe", "Emoji"),
        "images": (
            Image("https://example.com/1.jpg", AWKWARD, 1),
            Image("https://example.com/2.png", "", 2),
        ),
        "metadata": {"Google / MPN": "X-1", "leer": "", "🚲": AWKWARD},
    }
    return a_product(*variants, **(given | more))


def revised(product: Product, **changes: Any) -> tuple[ProductContent, tuple[Variant, ...]]:
    """The content and variants of a product with some fields changed, to `revise` it by."""
    variants = changes.pop("variants", product.variants)
    return replace(product.content, **changes), variants


def an_offer(product: Product, variant: Variant | None = None) -> Offer:
    chosen = variant or product.variants[0]
    return Offer(
        variant_id=chosen.id,
        product_id=product.id,
        sku=chosen.sku,
        title=product.title,
        variant_title=chosen.content.title,
        unit_price=chosen.price,
        published=product.content.published,
    )


def an_address(**changes: str | None) -> Address:
    given: dict[str, Any] = {
        "name": 'Ada "Countess" Lovelace',
        "line1": "12 St. James's Square",
        "line2": "2ᵉ étage 🚪",
        "city": "Łódź",
        "region": "Łódzkie",
        "postal_code": "90-001",
        "country": "PL",
        "phone": "+48 42 123 45 67",
    }
    return Address(**(given | changes))


def a_cart(*, token: str = CART_TOKEN, currency: str = "EUR", now: datetime = NOW) -> Cart:
    return Cart.create(id=CartId(uuid7()), token_digest=digest(token), currency=currency, now=now)


def a_cart_with(*products: Product, quantity: int = 1, **more: Any) -> Cart:
    """A cart with so many units of every variant of these products."""
    cart = a_cart(**more)
    for product in products:
        for variant in product.variants:
            line_id = CartLineId(uuid7())
            cart.add(an_offer(product, variant), quantity, line_id=line_id, now=NOW)
    return cart


def an_order(
    cart: Cart,
    *,
    number: str = "1001",
    token: str = ORDER_TOKEN,
    email: str = "ada@example.com",
    now: datetime = NOW,
) -> Order:
    """The order that this cart becomes."""
    return an_order_of(
        [OrderLine.of(line, id=OrderLineId(uuid7())) for line in cart.lines],
        cart_id=cart.id,
        number=number,
        token=token,
        email=email,
        now=now,
    )


def an_order_of(
    lines: Sequence[OrderLine],
    *,
    cart_id: CartId,
    number: str = "1001",
    token: str = ORDER_TOKEN,
    email: str = "ada@example.com",
    now: datetime = NOW,
) -> Order:
    return Order.place(
        id=OrderId(uuid7()),
        number=number,
        cart_id=cart_id,
        token_digest=digest(token),
        email=email,
        lines=tuple(lines),
        shipping_address=an_address(),
        billing_address=an_address(line2=None, region=None, phone=None, name="Бухгалтерия"),
        now=now,
        expires_at=now + timedelta(hours=1),
    )


def a_payment(order: Order, *, attempt: int = 1, now: datetime = NOW) -> Payment:
    return Payment.attempt_for(
        id=PaymentId(uuid7()),
        order_id=order.id,
        attempt=attempt,
        amount=order.total,
        source=PaymentSource(f"tok_{AWKWARD}", "card"),
        now=now,
    )


def an_allocation(order: Order, level: StockLevel, quantity: int | None = None) -> Allocation:
    """Build the allocation of the order line of the level's variant: all units by default."""
    line = next(line for line in order.lines if line.variant_id == level.variant_id)
    return Allocation(
        id=AllocationId(uuid7()),
        order_id=order.id,
        order_line_id=line.id,
        variant_id=level.variant_id,
        sku=level.sku,
        location_id=level.location_id,
        quantity=line.quantity if quantity is None else quantity,
    )


def received(level: StockLevel, quantity: int) -> StockMovement:
    return StockMovement(
        kind=MovementKind.RECEIVED,
        variant_id=level.variant_id,
        sku=level.sku,
        location_id=level.location_id,
        on_hand=quantity,
        occurred_at=NOW,
        reason=AWKWARD,
    )


def store_product(unit_of_work: UnitOfWork, product: Product | None = None) -> Product:
    stored = product or a_product()
    with unit_of_work() as tx:
        tx.products.add(stored)
    return stored


def stock_up(
    unit_of_work: UnitOfWork,
    variant: Variant,
    units: int,
    *,
    location: str = "main",
    priority: int = 0,
    backorder_limit: int = 0,
) -> StockLevel:
    """Receive units of a stored variant, and return the level."""
    with unit_of_work() as tx:
        place = tx.stock.get_or_create_location(
            Location(id=LocationId(uuid7()), name=location, priority=priority)
        )
        opened = StockLevel(
            variant_id=variant.id,
            sku=variant.sku,
            location_id=place.id,
            backorder_limit=backorder_limit,
        )
        level = tx.stock.get_or_create_level(opened)
        if units:
            tx.stock.record([received(level, units)])
        levels = tx.stock.levels([variant.id])
        return next(level for level in levels if level.location_id == place.id)


def store_cart(unit_of_work: UnitOfWork, *products: Product, quantity: int = 1) -> Cart:
    """A stored cart with so many units of every variant of these stored products."""
    cart = a_cart_with(*products, quantity=quantity)
    with unit_of_work() as tx:
        tx.carts.add(cart)
    return cart


def store_order(
    unit_of_work: UnitOfWork,
    *products: Product,
    quantity: int = 1,
    token: str = ORDER_TOKEN,
    email: str = "ada@example.com",
    now: datetime = NOW,
    after: Callable[[Order], object] = lambda _order: None,
) -> Order:
    """A stored order of these stored products, on which `after` was called before storing."""
    bought = products or (store_product(unit_of_work, a_rich_product()),)
    cart = store_cart(unit_of_work, *bought, quantity=quantity)
    with unit_of_work() as tx:
        number = tx.orders.next_number()
        order = an_order(cart, number=number, token=token, email=email, now=now)
        after(order)
        tx.orders.add(order)
    return order


def store_payment(
    unit_of_work: UnitOfWork,
    order: Order | None = None,
    *,
    attempt: int = 1,
    after: Callable[[Payment], object] = lambda _payment: None,
) -> Payment:
    """A stored payment on which `after` was called before storing."""
    payment = a_payment(order or store_order(unit_of_work), attempt=attempt)
    after(payment)
    with unit_of_work() as tx:
        tx.payments.add(payment)
    return payment


def paid(order: Order) -> None:
    order.mark_paid(now=NOW)


def declined(order: Order) -> None:
    order.mark_payment_failed(f"card_declined {AWKWARD}", now=NOW, expires_at=LATER)


def retried(order: Order) -> None:
    declined(order)
    order.retry_payment(2, now=NOW, expires_at=LATER)


def canceled(order: Order) -> None:
    order.cancel(AWKWARD, now=NOW)


def paid_too_late(order: Order) -> None:
    canceled(order)
    order.note_late_payment(now=NOW)


def new_id() -> UUID:
    return uuid7()

"""The claims of the demonstration, and whether they are true."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from quickshop.adapters.sandbox.book import Entry
from quickshop.domain.money import Money, total
from quickshop.domain.orders import OrderStatus
from quickshop.entrypoints.cli.demo_story import (
    ADA,
    BEN,
    CLEO,
    DREW,
    EVE,
    PARTIAL_REFUND,
    PARTIAL_REFUND_REASON,
    SHOPPERS,
    TRACKING_NUMBER,
    Day,
    Shopper,
)
from quickshop.entrypoints.cli.imports import SAMPLE_CURRENCY
from quickshop.entrypoints.cli.output import money
from quickshop.ports.orders import OrderView
from quickshop.ports.payments import PaymentView

_SOLD: Final = frozenset({OrderStatus.PAID, OrderStatus.FULFILLED})
_MAILED: Final = (ADA, ADA, BEN, CLEO, CLEO, EVE, EVE, EVE)
"""Recipients: one email per payment, then a parcel, a refund, a cancellation and its refund."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence about the day, whether it is true, and what was found."""

    text: str
    ok: bool
    detail: str


def claims_of(day: Day) -> Sequence[Claim]:
    """Return the claims that must be true after the day."""
    return [
        _imported(day),
        *_fates(day),
        _parcel_left(day),
        _partial_refund(day),
        _asked_again(day),
        _stock_adds_up(day),
        _ledger(day),
        _mails(day),
        *_gateway(day),
        *(Claim(f"doctor: {each.check}", each.ok, each.detail) for each in day.findings),
    ]


def _imported(day: Day) -> Claim:
    report = day.report
    accounted = report.imported_rows == report.rows > 0
    detail = f"{report.imported_rows} of {report.rows} rows, {report.variants} variants"
    return Claim("every row of the sample catalog was imported", accounted, detail)


def _fates(day: Day) -> Iterator[Claim]:
    expected = (
        (ADA, OrderStatus.FULFILLED, "paid, and her order was shipped"),
        (BEN, OrderStatus.PAYMENT_FAILED, "had a declined card and was not charged"),
        (CLEO, OrderStatus.PAID, "paid although the gateway gave no answer at first"),
        (EVE, OrderStatus.CANCELED, "canceled and was refunded"),
    )
    for shopper, status, fate in expected:
        order = day.orders.get(shopper.name)
        found = order.status if order else "there is no order"
        yield Claim(f"{shopper.name} {fate}", found == status and _money_is(day, shopper), found)
    refusal = day.refusals.get(DREW.name)
    detail = str(refusal) if refusal else "the order was placed"
    yield Claim(f"{DREW.name} could not buy more than is in stock", refusal is not None, detail)


def _money_is(day: Day, shopper: Shopper) -> bool:
    """Return whether the shop kept the right amount for an order: its price, or nothing."""
    order = day.orders[shopper.name]
    kept = total(
        [each.captured - each.refunded for each in day.payments[shopper.name]],
        order.total.currency,
    )
    return kept == _due(shopper.name, order)


def _due(name: str, order: OrderView) -> Money:
    """Return the amount that the shop must keep for an order."""
    if order.status not in _SOLD:
        return Money.zero(order.total.currency)
    return order.total - PARTIAL_REFUND if name == CLEO.name else order.total


def _parcel_left(day: Day) -> Claim:
    order = day.orders.get(ADA.name)
    parcels = order.fulfillments if order else ()
    ordered = {line.sku: line.quantity for line in order.lines} if order else {}
    packed = {item.sku: item.quantity for parcel in parcels for item in parcel.lines}
    gone = {sku: day.before[sku].on_hand - day.after[sku].on_hand for sku in ordered}
    tracked = all(parcel.tracking_number == TRACKING_NUMBER for parcel in parcels)
    ok = len(parcels) == 1 and tracked and packed == ordered == gone
    detail = f"{len(parcels)} parcel, {sum(packed.values())} units"
    return Claim(f"{ADA.name}'s parcel contains her order and left the stock", ok, detail)


def _partial_refund(day: Day) -> Claim:
    payments = day.payments.get(CLEO.name, ())
    back = total([each.refunded for each in payments], SAMPLE_CURRENCY)
    text = f"{CLEO.name} was refunded {money(PARTIAL_REFUND)} for {PARTIAL_REFUND_REASON}"
    return Claim(text, back == PARTIAL_REFUND, f"{money(back)} refunded")


def _asked_again(day: Day) -> Claim:
    payments = day.payments.get(CLEO.name, ())
    asked = sum(payment.checks for payment in payments)
    detail = f"{len(payments)} attempt, {asked} requests"
    text = f"{CLEO.name}'s payment was retried with the same key"
    return Claim(text, len(payments) == 1 and asked > 1, detail)


def sold(day: Day, sku: str) -> int:
    """Return the units of a SKU in paid orders, shipped or not."""
    return sum(
        line.quantity
        for order in day.orders.values()
        if order.status in _SOLD
        for line in order.lines
        if line.sku == sku
    )


def _stock_adds_up(day: Day) -> Claim:
    wished = {wish.sku for shopper in SHOPPERS for wish in shopper.wishes}
    wrong = [
        sku
        for sku in sorted(wished)
        if day.before[sku].available - day.after[sku].available != sold(day, sku)
    ]
    detail = f"wrong: {', '.join(wrong)}" if wrong else f"{len(wished)} SKUs"
    return Claim("stock fell by exactly the units sold", not wrong, detail)


def _ledger(day: Day) -> Claim:
    found = day.discrepancies
    return Claim("every stock counter matches the ledger", not found, f"{found} counters differ")


def _mails(day: Day) -> Claim:
    numbers = {name: order.number for name, order in day.orders.items()}
    expected = Counter((s.email, numbers.get(s.name)) for s in _MAILED)
    sent = Counter(
        (str(mail["To"]), number)
        for mail in day.mails
        for number in numbers.values()
        if number in str(mail["Subject"]).split()
    )
    detail = f"{len(day.mails)} emails"
    return Claim("every shopper got exactly the expected emails", sent == expected, detail)


def _gateway(day: Day) -> Iterator[Claim]:
    payments = [payment for each in day.payments.values() for payment in each]
    wrong = disagreements(payments, day.book.charges)
    detail = "; ".join(wrong) or f"{len(day.book.charges)} charges"
    yield Claim("the gateway's book matches the shop's payments", not wrong, detail)
    kept = day.book.captured(SAMPLE_CURRENCY) - day.book.refunded(SAMPLE_CURRENCY)
    due = total([_due(name, order) for name, order in day.orders.items()], SAMPLE_CURRENCY)
    detail = f"the gateway holds {money(kept)}, paid orders total {money(due)}"
    yield Claim("the money kept equals the price of the paid orders", kept == due, detail)


def disagreements(payments: Sequence[PaymentView], charges: Sequence[Entry]) -> list[str]:
    """Return the differences between the gateway's book and the shop's payments."""
    theirs = {charge.key: (charge.captured, charge.refunded) for charge in charges}
    ours = {each.gateway_key: (each.captured, each.refunded) for each in payments}
    return [
        f"{key}: the gateway has {_sums(theirs.get(key))}, the shop {_sums(ours.get(key))}"
        for key in sorted(theirs.keys() | ours.keys())
        if theirs.get(key) != ours.get(key)
    ]


def _sums(amounts: tuple[Money, Money] | None) -> str:
    if amounts is None:
        return "nothing"
    captured, refunded = amounts
    return f"captured {money(captured)} and refunded {money(refunded)}"

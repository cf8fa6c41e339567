"""The output of the demonstration."""

from __future__ import annotations

from collections.abc import Sequence
from email.message import EmailMessage
from typing import Final

from rich import box
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from quickshop.domain.orders import OrderStatus
from quickshop.entrypoints.cli.demo_claims import Claim, sold
from quickshop.entrypoints.cli.demo_story import SHOPPERS, Day, Shopper
from quickshop.entrypoints.cli.orders import receipt
from quickshop.entrypoints.cli.output import add_row, money, printable, say, show, table

_HEADERS: Final = ("From", "To", "Subject")
_CARDS: Final = {
    "tok_ok": "a valid card",
    "tok_declined": "a card that is declined",
    "tok_timeout_then_ok": "a gateway that times out",
}


def print_day(day: Day, claims: Sequence[Claim]) -> None:
    """Print the events of the day, and the result of every check."""
    _chapter("A day at the shop")
    intro = (
        f"The shop runs on a SQLite file, with a worker in the same process. The sample catalog"
        f" has {day.report.created} products with {day.report.variants} variants."
        f" {len(SHOPPERS)} shoppers were served in {day.seconds:.1f} seconds."
    )
    show(Text(f"{intro}\n"))
    _show_shoppers(day)
    _chapter("Receipts")
    for order in day.orders.values():
        say(f"Order {order.number}, {order.email}: {_words(order.status)}")
        show(receipt(order))
    _chapter("Emails, as sent")
    for mail in day.mails:
        _show_mail(mail)
    _chapter("Stock, before and after")
    _show_stock(day)
    _chapter("Checks")
    _show_claims(claims)


def _chapter(title: str) -> None:
    show(Rule(Text(title, style="bold"), align="left", characters="─"))


def _show_shoppers(day: Day) -> None:
    listing = table("Shopper", "Wanted", "Paid with", "Result")
    for shopper in SHOPPERS:
        wanted = ", ".join(f"{wish.quantity} of {wish.sku}" for wish in shopper.wishes)
        add_row(listing, shopper.name, wanted, _CARDS[shopper.token], _outcome(day, shopper))
    show(listing)


def _outcome(day: Day, shopper: Shopper) -> str:
    if refusal := day.refusals.get(shopper.name):
        return f"refused: {refusal}"
    order = day.orders[shopper.name]
    return f"order {order.number}, {money(order.total)}: {_words(order.status)}"


def _words(status: OrderStatus) -> str:
    return status.value.replace("_", " ")


def _show_mail(mail: EmailMessage) -> None:
    headers = "\n".join(f"{name}: {mail[name]}" for name in _HEADERS)
    body = mail.get_body(("plain",))
    text = body.get_content() if body else ""
    lines = [printable(line) for line in f"{headers}\n\n{text.strip()}".splitlines()]
    show(Panel(Text("\n".join(lines)), box=box.ROUNDED, padding=(0, 1)))


def _show_stock(day: Day) -> None:
    numbers = ("Before", "Sold", "After")
    listing = table("SKU", "Product", *numbers, numbers=numbers)
    for sku, before in day.before.items():
        after = day.after[sku].available
        add_row(listing, sku, before.title, before.available, sold(day, sku), after)
    show(listing)


def _show_claims(claims: Sequence[Claim]) -> None:
    listing = Table.grid(padding=(0, 1))
    for claim in claims:
        mark = Text("yes", style="green") if claim.ok else Text("NO", style="bold red")
        detail = (f" ({printable(claim.detail)})", "dim")
        listing.add_row(mark, Text.assemble(printable(claim.text), detail))
    show(listing)

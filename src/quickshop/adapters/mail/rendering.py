"""Emails from messages: templates, amounts and headers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from quickshop.adapters.money_text import money
from quickshop.domain.customers import normalize_email
from quickshop.domain.errors import AdapterError, InvalidValueError
from quickshop.domain.notifications import MessageKind
from quickshop.ports.fulfillment import FulfillmentView
from quickshop.ports.notifications import Message, OrderMessage, StockMessage
from quickshop.ports.orders import OrderView

_TEMPLATES: Final = Path(__file__).parent / "templates"
_SUBJECTS: Final[Mapping[MessageKind, str]] = {
    MessageKind.ORDER_CONFIRMATION: "Your order {number} at {shop}",
    MessageKind.PAYMENT_FAILED: "Your payment for order {number} did not go through",
    MessageKind.ORDER_CANCELED: "Your order {number} at {shop} has been canceled",
    MessageKind.ORDER_SHIPPED: "Your order {number} at {shop} is on its way",
    MessageKind.ORDER_REFUNDED: "Refund for your order {number} at {shop}",
    MessageKind.LOW_STOCK: "{sku} is running low at {location}",
    MessageKind.CONFIRM_ACCOUNT: "Confirm your account at {shop}",
    MessageKind.ACCOUNT_EXISTS: "You already have an account at {shop}",
    MessageKind.RESET_PASSWORD: "Choose a new password for {shop}",
    MessageKind.INVITATION: "Choose a password for your account at {shop}",
    MessageKind.PASSWORD_CHANGED: "Your password at {shop} was changed",
    MessageKind.API_KEY_MADE: "New API key for your account at {shop}",
    MessageKind.CHANGE_EMAIL: "Confirm your new email address at {shop}",
    MessageKind.EMAIL_CHANGED: "Your email address at {shop} was changed",
}
_DECLINE_REASONS: Final[Mapping[str, str]] = {
    "card_declined": "the card was declined",
    "insufficient_funds": "the card has insufficient funds",
    "processing_error": "the payment could not be processed",
    "unknown_token": "this payment method is not supported",
}

HtmlRenderer = Callable[[str], str]
"""A function that turns MJML into HTML for mail clients."""


@dataclass(frozen=True, slots=True)
class Mail:
    """The text of an email, and its HTML if there is a renderer."""

    subject: str
    text: str
    html: str | None


def render(message: Message, *, to_html: HtmlRenderer | None = None) -> Mail:
    """Render a message as text, and as HTML if there is a renderer."""
    facts: dict[str, object] = {"shop": message.shop_name}
    if isinstance(message, OrderMessage):
        facts |= _facts_of(message)
    elif isinstance(message, StockMessage):
        facts["stock"] = message
        facts["sku"], facts["location"] = message.sku, message.location
    else:
        facts |= {"secret": message.secret, "link": message.link}
    subject = facts["subject"] = _SUBJECTS[message.kind].format(**facts)
    return Mail(
        subject=one_line(subject),
        text=_environment().get_template(f"{message.kind}.txt.j2").render(facts),
        html=to_html(_environment().get_template(f"{message.kind}.mjml.j2").render(facts))
        if to_html
        else None,
    )


def _facts_of(message: OrderMessage) -> dict[str, object]:
    return {
        "number": message.order.number,
        "order": message.order,
        "note": message.note,
        "parcel": message.parcel,
        "parcel_is_part": message.parcel is not None and _is_part(message.parcel, message.order),
        "amount": message.amount,
        "reason": _DECLINE_REASONS.get(message.note, "the payment was refused"),
    }


def _is_part(parcel: FulfillmentView, order: OrderView) -> bool:
    """Return whether the order has more units than this parcel."""
    packed = sum(line.quantity for line in parcel.lines)
    return packed < sum(line.quantity for line in order.lines)


def compose(message: Message, *, sender: str, to_html: HtmlRenderer | None = None) -> EmailMessage:
    """Return an email that is ready to send from the address `sender`.

    Its Message-ID is the same on every attempt. Text of shoppers or staff cannot add a header.

    Raises:
        AdapterError: the sender or the recipient is not a valid email address.
    """
    mail = render(message, to_html=to_html)
    headers = EmailMessage(policy=SMTP if message.recipient.isascii() else SMTPUTF8)
    headers["From"] = _address(sender, name=one_line(message.shop_name))
    headers["To"] = _address(message.recipient)
    headers["Subject"] = mail.subject
    headers["Date"] = format_datetime(datetime.now(UTC))
    headers["Message-ID"] = f"<{safe_name(message.key)}@{sender.rpartition('@')[2]}>"
    headers["Auto-Submitted"] = "auto-generated"
    headers.set_content(mail.text)
    if mail.html is not None:
        headers.add_alternative(mail.html, subtype="html")
    return headers


def _address(text: str, *, name: str = "") -> Address:
    try:
        user, _at, domain = normalize_email(text).rpartition("@")
    except InvalidValueError as error:
        raise AdapterError(f"an email address is not valid: {error}") from error
    return Address(name, user, domain)


def one_line(text: str) -> str:
    """Return the text without line breaks and other control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def safe_name(key: str) -> str:
    """Return a name for a file or a Message-ID; different keys have different names."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}", key):
        return key
    return sha256(key.encode(errors="surrogatepass")).hexdigest()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=select_autoescape(("mjml.j2",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["money"] = money
    environment.filters["one_line"] = one_line
    return environment

"""Notifications: what the shop told whom, once per event, channel and recipient."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from quickshop.domain.orders import OrderId


class Channel(StrEnum):
    """How a message travels."""

    EMAIL = "email"


class MessageKind(StrEnum):
    """What a message is about; names its template."""

    ORDER_CONFIRMATION = "order_confirmation"
    PAYMENT_FAILED = "payment_failed"
    ORDER_CANCELED = "order_canceled"
    """Also for one that was not paid in time."""
    ORDER_SHIPPED = "order_shipped"
    ORDER_REFUNDED = "order_refunded"
    LOW_STOCK = "low_stock"
    CONFIRM_ACCOUNT = "confirm_account"
    ACCOUNT_EXISTS = "account_exists"
    """To whoever asked for an account and has one."""
    RESET_PASSWORD = "reset_password"  # noqa: S105 - the name of a message
    INVITATION = "invitation"
    """To whoever was given an account and has not chosen a password yet."""
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - as above
    CHANGE_EMAIL = "change_email"
    API_KEY_MADE = "api_key_made"
    EMAIL_CHANGED = "email_changed"
    """To the address that it was before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """The record that a message was to be sent; `sent_at` is None until it was."""

    event_id: UUID
    channel: Channel
    recipient: str
    """An address; about an account the id of that or of a token, as this is kept for longer."""
    kind: MessageKind
    order_id: OrderId | None
    """None when it is not about an order."""
    created_at: datetime
    sent_at: datetime | None = None

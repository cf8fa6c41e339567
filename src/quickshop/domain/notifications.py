"""Notifications: messages that are sent once per event, channel and recipient."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from quickshop.domain.orders import OrderId


class Channel(StrEnum):
    """How a message is delivered."""

    EMAIL = "email"


class MessageKind(StrEnum):
    """The subject of a message; names its template."""

    ORDER_CONFIRMATION = "order_confirmation"
    PAYMENT_FAILED = "payment_failed"
    ORDER_CANCELED = "order_canceled"
    """Also for an order that was not paid in time."""
    ORDER_SHIPPED = "order_shipped"
    ORDER_REFUNDED = "order_refunded"
    LOW_STOCK = "low_stock"
    CONFIRM_ACCOUNT = "confirm_account"
    ACCOUNT_EXISTS = "account_exists"
    """To a person who requests an account but already has one."""
    RESET_PASSWORD = "reset_password"  # noqa: S105 - the name of a message
    INVITATION = "invitation"
    """To a person with a new account who has not chosen a password yet."""
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - as above
    CHANGE_EMAIL = "change_email"
    API_KEY_MADE = "api_key_made"
    EMAIL_CHANGED = "email_changed"
    """To the previous address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """The record of a message that was requested; `sent_at` is None until it is sent."""

    event_id: UUID
    channel: Channel
    recipient: str
    """An email address, or for account messages the id of an account or token.

    Records are stored for long, so account messages name no address.
    """
    kind: MessageKind
    order_id: OrderId | None
    """None if the message is not about an order."""
    created_at: datetime
    sent_at: datetime | None = None

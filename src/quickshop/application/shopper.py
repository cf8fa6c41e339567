"""The shopper, and the secrets of a guest's cart and order."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from quickshop.domain.customers import CustomerId


def digest(secret: str) -> str:
    """Return the stored form of a secret: its SHA-256 in hex. 128 random bits need no salt."""
    return sha256(_bytes(secret)).hexdigest()


def order_token(cart_token: str, order_id: UUID) -> str:
    """Derive an order's secret from its cart's (HMAC-SHA-256).

    So a repeated checkout can return it again, although it is not stored.
    """
    mac = hmac.digest(_bytes(cart_token), b"order:" + order_id.bytes, sha256)
    return urlsafe_b64encode(mac).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Shopper:
    """The owner of a cart or an order: a guest with its secret, or a customer.

    A customer with a guest's cart that is not claimed yet sends its secret too.
    """

    token: str = ""
    customer_id: CustomerId | None = None

    @classmethod
    def of(cls, opener: str | Shopper) -> Shopper:
        """Return the guest with this secret, or this shopper."""
        return opener if isinstance(opener, Shopper) else cls(token=opener)

    @property
    def token_digest(self) -> str:
        """The digest that is compared with the stored one."""
        return digest(self.token)

    @property
    def scope(self) -> str:
        """The shopper's scope of idempotency keys, unique among shoppers."""
        if self.customer_id is not None:
            return f"account:{self.customer_id}"
        return self.token_digest


def _bytes(secret: str) -> bytes:
    return secret.encode("utf-8", "surrogatepass")

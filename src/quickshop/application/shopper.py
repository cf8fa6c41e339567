"""Who shops, and the secrets that open a guest's cart or order."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from quickshop.domain.customers import CustomerId


def digest(secret: str) -> str:
    """What is kept of a secret: its SHA-256, in hex. It has 128 bits, so no salt is needed."""
    return sha256(_bytes(secret)).hexdigest()


def order_token(cart_token: str, order_id: UUID) -> str:
    """The secret that opens an order, derived from the one of its cart (HMAC-SHA-256).

    So a repeated checkout can be told it again, and it is written down nowhere.
    """
    mac = hmac.digest(_bytes(cart_token), b"order:" + order_id.bytes, sha256)
    return urlsafe_b64encode(mac).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Shopper:
    """Who asks for a cart or an order: a guest with its secret, or a customer.

    A customer who has not brought a guest's cart into their account yet sends its secret, too.
    """

    token: str = ""
    customer_id: CustomerId | None = None

    @classmethod
    def of(cls, opener: str | Shopper) -> Shopper:
        """Whoever has this secret, or is this shopper."""
        return opener if isinstance(opener, Shopper) else cls(token=opener)

    @property
    def token_digest(self) -> str:
        """What is compared of the secret."""
        return digest(self.token)

    @property
    def scope(self) -> str:
        """Names the shopper among all shoppers: what idempotency keys are kept under."""
        if self.customer_id is not None:
            return f"account:{self.customer_id}"
        return self.token_digest


def _bytes(secret: str) -> bytes:
    return secret.encode("utf-8", "surrogatepass")

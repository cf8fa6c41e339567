"""Secrets that open a guest's cart or order."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256
from uuid import UUID


def digest(secret: str) -> str:
    """What is kept of a secret: its SHA-256, in hex. It has 128 bits, so no salt is needed."""
    return sha256(_bytes(secret)).hexdigest()


def order_token(cart_token: str, order_id: UUID) -> str:
    """The secret that opens an order, derived from the one of its cart (HMAC-SHA-256).

    So a repeated checkout can be told it again, and it is written down nowhere.
    """
    mac = hmac.digest(_bytes(cart_token), b"order:" + order_id.bytes, sha256)
    return urlsafe_b64encode(mac).decode().rstrip("=")


def _bytes(secret: str) -> bytes:
    return secret.encode("utf-8", "surrogatepass")

"""Secrets that open a guest's cart or order."""

from hashlib import sha256


def digest(secret: str) -> str:
    """What is kept of a secret: its SHA-256, in hex. It has 128 bits, so no salt is needed."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()

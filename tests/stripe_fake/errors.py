"""Refusals, as Stripe words them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Refusal(Exception):  # noqa: N818 - named for what it is
    """An answer that is not the one hoped for."""

    status: int
    type: str
    message: str
    code: str | None = None
    more: dict[str, Any] = field(default_factory=dict)
    is_stored: bool = True
    """Whether the idempotency key remembers it: not so when nothing had begun."""

    @property
    def body(self) -> dict[str, Any]:
        """As it is sent."""
        known = {"type": self.type, "message": self.message} | self.more
        return {"error": known | ({"code": self.code} if self.code else {})}


def invalid(message: str, *, code: str | None = None, param: str | None = None) -> Refusal:
    """What is asked makes no sense; nothing was begun."""
    more = {"param": param} if param else {}
    return Refusal(400, "invalid_request_error", message, code, more, is_stored=False)


def missing(kind: str, id: str, *, param: str = "id") -> Refusal:
    """There is no such thing."""
    return Refusal(
        404 if param == "id" else 400,
        "invalid_request_error",
        f"No such {kind}: '{id}'",
        "resource_missing",
        {"param": param},
        is_stored=False,
    )


def server_error() -> Refusal:
    """Stripe's fault."""
    return Refusal(500, "api_error", "An unknown error occurred", is_stored=False)

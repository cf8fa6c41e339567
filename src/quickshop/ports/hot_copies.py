"""Copies of what is asked for all the time. The truth is in the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

CART_SECONDS: Final = 2
"""How long the copy of a cart is believed: prices change, and no cart is told."""


class SessionCopies(Protocol):
    """What is known of sessions, as bytes. Keys are ids or digests: never a secret itself.

    Nothing here raises: a place that cannot be reached holds nothing.
    """

    keeps: bool
    """Whether it keeps anything at all; if not, asking it is in vain."""

    def keep(self, key: str, value: bytes, *, seconds: float) -> None:
        """Keep this copy so long; at least a millisecond."""
        ...

    def find(self, key: str) -> bytes | None:
        """The copy that was kept last, unless its time is over."""
        ...

    def forget(self, *keys: str) -> None:
        """Have the database asked again about these."""
        ...


@dataclass(frozen=True, slots=True)
class CartCopy:
    """A rendered cart, and whom it may be shown to."""

    version: int
    token_digest: str | None
    customer_id: UUID | None
    body: bytes


class CartCopies(Protocol):
    """Rendered carts, believed for 2 seconds.

    Nothing here raises: a place that cannot be reached holds nothing.
    """

    keeps: bool
    """Whether it keeps anything at all; if not, asking it is in vain."""

    def find(self, cart_id: UUID) -> CartCopy | None:
        """The copy that may be shown without asking the database."""
        ...

    def put(self, cart_id: UUID, copy: CartCopy) -> None:
        """Keep what was just rendered, unless a newer version is known already."""
        ...

    def forget(self, cart_id: UUID, *, version: int) -> None:
        """The cart has this version now: no older one is shown, or put any more.

        To be called when the change is committed. Where the version is not known any more, an
        hour later or sooner, an older copy put so late is believed for its 2 seconds.
        """
        ...

"""Names for new things, and secrets that open them."""

from typing import Protocol
from uuid import UUID


class Identifiers(Protocol):
    """Makes ids and secrets."""

    def new(self) -> UUID:
        """A fresh UUID, version 7: ids made later sort later, to the millisecond."""
        ...

    def secret(self) -> str:
        """A fresh secret of at least 128 random bits, safe in a URL or header."""
        ...

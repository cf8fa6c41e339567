"""The port of new ids and secrets."""

from typing import Protocol
from uuid import UUID


class Identifiers(Protocol):
    """Creates ids and secrets."""

    def new(self) -> UUID:
        """Return a new UUID, version 7: later ids sort later, to the millisecond."""
        ...

    def secret(self) -> str:
        """Return a new secret of at least 128 random bits, safe in a URL or header."""
        ...

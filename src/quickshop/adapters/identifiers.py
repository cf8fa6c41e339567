"""Ids and secrets from the operating system's random source."""

from secrets import token_urlsafe
from uuid import UUID

from typing_extensions import override
from uuid_utils.compat import uuid7

from quickshop.ports.identifiers import Identifiers

_SECRET_BYTES = 32


class SystemIdentifiers(Identifiers):
    """UUIDs of version 7, and secrets of 256 random bits."""

    @override
    def new(self) -> UUID:
        """Return a new UUID; later ids sort after earlier ones."""
        return uuid7()

    @override
    def secret(self) -> str:
        """Return a new secret that is safe in a URL or header."""
        return token_urlsafe(_SECRET_BYTES)

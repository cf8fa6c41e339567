"""Rules of the edge: trusted proxies, hosts, origins and body limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from quickshop.entrypoints.http.edge.body_limits import BODY, LARGE_BODIES, BodyLimit
from quickshop.settings import Settings, entries


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """The configuration of the HTTP edge. The defaults suit development."""

    trusted_proxies: tuple[str, ...] = ()
    """Addresses and networks of proxies that are trusted for the client's address and scheme."""
    allowed_hosts: tuple[str, ...] = ()
    """Host names of the shop; empty allows any."""
    cors_origins: tuple[str, ...] = ()
    """Origins whose pages may use the API."""
    require_https: bool = False
    """Whether plain HTTP is refused."""
    body: BodyLimit = BODY
    large_bodies: Mapping[str, BodyLimit] = field(default_factory=lambda: LARGE_BODIES)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Create the edge configuration from the settings."""
        return cls(
            trusted_proxies=entries(settings.trusted_proxies),
            allowed_hosts=entries(settings.allowed_hosts),
            cors_origins=entries(settings.cors_origins),
            require_https=settings.require_https or settings.mode == "production",
        )

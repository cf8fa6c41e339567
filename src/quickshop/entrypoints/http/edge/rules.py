"""What the shop asks of requests before it looks at what they want, and whom it believes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Self

from quickshop.domain.imports import MAX_FILE_BYTES
from quickshop.settings import Settings, entries


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """How much a request may bring, and in what time."""

    kib: int
    seconds: float

    @property
    def size(self) -> int:
        """In bytes."""
        return self.kib * 1024

    @property
    def text(self) -> str:
        """For people."""
        return f"{self.kib // 1024} MiB" if self.kib % 1024 == 0 else f"{self.kib} KiB"


BODY: Final = BodyLimit(kib=256, seconds=30)
LARGE_BODIES: Final[Mapping[str, BodyLimit]] = MappingProxyType(
    {"/v1/admin/imports": BodyLimit(kib=MAX_FILE_BYTES // 1024, seconds=300)}
)
"""By exact path: where more than `BODY` may come, and slower."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """What stands between the internet and the routes. As it is here, it suits development."""

    trusted_proxies: tuple[str, ...] = ()
    """Addresses and networks that are believed about the client's address and scheme."""
    allowed_hosts: tuple[str, ...] = ()
    """Names that the shop answers to; any when there is none."""
    cors_origins: tuple[str, ...] = ()
    """Origins whose pages may use the API."""
    require_https: bool = False
    """Whether what came in the clear is refused."""
    body: BodyLimit = BODY
    large_bodies: Mapping[str, BodyLimit] = field(default_factory=lambda: LARGE_BODIES)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The edge that the settings ask for."""
        return cls(
            trusted_proxies=entries(settings.trusted_proxies),
            allowed_hosts=entries(settings.allowed_hosts),
            cors_origins=entries(settings.cors_origins),
            require_https=settings.require_https or settings.mode == "production",
        )

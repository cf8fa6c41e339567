"""How large the body of a request may be, and how long it may take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from quickshop.domain.imports import MAX_FILE_BYTES


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """The limits of a request body in size and time."""

    kib: int
    seconds: float

    @property
    def size(self) -> int:
        """The size in bytes."""
        return self.kib * 1024

    @property
    def text(self) -> str:
        """The size for people."""
        return f"{self.kib // 1024} MiB" if self.kib % 1024 == 0 else f"{self.kib} KiB"


BODY: Final = BodyLimit(kib=256, seconds=30)
LARGE_BODIES: Final[Mapping[str, BodyLimit]] = MappingProxyType(
    {"/v1/admin/imports": BodyLimit(kib=MAX_FILE_BYTES // 1024, seconds=300)}
)
"""Larger limits than `BODY`, by exact path."""

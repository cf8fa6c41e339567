"""Under which names the shop may be asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_CACHED: Final = 1_024
_MAX_LENGTH: Final = 255
_HOST: Final = re.compile(
    r"(?P<name>[a-z0-9](?:[a-z0-9_-]|\.(?!\.))*|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?"
)
"""A name or an IPv4 address, or an IPv6 address in brackets; then perhaps a port."""


@dataclass(frozen=True, slots=True)
class Host:
    """A `Host` that can be read."""

    name: str
    """In lower case, without port and without the dot that may end it."""
    allowed: bool


class Hosts:
    """Names that the shop answers to: `shop.example`, `*.shop.example`, or any when none is given.

    A wildcard stands for one or more labels, never for none.
    """

    def __init__(self, allowed: Sequence[str] = ()) -> None:
        names = [name.lower() for name in allowed]
        self._any = not names
        self._exact = frozenset(name for name in names if not name.startswith("*"))
        self._endings = tuple(name[1:] for name in names if name.startswith("*."))
        self.find = lru_cache(maxsize=_CACHED)(self._find)
        """The host that a header names; None when it names none, or several."""
        self.absent = Host("", self._any)
        """What an HTTP/1.0 request is for that has no such header."""

    def _find(self, header: bytes) -> Host | None:
        text = header.decode("latin-1").lower()
        found = _HOST.fullmatch(text) if len(text) <= _MAX_LENGTH else None
        if found is None:
            return None
        name = found["name"].removesuffix(".")
        return Host(name, self._any or name in self._exact or name.endswith(self._endings))

"""The allowed values of the Host header."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

_CACHED: Final = 1_024
_MAX_LENGTH: Final = 255
_HOST: Final = re.compile(
    r"(?P<name>[a-z0-9](?:[a-z0-9_-]|\.(?!\.))*|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?"
)
"""A name, an IPv4 address or an IPv6 address in brackets, with an optional port."""


class Hosts:
    """Host names of the shop: `shop.example`, `*.shop.example`, or any name if none is given.

    A wildcard matches one or more labels.
    """

    def __init__(self, allowed: Sequence[str] = ()) -> None:
        names = [name.lower() for name in allowed]
        self.allows_any = not names
        """Whether any name is allowed, including HTTP/1.0 requests without one."""
        self._exact = frozenset(name for name in names if not name.startswith("*"))
        self._endings = tuple(name[1:] for name in names if name.startswith("*."))
        self.allows = lru_cache(maxsize=_CACHED)(self._check)
        """Whether a Host header is allowed; None if it names no host, or more than one."""

    def _check(self, header: bytes) -> bool | None:
        text = header.decode("latin-1").lower()
        found = _HOST.fullmatch(text) if len(text) <= _MAX_LENGTH else None
        if found is None:
            return None
        name = found["name"].removesuffix(".")
        return self.allows_any or name in self._exact or name.endswith(self._endings)

"""Which permission a use case of staff needs: said once, on the use case itself.

A program that embeds the shop is trusted and not asked. Entrypoints that serve others ask
`permission_of` before they call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from quickshop.domain.identity import Permission

U = TypeVar("U", bound=type)

_NEEDED: Final[dict[type, Permission]] = {}


def needs(permission: Permission) -> Callable[[U], U]:
    """Mark a use case as one that only those with this permission may call."""

    def mark(use_case: U) -> U:
        _NEEDED[use_case] = permission
        return use_case

    return mark


def permission_of(use_case: type) -> Permission:
    """What the caller of a use case must hold.

    Raises:
        LookupError: nobody said; so nobody may.
    """
    try:
        return _NEEDED[use_case]
    except KeyError:
        raise LookupError(f"{use_case.__name__} does not say which permission it needs") from None

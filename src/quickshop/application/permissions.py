"""The permission that a staff use case needs, declared on the use case.

A program that embeds the shop is trusted and not checked. Entrypoints for other callers check
`permission_of` before the call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from quickshop.domain.identity import Permission

U = TypeVar("U", bound=type)

_NEEDED: Final[dict[type, Permission]] = {}


def needs(permission: Permission) -> Callable[[U], U]:
    """Declare the permission that a use case needs."""

    def mark(use_case: U) -> U:
        _NEEDED[use_case] = permission
        return use_case

    return mark


def permission_of(use_case: type) -> Permission:
    """Return the permission that a use case needs.

    Raises:
        LookupError: the use case declares none, so it must not be called.
    """
    try:
        return _NEEDED[use_case]
    except KeyError:
        raise LookupError(f"{use_case.__name__} does not declare its permission") from None

"""Who may call a route. Every route says so, or the application does not start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from quickshop.application.permissions import permission_of
from quickshop.domain.identity import Permission

F = TypeVar("F", bound=Callable[..., Any])

_MARK: Final = "__quickshop_access__"


@dataclass(frozen=True, slots=True)
class Access:
    """What a route asks of its caller."""

    kind: str
    permission: Permission | None = None


PUBLIC: Final = Access("public")
"""Anyone; what is shown is everybody's."""
SHOPPER: Final = Access("shopper")
"""Anyone; what is opened is the caller's own, by their session or by the secret of a guest."""
ACCOUNT: Final = Access("account")
"""Whoever is signed in, about themselves."""


def staff(use_case: type) -> Access:
    """Whoever holds the permission that this use case needs.

    Raises:
        LookupError: the use case does not say which.
    """
    return Access("staff", permission_of(use_case))


def access(what: Access) -> Callable[[F], F]:
    """Declare who may call a route. Stands between the router's decorator and the function."""

    def mark(endpoint: F) -> F:
        setattr(endpoint, _MARK, what)
        return endpoint

    return mark


def access_of(endpoint: Callable[..., Any]) -> Access:
    """What a route declared.

    Raises:
        LookupError: nothing; so nobody may call it.
    """
    found: Access | None = getattr(endpoint, _MARK, None)
    if found is None:
        name = getattr(endpoint, "__qualname__", repr(endpoint))
        raise LookupError(f"route {name} does not declare who may call it: add @access(…)")
    return found

"""Who may call a route. Every route says so, or the application does not start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeVar

from quickshop.application.permissions import permission_of
from quickshop.domain.errors import NotSignedInError, PermissionDeniedError
from quickshop.domain.identity import Permission
from quickshop.ports.identity import Caller

F = TypeVar("F", bound=Callable[..., Any])

_MARK: Final = "__quickshop_audience__"


class AudienceKind(StrEnum):
    """For whom a route is."""

    PROBE = "probe"
    PUBLIC = "public"
    SHOPPER = "shopper"
    ACCOUNT = "account"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class Audience:
    """What a route asks of its caller."""

    kind: AudienceKind
    permission: Permission | None = None

    @property
    def asks_who(self) -> bool:
        """Whether it matters who calls."""
        return self.kind not in {AudienceKind.PROBE, AudienceKind.PUBLIC}

    @property
    def changes_callers(self) -> bool:
        """Whether somebody else may have other rights afterwards, or none."""
        return self.permission in {Permission.USERS_WRITE, Permission.CUSTOMERS_WRITE}

    def require(self, caller: Caller | None) -> None:
        """Refuse whoever may not.

        Raises:
            NotSignedInError: it is nobody.
            PermissionDeniedError: they lack the permission.
        """
        if self.kind is AudienceKind.ACCOUNT and (caller is None or caller.customer_id is None):
            raise NotSignedInError
        if self.kind is AudienceKind.STAFF:
            if caller is None:
                raise NotSignedInError
            assert self.permission is not None, "a route for staff names a permission"
            if self.permission not in caller.permissions:
                raise PermissionDeniedError(self.permission)


PROBE: Final = Audience(AudienceKind.PROBE)
"""Whoever keeps the process running; not counted, or a crowd would look like an outage."""
PUBLIC: Final = Audience(AudienceKind.PUBLIC)
"""Anyone. Who it is, is not looked at."""
SHOPPER: Final = Audience(AudienceKind.SHOPPER)
"""Anyone; what is opened is the caller's own, by their session or by the secret of a guest."""
ACCOUNT: Final = Audience(AudienceKind.ACCOUNT)
"""Whoever is signed in, about themselves."""


def staff(use_case: type) -> Audience:
    """Whoever holds the permission that this use case needs.

    Raises:
        LookupError: the use case does not say which.
    """
    return Audience(AudienceKind.STAFF, permission_of(use_case))


def open_to(audience: Audience) -> Callable[[F], F]:
    """Declare who may call a route. Stands between the router's decorator and the function."""

    def mark(endpoint: F) -> F:
        setattr(endpoint, _MARK, audience)
        return endpoint

    return mark


def audience_of(endpoint: Callable[..., Any]) -> Audience:
    """What a route declared.

    Raises:
        LookupError: nothing; so nobody may call it.
    """
    found: Audience | None = getattr(endpoint, _MARK, None)
    if found is None:
        name = getattr(endpoint, "__qualname__", repr(endpoint))
        raise LookupError(f"route {name} does not declare who may call it: add @access(…)")
    return found

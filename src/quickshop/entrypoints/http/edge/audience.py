"""The audience of a route. An application with an undeclared route does not start."""

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
    """The kinds of audience."""

    PROBE = "probe"
    PUBLIC = "public"
    SHOPPER = "shopper"
    ACCOUNT = "account"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class Audience:
    """The audience of a route: the callers who may use it."""

    kind: AudienceKind
    permission: Permission | None = None

    @property
    def asks_who(self) -> bool:
        """Whether the caller must be identified."""
        return self.kind not in {AudienceKind.PROBE, AudienceKind.PUBLIC}

    @property
    def changes_callers(self) -> bool:
        """Whether the route can change the permissions of other accounts or end their access."""
        return self.permission in {Permission.USERS_WRITE, Permission.CUSTOMERS_WRITE}

    def require(self, caller: Caller | None) -> None:
        """Refuse a caller outside this audience.

        Raises:
            NotSignedInError: no credentials were sent.
            PermissionDeniedError: the caller lacks the permission.
        """
        if self.kind is AudienceKind.ACCOUNT and (caller is None or caller.customer_id is None):
            raise NotSignedInError
        if self.kind is AudienceKind.STAFF:
            if caller is None:
                raise NotSignedInError
            assert self.permission is not None, "a staff route names a permission"
            if self.permission not in caller.permissions:
                raise PermissionDeniedError(self.permission)


PROBE: Final = Audience(AudienceKind.PROBE)
"""The process supervisor. Not counted, because a traffic peak would look like an outage."""
PUBLIC: Final = Audience(AudienceKind.PUBLIC)
"""Everyone. Credentials are not read."""
SHOPPER: Final = Audience(AudienceKind.SHOPPER)
"""Everyone. A caller reaches only their own data, by a session or by a guest's secret."""
ACCOUNT: Final = Audience(AudienceKind.ACCOUNT)
"""A signed-in customer, for their own data."""


def staff(use_case: type) -> Audience:
    """Return the audience that holds the permission of a use case.

    Raises:
        LookupError: the use case names no permission.
    """
    return Audience(AudienceKind.STAFF, permission_of(use_case))


def open_to(audience: Audience) -> Callable[[F], F]:
    """Declare a route's audience. Place it between the router's decorator and the function."""

    def mark(endpoint: F) -> F:
        setattr(endpoint, _MARK, audience)
        return endpoint

    return mark


def audience_of(endpoint: Callable[..., Any]) -> Audience:
    """Return the audience that a route declares.

    Raises:
        LookupError: the route declares none.
    """
    found: Audience | None = getattr(endpoint, _MARK, None)
    if found is None:
        name = getattr(endpoint, "__qualname__", repr(endpoint))
        raise LookupError(f"route {name} does not declare its audience: add @open_to(…)")
    return found

"""Custom roles of a shop, in addition to the built-in ones."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from quickshop.domain.errors import AlreadyExistsError, InvalidValueError, PrivilegeEscalationError
from quickshop.domain.events import Aggregate, DomainEvent
from quickshop.domain.identity.permissions import BUILT_IN_ROLES, Permission, with_implied

MAX_ROLE_NAME_LENGTH: Final = 40
"""Characters in the name of a role."""
_NAME: Final = re.compile(rf"[a-z][a-z0-9_]{{1,{MAX_ROLE_NAME_LENGTH - 1}}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleChanged(DomainEvent):
    """A role was created, or its permissions changed."""

    role: str


@dataclass(slots=True, eq=False, kw_only=True)
class Role(Aggregate):
    """A named set of permissions."""

    name: str
    permissions: frozenset[Permission]

    def __post_init__(self) -> None:
        """Check the name.

        Raises:
            InvalidValueError: the name is too short, too long, or not made of a-z, 0-9 and _.
        """
        if not _NAME.fullmatch(self.name):
            rule = f"must be 2 to {MAX_ROLE_NAME_LENGTH} of a-z, 0-9 and _, starting with a letter"
            raise InvalidValueError("name", rule)

    @classmethod
    def make(cls, name: str, permissions: Iterable[Permission], *, now: datetime) -> Role:
        """Create a role.

        Raises:
            AlreadyExistsError: a built-in role has this name.
            InvalidValueError: the name is not valid.
        """
        if name in BUILT_IN_ROLES:
            raise AlreadyExistsError("role", "name")
        role = cls(name=name, permissions=frozenset(permissions))
        role._record(RoleChanged(role=name, occurred_at=now))
        return role

    def change(self, permissions: Iterable[Permission], *, now: datetime) -> None:
        """Replace the permissions."""
        self.permissions = frozenset(permissions)
        self._record(RoleChanged(role=self.name, occurred_at=now))


def require_within(wanted: Iterable[Permission], held: frozenset[Permission]) -> None:
    """Check that `held` includes all `wanted` permissions: callers grant only what they have.

    Raises:
        PrivilegeEscalationError: a wanted permission is not held.
    """
    missing = with_implied(frozenset(wanted)) - held
    if missing:
        raise PrivilegeEscalationError(sorted(missing))

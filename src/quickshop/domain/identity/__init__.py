"""Identity: who may sign in, and what they may do."""

from quickshop.domain.identity.permissions import (
    ADMIN,
    BUILT_IN_ROLES,
    Permission,
    with_implied,
)

__all__ = ["ADMIN", "BUILT_IN_ROLES", "Permission", "with_implied"]

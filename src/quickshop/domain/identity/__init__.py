"""Identity: who may sign in, and what they may do."""

from quickshop.domain.identity.accounts import (
    MAX_PASSWORD_LENGTH,
    MIN_PASSWORD_LENGTH,
    Account,
    AccountDisabled,
    AccountEnabled,
    AccountErased,
    AccountEvent,
    AccountId,
    AccountOpened,
    AccountStatus,
    EmailChanged,
    PasswordChanged,
    RoleGranted,
    RoleRevoked,
    require_password,
)
from quickshop.domain.identity.api_keys import ApiKey, ApiKeyId
from quickshop.domain.identity.keys import MIN_SECRET_BYTES, Key, KeyRing
from quickshop.domain.identity.one_time import (
    OneTimeToken,
    OneTimeTokenId,
    OneTimeTokenRequested,
    Purpose,
)
from quickshop.domain.identity.permissions import (
    ADMIN,
    BUILT_IN_ROLES,
    Permission,
    with_implied,
)
from quickshop.domain.identity.roles import Role, require_within
from quickshop.domain.identity.sessions import (
    GRACE,
    Redemption,
    RefreshToken,
    Session,
    SessionId,
)

__all__ = [
    "ADMIN",
    "BUILT_IN_ROLES",
    "GRACE",
    "MAX_PASSWORD_LENGTH",
    "MIN_PASSWORD_LENGTH",
    "MIN_SECRET_BYTES",
    "Account",
    "AccountDisabled",
    "AccountEnabled",
    "AccountErased",
    "AccountEvent",
    "AccountId",
    "AccountOpened",
    "AccountStatus",
    "ApiKey",
    "ApiKeyId",
    "EmailChanged",
    "Key",
    "KeyRing",
    "OneTimeToken",
    "OneTimeTokenId",
    "OneTimeTokenRequested",
    "PasswordChanged",
    "Permission",
    "Purpose",
    "Redemption",
    "RefreshToken",
    "Role",
    "RoleGranted",
    "RoleRevoked",
    "Session",
    "SessionId",
    "require_password",
    "require_within",
    "with_implied",
]

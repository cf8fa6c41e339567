"""The password hasher and the access tokens, from the settings."""

from __future__ import annotations

import os

from quickshop.adapters.security.passwords import DEVELOPMENT_KEYS, BcryptPasswords
from quickshop.adapters.security.tokens import JwtAccessTokens, fresh_keys
from quickshop.domain.identity import KeyRing
from quickshop.ports.security import AccessTokens, PasswordHasher
from quickshop.settings import PREFIX, Settings


def password_hasher(settings: Settings) -> PasswordHasher:
    """Return the password hasher with the shop's keys; without any, with a publicly known key."""
    keys = settings.password_keys
    return BcryptPasswords(
        KeyRing.parse(keys.get_secret_value(), f"{PREFIX}PASSWORD_KEYS")
        if keys
        else DEVELOPMENT_KEYS,
        cost=settings.password_cost,
        # Hashing is pure computing: more than half of the processors would slow all else down.
        running=max(1, (os.cpu_count() or 1) // 2),
    )


def access_tokens(settings: Settings) -> AccessTokens:
    """Return the access tokens with the shop's keys; without any, with a key of this process."""
    keys = settings.token_keys
    return JwtAccessTokens(
        KeyRing.parse(keys.get_secret_value(), f"{PREFIX}TOKEN_KEYS") if keys else fresh_keys(),
        lasts_seconds=settings.access_token_seconds,
    )

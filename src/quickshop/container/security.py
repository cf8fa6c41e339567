"""What keeps passwords and tokens, as the settings ask for it."""

from __future__ import annotations

import os

from quickshop.adapters.security.passwords import DEVELOPMENT_KEYS, BcryptPasswords
from quickshop.adapters.security.tokens import JwtAccessTokens, fresh_keys
from quickshop.domain.identity import KeyRing
from quickshop.ports.security import AccessTokens, PasswordHasher
from quickshop.settings import PREFIX, Settings


def password_hasher(settings: Settings) -> PasswordHasher:
    """Passwords under the keys of the shop; without any, under one that everybody knows."""
    keys = settings.password_keys
    return BcryptPasswords(
        KeyRing.parse(keys.get_secret_value(), f"{PREFIX}PASSWORD_KEYS")
        if keys
        else DEVELOPMENT_KEYS,
        cost=settings.password_cost,
        # They are pure computing: more at once than half the processors slow all else down.
        running=max(1, (os.cpu_count() or 1) // 2),
    )


def access_tokens(settings: Settings) -> AccessTokens:
    """Tokens under the keys of the shop; without any, under one that this process made up."""
    keys = settings.token_keys
    return JwtAccessTokens(
        KeyRing.parse(keys.get_secret_value(), f"{PREFIX}TOKEN_KEYS") if keys else fresh_keys(),
        lasts_seconds=settings.access_token_seconds,
    )

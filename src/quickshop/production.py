"""The checks that production mode makes of the settings."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Final

from pydantic import SecretStr

from quickshop.domain.identity import KeyRing
from quickshop.settings import PREFIX, Settings, entries

_LEAST_COST: Final = 10
_DEBUGGING: Final = ("PYTHONASYNCIODEBUG", "PYTHONDEVMODE")


def reasons_against(
    settings: Settings,
    *,
    given: Collection[str] = (),
    environment: Mapping[str, str] = os.environ,
) -> Sequence[str]:
    """Return why these settings are not fit for production: one line each, with the remedy.

    `given` names the ports for which the caller brings its own object.
    """
    reasons = [
        f"{PREFIX}{field.upper()}: {reason}"
        for field, check in _CHECKS.items()
        if _FILLED_BY.get(field) not in given and (reason := check(settings))
    ]
    return [*reasons, *_debugging(environment)]


def _token_keys(settings: Settings) -> str | None:
    return _weakness(settings.token_keys)


def _password_keys(settings: Settings) -> str | None:
    keys = settings.password_keys
    if keys is not None and keys == settings.token_keys:
        return "must differ from the token keys"
    return _weakness(keys)


def _weakness(keys: SecretStr | None) -> str | None:
    if keys is None:
        return "must be set: `quickshop keys new` makes one"
    weakness = KeyRing.parse(keys.get_secret_value(), "").weakness()
    return weakness and f"must be strong, but {weakness}: `quickshop keys new` makes one"


def _database_url(settings: Settings) -> str | None:
    if settings.database_url.startswith("memory"):
        return "must be sqlite:///FILE or postgresql://…, because memory:// stores nothing"
    return None


def _payment_gateway(settings: Settings) -> str | None:
    if "payment_gateway" not in settings.model_fields_set:
        return "must be set explicitly, even to sandbox, which moves no money"
    return None


def _stripe_secret_key(settings: Settings) -> str | None:
    key = settings.stripe_secret_key
    if key and key.get_secret_value().startswith(("sk_test_", "rk_test_")):
        return "must be a live key (sk_live_…), because a test key moves no money"
    return None


def _smtp_host(settings: Settings) -> str | None:
    return None if settings.smtp_host else "must be set, or emails are only written to files"


def _trusted_proxies(settings: Settings) -> str | None:
    if "*" in entries(settings.trusted_proxies):
        return "must list addresses or networks: * lets any client forge its address"
    return None


def _password_cost(settings: Settings) -> str | None:
    if settings.password_cost < _LEAST_COST:
        return f"must be at least {_LEAST_COST}, or stolen hashes can be cracked quickly"
    return None


def _rate_limits(settings: Settings) -> str | None:
    return (
        None if settings.rate_limits else "must be true, or passwords can be guessed without limit"
    )


def _allowed_hosts(settings: Settings) -> str | None:
    if not entries(settings.allowed_hosts):
        return "must list the host names of the shop"
    return None


def _cors_origins(settings: Settings) -> str | None:
    if any(not origin.startswith("https://") for origin in entries(settings.cors_origins)):
        return "must begin with https:// for every origin"
    return None


def _smtp_security(settings: Settings) -> str | None:
    local = settings.smtp_host in {"localhost", "127.0.0.1", "::1"}
    if settings.smtp_security == "none" and settings.smtp_host and not local:
        return "must be starttls or tls, or emails and their secrets can be read in transit"
    return None


_CHECKS: Final[Mapping[str, Callable[[Settings], str | None]]] = {
    "token_keys": _token_keys,
    "password_keys": _password_keys,
    "database_url": _database_url,
    "payment_gateway": _payment_gateway,
    "stripe_secret_key": _stripe_secret_key,
    "smtp_host": _smtp_host,
    "trusted_proxies": _trusted_proxies,
    "password_cost": _password_cost,
    "rate_limits": _rate_limits,
    "allowed_hosts": _allowed_hosts,
    "cors_origins": _cors_origins,
    "smtp_security": _smtp_security,
}
"""The check of each field."""

_FILLED_BY: Final[Mapping[str, str]] = {
    "payment_gateway": "payment_gateway",
    "stripe_secret_key": "payment_gateway",
    "smtp_host": "notifier",
    "smtp_security": "notifier",
}
"""Fields that do not matter when the caller brings its own object for this port."""


def _debugging(environment: Mapping[str, str]) -> Iterator[str]:
    for name in _DEBUGGING:
        if environment.get(name):
            yield f"{name}: must not be set, because it is for debugging"
    if sys.flags.dev_mode and not environment.get("PYTHONDEVMODE"):
        yield "python -X dev: must not be used, because it is for debugging"

"""A shop for strangers does not open on settings that are only good enough to try one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from quickshop import open_shop
from quickshop.adapters.memory.notifications import MemoryNotifier
from quickshop.production import reasons_against
from quickshop.settings import Settings, SettingsError
from tests.scripted import ScriptedGateway

STRONG = "2026-11:mV3x8QkTz0yB5nW7cLr2Hd9fJs4gPaUe1iXoKq6wYtZ"
OTHER = "2026-11:Rb6uNw1eYq8sHc3zVj5xKt0aGm7dLf2pOi9yTrQkWnE"
STRIPE = {"stripe_secret_key": "sk_live_x", "stripe_webhook_secret": "whsec_x"}
MEMORY = "QUICKSHOP_DATABASE_URL: must be sqlite:///FILE or postgresql://…, because memory://"
TOKENS = "QUICKSHOP_TOKEN_KEYS: must be strong, but the secret of a "


def settings(**changes: Any) -> Settings:
    """Settings that are fit for production, but for the changes."""
    fit = {
        "mode": "production",
        "database_url": "sqlite:///shop.db",
        "token_keys": STRONG,
        "password_keys": OTHER,
        "payment_gateway": "sandbox",
        "smtp_host": "mail.example.com",
        "allowed_hosts": "shop.example.com",
    }
    wanted = {name: value for name, value in (fit | changes).items() if value is not None}
    return Settings.load(**wanted)


def reasons(**changes: Any) -> list[str]:
    return [*reasons_against(settings(**changes), environment={})]


def test_what_is_fit_for_production_is_not_objected_to() -> None:
    assert reasons() == []
    assert reasons(payment_gateway="stripe", **STRIPE) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"token_keys": None}, "QUICKSHOP_TOKEN_KEYS: must be set: `quickshop keys new` makes"),
        ({"password_keys": None}, "QUICKSHOP_PASSWORD_KEYS: must be set: `quickshop keys new`"),
        ({"token_keys": f"a:{'abcdefghi' * 4}"}, f"{TOKENS}has fewer than 10 different char"),
        (
            {"token_keys": f"a:ChangeMe{STRONG[8:]}"},
            f"{TOKENS}contains a word that attackers try first",
        ),
        ({"token_keys": f"{STRONG},a:{'x' * 40}"}, f"{TOKENS}has fewer than 10 different char"),
        ({"password_keys": f"a:{'0' * 32}"}, "QUICKSHOP_PASSWORD_KEYS: must be strong, but the"),
        ({"database_url": "memory://"}, MEMORY),
        ({"payment_gateway": None}, "QUICKSHOP_PAYMENT_GATEWAY: must be set explicitly"),
        (
            {"payment_gateway": "stripe", **STRIPE, "stripe_secret_key": "sk_test_x"},
            "QUICKSHOP_STRIPE_SECRET_KEY: must be a live key (sk_live_…), because a test",
        ),
        (
            {"trusted_proxies": "10.0.0.0/8, *"},
            "QUICKSHOP_TRUSTED_PROXIES: must list addresses or networks: * lets any",
        ),
        ({"password_keys": STRONG}, "QUICKSHOP_PASSWORD_KEYS: must differ from the token keys"),
        ({"password_cost": 9}, "QUICKSHOP_PASSWORD_COST: must be at least 10"),
        ({"rate_limits": False}, "QUICKSHOP_RATE_LIMITS: must be true"),
        ({"allowed_hosts": None}, "QUICKSHOP_ALLOWED_HOSTS: must list the host names"),
        (
            {"cors_origins": "https://a.example,http://b.example"},
            "QUICKSHOP_CORS_ORIGINS: must begin with https://",
        ),
        ({"smtp_security": "none"}, "QUICKSHOP_SMTP_SECURITY: must be starttls or tls"),
        ({"smtp_host": None}, "QUICKSHOP_SMTP_HOST: must be set, or emails are only"),
    ],
)
def test_what_is_not_fit_is_named_with_what_would_be_right(
    changes: dict[str, Any], reason: str
) -> None:
    (found,) = reasons(**changes)
    assert found.startswith(reason)


@pytest.mark.parametrize("name", ["PYTHONASYNCIODEBUG", "PYTHONDEVMODE"])
def test_nothing_is_served_while_debugging(name: str) -> None:
    (reason,) = reasons_against(settings(), environment={name: "1"})
    assert reason == f"{name}: must not be set, because it is for debugging"


def test_all_reasons_are_told_at_once_and_nothing_is_opened(tmp_path: Path) -> None:
    bare = Settings.load(mode="production", database_url=f"sqlite:///{tmp_path}/shop.db")
    with pytest.raises(SettingsError) as refusal:
        open_shop(settings=bare)
    named = [reason.partition(":")[0] for reason in str(refusal.value).splitlines()]
    assert named == [
        "QUICKSHOP_TOKEN_KEYS",
        "QUICKSHOP_PASSWORD_KEYS",
        "QUICKSHOP_PAYMENT_GATEWAY",
        "QUICKSHOP_SMTP_HOST",
        "QUICKSHOP_ALLOWED_HOSTS",
    ]
    assert [*tmp_path.iterdir()] == []


def test_an_unreachable_database_hides_no_reason() -> None:
    nowhere = settings(database_url="postgresql://x@127.0.0.1:1/x", token_keys=None)
    with pytest.raises(SettingsError, match="QUICKSHOP_TOKEN_KEYS: must be set"):
        open_shop(settings=nowhere)


def test_a_program_that_brings_its_own_gateway_and_notifier_needs_none_named(
    tmp_path: Path,
) -> None:
    file = f"sqlite:///{tmp_path}/shop.db"
    bare = settings(database_url=file, payment_gateway=None, smtp_host=None)
    gateway = ScriptedGateway(lambda: False)
    with open_shop(settings=bare, payment_gateway=gateway, notifier=MemoryNotifier()) as shop:
        assert not shop.products.list().items


def test_naming_another_database_names_nothing_else(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="QUICKSHOP_PAYMENT_GATEWAY: must be set"):
        open_shop(f"sqlite:///{tmp_path}/shop.db", settings=settings(payment_gateway=None))


def test_while_a_shop_is_tried_nothing_is_asked_for() -> None:
    with open_shop("memory://") as shop:
        assert not shop.products.list().items


def test_a_number_that_is_none_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUICKSHOP_API_PROCESSES", "many")
    with pytest.raises(SettingsError) as refused:
        Settings.load()
    assert str(refused.value) == "QUICKSHOP_API_PROCESSES: must be a valid integer"


@pytest.mark.parametrize("mode", ["prod", "PRODUCTION", "debug"])
def test_a_mode_that_is_none_is_refused(mode: str) -> None:
    with pytest.raises(SettingsError, match="QUICKSHOP_MODE: must be 'development' or"):
        Settings.load(mode=mode)

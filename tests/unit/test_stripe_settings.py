"""A shop that is to be paid through Stripe says at once what it lacks."""

from __future__ import annotations

from typing import Any

import pytest

from quickshop import open_shop
from quickshop.settings import Settings, SettingsError

SECRETS = {"stripe_secret_key": "sk_test_1", "stripe_webhook_secret": "whsec_1"}


def load(**more: Any) -> Settings:
    return Settings.load(database_url="memory://", payment_gateway="stripe", **more)


@pytest.mark.parametrize("missing", SECRETS)
def test_a_missing_secret_is_asked_for_by_its_name(missing: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        load(**{name: value for name, value in SECRETS.items() if name != missing})
    assert str(refusal.value) == (
        f"QUICKSHOP_{missing.upper()}: is required when QUICKSHOP_PAYMENT_GATEWAY is stripe"
    )


@pytest.mark.parametrize("secret", ["", "sk test", "sk_test\n", "sk_tést"])
def test_a_secret_that_cannot_be_one_is_refused_and_not_shown(secret: str) -> None:
    with pytest.raises(SettingsError, match="QUICKSHOP_STRIPE_SECRET_KEY") as refusal:
        load(**SECRETS | {"stripe_secret_key": secret})
    assert not secret or secret not in str(refusal.value)


@pytest.mark.parametrize("url", ["http://api.stripe.com", "ftp://127.0.0.1", "stripe.com"])
def test_the_secret_key_is_sent_over_no_open_line(url: str) -> None:
    with pytest.raises(SettingsError, match="QUICKSHOP_STRIPE_API_BASE"):
        load(**SECRETS, stripe_api_base=url)


def test_without_stripe_no_secret_is_needed() -> None:
    assert Settings.load(database_url="memory://").payment_gateway == "sandbox"


def test_a_shop_with_both_secrets_opens() -> None:
    with open_shop(settings=load(**SECRETS)) as shop:
        assert [*shop.payments.receive_webhook.providers] == ["stripe"]


def test_the_secrets_are_not_shown_with_the_settings() -> None:
    shown = repr(load(stripe_secret_key="sk_live_xyz", stripe_webhook_secret="whsec_xyz"))
    assert "xyz" not in shown

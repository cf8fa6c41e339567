"""The core works without any optional package, and says which one is missing."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tests import processes

OPTIONAL = (
    "psycopg",
    "redis",
    "hiredis",
    "pybreaker",
    "celery",
    "kombu",
    "fastapi",
    "starlette",
    "uvicorn",
    "fastapi_offline",
    "mrml",
    "stripe",
    "requests",
)


def run_without_optional_packages(folder: Path, program: str) -> str:
    """What a program prints where none of them can be imported."""
    block = f"import sys; sys.modules.update(dict.fromkeys({OPTIONAL!r}))\n"
    done = processes.run(
        [sys.executable, "-c", block + dedent(program)],
        cwd=folder,
    )
    assert not done.returncode, done.stderr
    return done.stdout.strip()


def test_an_embedded_shop_needs_no_optional_package(tmp_path: Path) -> None:
    said = run_without_optional_packages(
        tmp_path,
        """
        from quickshop import Address, Money, PaymentSource, open_shop
        from quickshop.application.catalog import NewVariant

        with open_shop("sqlite:///shop.db") as shop:
            shop.products.create(
                title="Mug", variants=[NewVariant(sku="MUG", price=Money(1250, "USD"))]
            )
            shop.inventory.receive("MUG", 3)
            cart = shop.carts.create()
            shop.carts.add_line(cart.cart.id, cart.token, sku="MUG")
            placed = shop.orders.place(
                cart.cart.id,
                cart.token,
                email="ada@example.com",
                shipping_address=Address(
                    name="Ada", line1="1 Main St", city="Reno", postal_code="89501", country="US"
                ),
                payment=PaymentSource("tok_ok"),
            )
            shop.run_jobs()
            print(shop.orders.get(placed.order.id).status)
        """,
    )
    assert said == "paid"


@pytest.mark.parametrize(
    ("url", "more", "extra"),
    [
        ("postgresql://localhost/shop", {}, "postgres"),
        ("sqlite:///shop.db", {"redis_url": "redis://localhost"}, "redis"),
        ("sqlite:///shop.db", {"broker_url": "redis://localhost"}, "celery"),
        (
            "sqlite:///shop.db",
            {
                "payment_gateway": "stripe",
                "stripe_secret_key": "sk_test_1",
                "stripe_webhook_secret": "whsec_1",
            },
            "stripe",
        ),
    ],
)
def test_a_setting_that_needs_an_extra_names_it(
    tmp_path: Path, url: str, more: dict[str, str], extra: str
) -> None:
    said = run_without_optional_packages(
        tmp_path,
        f"""
        from quickshop import QuickShopError, Settings, open_shop

        try:
            open_shop({url!r}, settings=Settings.load(**{more!r}))
        except QuickShopError as error:
            print(error)
        """,
    )
    assert f"pip install 'quickshop[{extra}]'" in said


def test_importing_quickshop_loads_nothing_heavy(tmp_path: Path) -> None:
    said = run_without_optional_packages(
        tmp_path,
        """
        import sys
        import quickshop
        heavy = {"sqlalchemy", "pydantic", "alembic", "rich", "typer", "jinja2", "babel", "nh3"}
        print(sorted(heavy & set(sys.modules)))
        """,
    )
    assert said == "[]"

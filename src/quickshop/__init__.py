"""QuickShop: a commerce engine that you import.

>>> from quickshop import open_shop
>>> with open_shop("memory://") as shop:
...     cart = shop.carts.create()
"""

from typing import TYPE_CHECKING, Any

from quickshop.application.catalog import NewVariant
from quickshop.domain.customers import Address
from quickshop.domain.errors import AdapterError, DomainError, QuickShopError, TransientError
from quickshop.domain.money import Money
from quickshop.domain.payments import PaymentSource
from quickshop.shop import Shop

if TYPE_CHECKING:
    from quickshop.container import open_shop
    from quickshop.settings import Settings

__all__ = [
    "AdapterError",
    "Address",
    "DomainError",
    "Money",
    "NewVariant",
    "PaymentSource",
    "QuickShopError",
    "Settings",
    "Shop",
    "TransientError",
    "open_shop",
]


def __getattr__(name: str) -> Any:
    # Both bring third-party packages with them, so they are imported when they are asked for.
    if name == "open_shop":
        from quickshop.container import open_shop  # noqa: PLC0415

        return open_shop
    if name == "Settings":
        from quickshop.settings import Settings  # noqa: PLC0415

        return Settings
    raise AttributeError(f"module 'quickshop' has no attribute {name!r}")

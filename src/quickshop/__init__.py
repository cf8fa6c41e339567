"""QuickShop: a commerce engine that you import.

>>> from quickshop import open_shop
>>> with open_shop("memory://") as shop:
...     cart = shop.carts.create()
"""

from typing import TYPE_CHECKING, Any

from quickshop.application.catalog import ChangedVariant, NewVariant
from quickshop.domain.catalog import Image
from quickshop.domain.customers import Address
from quickshop.domain.errors import (
    AdapterError,
    DomainError,
    InvalidValueError,
    NotFoundError,
    OutOfStockError,
    QuickShopError,
    TransientError,
)
from quickshop.domain.money import Money
from quickshop.domain.orders import OrderStatus
from quickshop.domain.payments import PaymentSource
from quickshop.shop import Shop

if TYPE_CHECKING:
    from quickshop.container import open_shop
    from quickshop.settings import Settings, SettingsError

__all__ = [
    "AdapterError",
    "Address",
    "ChangedVariant",
    "DomainError",
    "Image",
    "InvalidValueError",
    "Money",
    "NewVariant",
    "NotFoundError",
    "OrderStatus",
    "OutOfStockError",
    "PaymentSource",
    "QuickShopError",
    "Settings",
    "SettingsError",
    "Shop",
    "TransientError",
    "open_shop",
]


def __getattr__(name: str) -> Any:
    # Both import third-party packages, so they are imported on first use.
    if name == "open_shop":
        from quickshop.container import open_shop  # noqa: PLC0415

        return open_shop
    if name in {"Settings", "SettingsError"}:
        from quickshop import settings  # noqa: PLC0415

        return getattr(settings, name)
    raise AttributeError(f"module 'quickshop' has no attribute {name!r}")

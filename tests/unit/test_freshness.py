"""What shoppers browse is at most five seconds old, even when every invalidation is lost."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from quickshop import Money
from quickshop.adapters.redis.product_cache import POINTER_SECONDS
from quickshop.domain.catalog import Product
from quickshop.entrypoints.http.edge.page_cache import PageCache
from quickshop.settings import Settings, SettingsError
from quickshop.shop import Shop
from tests.memory_caches import MemoryProductCache
from tests.scripted import World

OLDEST_SECONDS = 5
STEPS = 10
"""Looks per second."""
OLD, NEW = b"1999", b"1"


class DeafCache(MemoryProductCache):
    """A cache to which no invalidation ever gets through."""

    def forget(self, *keys: str) -> None:
        assert keys


@dataclass(slots=True)
class Time:
    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


@dataclass(slots=True)
class Fleet:
    """Two API processes that share a cache, and a proxy on the way which keeps what it may."""

    world: World = field(default_factory=World)
    time: Time = field(default_factory=Time)

    async def seconds_until_new(self, second_asks_after: float) -> float:
        """How long the second process shows a price that changed just after the first asked."""
        product = self.world.sell()
        cache = DeafCache(monotonic=self.time)
        page = replace(self.world.shop.products.page, cache=cache)
        change = self.world.shop.products.change_price
        change = replace(change, editing=replace(change.editing, cache=cache))
        shop = replace(
            self.world.shop,
            products=replace(self.world.shop.products, page=page, change_price=change),
        )
        longest = Settings.load().product_cache_seconds
        first, second = (PageCache(seconds=longest, now=self.time) for _ in range(2))
        assert await price(first, shop, product) == OLD
        changed_at = self.time.seconds
        shop.products.change_price(product.variants[0].sku, Money(int(NEW), "EUR"))
        self.time.seconds += second_asks_after
        while await price(second, shop, product) == OLD:
            self.time.seconds += 1 / STEPS
        return self.time.seconds - changed_at


async def price(pages: PageCache, shop: Shop, product: Product) -> bytes:
    def render() -> bytes:
        handle = product.handle
        return shop.products.page(handle, lambda v: b"%d" % v.variants[0].price.minor).body

    return (await pages.get(product.handle, render)).body


async def may_be_kept_by_others() -> int:
    """Seconds for which a page lets browsers and proxies keep it."""
    page = await PageCache(seconds=2).get("any", lambda: b"{}")
    header = dict(page.headers)[b"cache-control"].decode()
    return int(header.rpartition("max-age=")[2])


@pytest.mark.parametrize("second_asks_after", [step / STEPS for step in range(3 * STEPS)])
def test_a_product_page_is_at_most_five_seconds_old_when_every_invalidation_is_lost(
    second_asks_after: float,
) -> None:
    async def oldest() -> float:
        shown = await Fleet().seconds_until_new(second_asks_after)
        return shown + await may_be_kept_by_others()

    assert asyncio.run(oldest()) <= OLDEST_SECONDS + 1 / STEPS


def test_what_each_cache_believes_adds_up_to_five_seconds() -> None:
    in_process = Settings.load().product_cache_seconds
    by_others = asyncio.run(may_be_kept_by_others())
    assert POINTER_SECONDS + in_process + by_others <= OLDEST_SECONDS
    with pytest.raises(SettingsError, match="PRODUCT_CACHE_SECONDS"):
        Settings.load(product_cache_seconds=in_process + 1)

"""Product pages kept in this process."""

from __future__ import annotations

import pytest

from quickshop.adapters.memory.caches import NoProductCache
from quickshop.ports.cache import CachedPage
from tests.contracts.cache import NEW, OLD, ProductCacheContract
from tests.memory_caches import MemoryProductCache


class Seconds:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def product_cache(seconds: Seconds) -> MemoryProductCache:
    return MemoryProductCache(monotonic=seconds, max_pages=3)


class TestMemoryProductCache(ProductCacheContract):
    pass


def test_a_page_is_believed_to_be_current_for_two_seconds(
    product_cache: MemoryProductCache, seconds: Seconds
) -> None:
    product_cache.put("bike", OLD)
    seconds.now += 1.9
    assert product_cache.current("bike") == OLD
    seconds.now += 0.1
    assert product_cache.current("bike") is None
    assert product_cache.page("bike", OLD.etag) == OLD
    assert product_cache.current("bike") == OLD


def test_a_page_is_kept_for_an_hour(product_cache: MemoryProductCache, seconds: Seconds) -> None:
    product_cache.put("bike", OLD)
    seconds.now += 3599
    assert product_cache.page("bike", OLD.etag) == OLD
    seconds.now += 1
    assert product_cache.page("bike", OLD.etag) is None


def test_the_page_put_first_makes_room(product_cache: MemoryProductCache) -> None:
    for key in ("bike", "bell", "bike", "horn", "lamp"):
        product_cache.put(key, NEW)
    kept = [key for key in ("bike", "bell", "horn", "lamp") if product_cache.current(key)]
    assert kept == ["bike", "horn", "lamp"]


def test_no_cache_is_an_empty_one() -> None:
    cache = NoProductCache()
    cache.put("bike", CachedPage("etag", b""))
    cache.forget("bike")
    assert cache.current("bike") is None
    assert cache.page("bike", "etag") is None

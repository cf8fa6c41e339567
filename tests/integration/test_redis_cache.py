"""Product pages in a real Valkey, and what happens when it fails in every way it can."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from redis import Redis

from quickshop.adapters.redis.product_cache import (
    FORGOTTEN_SECONDS,
    PAGE_SECONDS,
    POINTER_SECONDS,
    RedisProductCache,
)
from quickshop.adapters.redis.server import FAILURES_UNTIL_OPEN, RedisServer
from quickshop.ports.cache import CachedPage
from tests import servers
from tests.contracts.cache import ProductCacheContract
from tests.fault_proxy import FaultProxy
from tests.processes import eventually

KEY = "blue-shirt"


@pytest.fixture
def product_cache(redis: Redis, own_valkey: servers.Server) -> Iterator[RedisProductCache]:
    assert not redis.dbsize()
    asked = RedisServer(own_valkey.url, timeout_seconds=10)
    yield RedisProductCache(asked)
    asked.close()


@pytest.fixture
def distant(
    redis: Redis, valkey_proxy: FaultProxy, own_valkey: servers.Server
) -> Iterator[RedisServer]:
    """By way of the fault proxy; whoever gave it up does not try again in here."""
    assert not redis.dbsize()
    asked = RedisServer(
        valkey_proxy.through(own_valkey.url), timeout_seconds=0.05, rest_seconds=600
    )
    yield asked
    asked.close()


@pytest.fixture
def distant_cache(distant: RedisServer) -> RedisProductCache:
    return RedisProductCache(distant)


class TestRedisProductCache(ProductCacheContract):
    pass


class Product:
    """Makes pages of one product."""

    def __init__(self) -> None:
        self.id = uuid4()

    def page(self, version: int, stock_version: int = 1) -> CachedPage:
        body = f"{version} {stock_version} €".encode()
        return CachedPage(f"{self.id.hex}-{version}-{stock_version}", body)


@pytest.fixture
def product() -> Product:
    return Product()


def test_two_processes_share_their_pages(
    product_cache: RedisProductCache, own_valkey: servers.Server, product: Product
) -> None:
    product_cache.put(KEY, product.page(1))
    other = RedisServer(own_valkey.url, timeout_seconds=10)

    assert RedisProductCache(other).current(KEY) == product.page(1)
    other.close()


def test_one_page_serves_the_id_and_the_handle(
    product_cache: RedisProductCache, product: Product
) -> None:
    page = product.page(1)
    product_cache.put(KEY, page)

    assert product_cache.current(str(product.id)) is None
    assert product_cache.page(str(product.id), page.etag) == page
    assert product_cache.current(str(product.id)) == page


@pytest.mark.parametrize(("newer", "older"), [((2, 1), (1, 9)), ((1, 10), (1, 9))])
def test_a_slow_fill_does_not_overwrite_a_newer_page(
    product_cache: RedisProductCache,
    product: Product,
    newer: tuple[int, int],
    older: tuple[int, int],
) -> None:
    product_cache.put(KEY, product.page(*newer))
    product_cache.put(KEY, product.page(*older))

    assert product_cache.current(KEY) == product.page(*newer)


def test_a_slow_fill_does_not_come_back_once_nothing_is_believed(
    product_cache: RedisProductCache, redis: Redis, product: Product
) -> None:
    product_cache.put(KEY, product.page(2))
    redis.delete(f"quickshop:product-current:{KEY}")  # as it is after its 2 seconds

    product_cache.put(KEY, product.page(1))

    assert product_cache.current(KEY) is None


def test_a_slow_fill_does_not_bring_back_what_was_forgotten(
    product_cache: RedisProductCache, product: Product
) -> None:
    product_cache.put(KEY, product.page(1))
    product_cache.forget(KEY)

    product_cache.put(KEY, product.page(1))
    assert product_cache.current(KEY) is None

    product_cache.put(KEY, product.page(2))
    assert product_cache.current(KEY) == product.page(2)


def test_what_the_database_says_is_current_after_a_needless_forget(
    product_cache: RedisProductCache, product: Product
) -> None:
    product_cache.put(KEY, product.page(1))
    product_cache.forget(KEY)

    assert product_cache.page(KEY, product.page(1).etag) == product.page(1)
    assert product_cache.current(KEY) == product.page(1)


def test_a_handle_may_move_to_another_product(product_cache: RedisProductCache) -> None:
    product_cache.put(KEY, Product().page(7))
    other = Product().page(1)
    product_cache.put(KEY, other)

    assert product_cache.current(KEY) == other


def test_pages_are_kept_an_hour_and_believed_for_seconds(
    product_cache: RedisProductCache, redis: Redis, product: Product
) -> None:
    page = product.page(1)
    product_cache.put(KEY, page)
    product_cache.forget(KEY)
    product_cache.put(KEY, product.page(2))

    def lasts(key: str) -> int:
        return int(redis.ttl(key))

    assert 0 < lasts(f"quickshop:product-current:{KEY}") <= POINTER_SECONDS
    assert 0 < lasts(f"quickshop:product-forgotten:{KEY}") <= FORGOTTEN_SECONDS
    assert 0 < lasts(f"quickshop:product:{page.etag}") <= PAGE_SECONDS
    assert all(lasts(key.decode()) > 0 for key in redis.keys())  # noqa: SIM118 - a command


def test_a_lost_page_is_an_empty_cache(
    product_cache: RedisProductCache, redis: Redis, product: Product
) -> None:
    page = product.page(1)
    product_cache.put(KEY, page)
    redis.delete(f"quickshop:product:{page.etag}")

    assert product_cache.current(KEY) is None
    assert product_cache.page(KEY, page.etag) is None


@pytest.mark.parametrize("key", ["", "\ud800", "a\x00b\r\nGET x", "é" * 300])
def test_any_text_may_be_a_key(product_cache: RedisProductCache, product: Product, key: str):
    product_cache.put(key, product.page(1))

    assert product_cache.current(key) == product.page(1)


def test_it_works_again_after_a_flush(
    product_cache: RedisProductCache, redis: Redis, product: Product
) -> None:
    product_cache.put(KEY, product.page(2))
    redis.flushall()
    redis.script_flush()

    assert product_cache.current(KEY) is None
    product_cache.put(KEY, product.page(2))
    assert product_cache.current(KEY) == product.page(2)


def test_a_redis_that_takes_no_more_is_an_empty_cache(
    product_cache: RedisProductCache, redis: Redis, product: Product
) -> None:
    redis.config_set("maxmemory", "1")
    try:
        product_cache.put(KEY, product.page(1))
        assert product_cache.current(KEY) is None
    finally:
        redis.config_set("maxmemory", "0")


def use(cache: RedisProductCache, product: Product) -> None:
    """Everything there is, and nothing of it raises."""
    page = product.page(1)
    assert cache.current(KEY) is None
    assert cache.page(KEY, page.etag) is None
    cache.put(KEY, page)
    cache.forget(KEY, str(product.id))


@pytest.mark.parametrize("fail", [FaultProxy.black_hole, FaultProxy.refuse])
@pytest.mark.parametrize("connected", [True, False])
def test_a_redis_that_is_away_is_an_empty_cache(
    distant: RedisServer,
    distant_cache: RedisProductCache,
    valkey_proxy: FaultProxy,
    product: Product,
    fail: Callable[[FaultProxy], None],
    *,
    connected: bool,
) -> None:
    if connected:
        distant_cache.put(KEY, product.page(1))
    fail(valkey_proxy)

    for _ in range(25):
        use(distant_cache, product)
    assert not distant.is_reachable()


def test_a_redis_that_does_not_answer_is_left_alone_after_a_few_tries(
    distant_cache: RedisProductCache, valkey_proxy: FaultProxy, product: Product
) -> None:
    valkey_proxy.black_hole()
    for _ in range(FAILURES_UNTIL_OPEN):
        assert distant_cache.current(KEY) is None
    assert valkey_proxy.accepted == FAILURES_UNTIL_OPEN  # and none was repeated by the client

    for _ in range(25):
        use(distant_cache, product)

    assert valkey_proxy.accepted == FAILURES_UNTIL_OPEN


def test_a_redis_that_comes_back_is_used_again(
    valkey_proxy: FaultProxy, redis: Redis, own_valkey: servers.Server, product: Product
) -> None:
    assert not redis.dbsize()
    asked = RedisServer(
        valkey_proxy.through(own_valkey.url), timeout_seconds=0.05, rest_seconds=0.05
    )
    cache = RedisProductCache(asked)
    valkey_proxy.black_hole()
    for _ in range(FAILURES_UNTIL_OPEN):
        assert cache.current(KEY) is None
    valkey_proxy.forward()

    def is_used() -> bool:
        cache.put(KEY, product.page(1))
        return cache.current(KEY) == product.page(1)

    assert eventually(is_used)
    assert eventually(asked.is_reachable)
    asked.close()


def test_a_connection_that_was_cut_costs_at_most_one_answer(
    redis: Redis, valkey_proxy: FaultProxy, own_valkey: servers.Server, product: Product
) -> None:
    assert not redis.dbsize()
    asked = RedisServer(valkey_proxy.through(own_valkey.url), timeout_seconds=10)
    cache = RedisProductCache(asked)
    cache.put(KEY, product.page(1))
    valkey_proxy.cut()
    cache.current(KEY)
    cache.put(KEY, product.page(1))  # its pointer lasts two seconds

    assert cache.current(KEY) == product.page(1)
    asked.close()


def test_an_address_where_nobody_is_makes_an_empty_cache(product: Product) -> None:
    nobody = RedisServer(f"redis://127.0.0.1:{servers.free_port()}/0")

    use(RedisProductCache(nobody), product)
    assert not nobody.is_reachable()
    nobody.close()

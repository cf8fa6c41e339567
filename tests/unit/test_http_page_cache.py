"""Product pages in memory: fresh enough, few calls to the origin, and never too many of them."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import Event, Lock

import httpx2
import pytest

from quickshop import Money, Shop, open_shop
from quickshop.application.catalog import NewVariant
from quickshop.domain.errors import TransientError
from quickshop.entrypoints.http.app import create_app
from quickshop.entrypoints.http.edge.page_cache import PageCache
from quickshop.ports.cache import CachedPage
from quickshop.ports.catalog import ProductQuery, ProductView
from quickshop.ports.paging import Page
from tests.http_client import open_web


class Origin:
    """A database that counts its readers and, if asked, keeps them waiting."""

    def __init__(self, body: bytes = b"{}") -> None:
        self.calls = 0
        self.body = body
        self.asked = Event()
        self.released = Event()
        self.released.set()
        self._lock = Lock()

    def __call__(self) -> bytes:
        with self._lock:
            self.calls += 1
        self.asked.set()
        assert self.released.wait(10)
        return self.body


class Time:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def shop() -> Iterator[Shop]:
    with open_shop("memory://") as shop:
        shop.products.create(
            title="Mug", variants=[NewVariant(sku="MUG", price=Money(1250, "USD"))]
        )
        yield shop


def test_a_page_is_shown_from_memory_until_its_time_is_over():
    async def story() -> None:
        time, origin = Time(), Origin()
        cache = PageCache(seconds=2, now=time)
        await cache.get("key", origin)
        time.seconds = 1.9
        await cache.get("key", origin)
        assert origin.calls == 1
        time.seconds = 2
        assert cache.fresh("key") is None
        await cache.get("key", origin)
        assert origin.calls == 2

    asyncio.run(story())


def test_a_page_ages_while_a_slow_origin_makes_it():
    async def story() -> None:
        time = Time()

        def slow() -> bytes:
            time.seconds += 1.5
            return b"{}"

        cache = PageCache(seconds=2, now=time)
        await cache.get("key", slow)
        time.seconds = 2
        assert cache.fresh("key") is None

    asyncio.run(story())


def test_two_hundred_at_once_ask_the_origin_once():
    async def story() -> None:
        origin = Origin(b'{"a": 1}')
        origin.released.clear()
        cache = PageCache(seconds=2)
        askers = [asyncio.create_task(cache.get("key", origin)) for _ in range(200)]
        await asyncio.to_thread(origin.asked.wait, 10)
        origin.released.set()
        pages = await asyncio.gather(*askers)
        assert {page.body for page in pages} == {b'{"a": 1}'}
        assert origin.calls == 1

    asyncio.run(story())


def test_one_who_leaves_takes_the_page_from_nobody():
    async def story() -> None:
        origin = Origin()
        origin.released.clear()
        cache = PageCache(seconds=2)
        first, second = (asyncio.create_task(cache.get("key", origin)) for _ in range(2))
        await asyncio.to_thread(origin.asked.wait, 10)
        first.cancel()
        origin.released.set()
        assert (await second).body == b"{}"
        assert origin.calls == 1

    asyncio.run(story())


def test_a_failure_reaches_everyone_who_waited_and_is_not_kept():
    async def story() -> None:
        def fail() -> bytes:
            raise TransientError("down")

        cache = PageCache(seconds=2)
        outcomes = await asyncio.gather(
            *(cache.get("key", fail) for _ in range(3)), return_exceptions=True
        )
        assert [type(outcome) for outcome in outcomes] == [TransientError] * 3
        assert (await cache.get("key", Origin())).body == b"{}"

    asyncio.run(story())


def test_the_pages_not_asked_for_longest_make_room():
    async def story() -> None:
        cache = PageCache(seconds=100, max_bytes=3 * (1024 + 100))
        for key in ("a", "b", "c"):
            await cache.get(key, Origin(b"x" * 100))
        assert cache.fresh("a")
        await cache.get("d", Origin(b"x" * 100))
        assert [key for key in "abcd" if cache.fresh(key)] == ["a", "c", "d"]
        await cache.get("huge", Origin(b"x" * 10_000))
        assert not cache.fresh("huge")

    asyncio.run(story())


@pytest.mark.parametrize(
    ("url", "spelling"),
    [
        ("/v1/products/mug", "/v1/products/%6Dug?"),
        ("/v1/products?sort=title&limit=5", "/v1/products?limit=5&sort=title"),
    ],
)
def test_two_hundred_shoppers_at_once_cost_the_database_one_read(
    shop: Shop, url: str, spelling: str
):
    async def story() -> None:
        origin = Origin()
        origin.released.clear()

        def page(key: str, render: Callable[[ProductView], bytes]) -> CachedPage:
            origin()
            return shop.products.page(key, render)

        def listing(query: ProductQuery) -> Page[ProductView]:
            origin()
            return shop.products.list(query)

        counted = replace(shop, products=replace(shop.products, page=page, list=listing))
        transport = httpx2.ASGITransport(create_app(counted))
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            askers = [asyncio.create_task(client.get(url)) for _ in range(200)]
            await asyncio.to_thread(origin.asked.wait, 10)
            origin.released.set()
            answers = await asyncio.gather(*askers)
            # Another spelling of the same query is the same query.
            again = await client.get(spelling)
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.content for answer in [*answers, again]}) == 1
        assert origin.calls == 1

    asyncio.run(story())


def test_a_page_in_memory_says_exactly_what_the_database_said():
    with open_web(product_cache_seconds=2) as web:
        web.stock()
        first, again = (web.client.get("/v1/products/mug-1") for _ in range(2))
        assert again.content == first.content
        kept = {"content-type", "content-length", "etag", "cache-control"}
        assert {h: again.headers[h] for h in kept} == {h: first.headers[h] for h in kept}
        known = {"If-None-Match": first.headers["etag"]}
        assert web.client.get("/v1/products/mug-1", headers=known).status_code == 304
        assert web.client.head("/v1/products/mug-1").content == b""
        assert first.headers["x-request-id"] != again.headers["x-request-id"]


def test_without_that_memory_every_page_is_new():
    with open_web(product_cache_seconds=0) as web:
        web.stock()
        web.client.get("/v1/products")
        web.shop.products.change_price("MUG-1", Money(999, "USD"))
        [product] = web.client.get("/v1/products").json()["items"]
        assert product["variants"][0]["price"]["amount"] == 999

"""How many requests may wait for the database at once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event, Lock
from typing import Any

from fastapi.testclient import TestClient

from quickshop import open_shop
from quickshop.domain.errors import NotFoundError
from quickshop.entrypoints.http.app import create_app

REQUESTS = 12
CART = "/v1/carts/0196f0c8-0000-7000-8000-000000000000"


class Crowd:
    """Passes requests on, and knows when the last of them has come in."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.here = 0
        self.complete = Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.here += scope["type"] == "http"
        if self.here == REQUESTS:
            self.complete.set()
        await self.app(scope, receive, send)


class SlowCarts:
    """Answers nobody before everybody is waiting, and knows how many got in at once.

    Nobody leaves before as many are inside as there should be `room` for.
    """

    def __init__(self, room: int) -> None:
        self.wait = Event().wait
        self.entered = Event()
        self.full = Event()
        self._room = room
        self.inside = self.peak = 0
        self._lock = Lock()

    def __call__(self, *_: object) -> None:
        self.entered.set()
        with self._lock:
            self.inside += 1
            self.peak = max(self.peak, self.inside)
            if self.inside >= self._room:
                self.full.set()
        assert self.full.wait(10)
        assert self.wait(10)
        with self._lock:
            self.inside -= 1
        raise NotFoundError("cart")


def test_no_more_requests_use_the_database_at_once_than_its_pool_has_connections():
    carts = SlowCarts(room=3)
    with open_shop("memory://") as shop:
        slow = replace(shop, carts=replace(shop.carts, page=carts))
        crowd = Crowd(create_app(slow, pool_size=3))
        carts.wait = crowd.complete.wait
        with TestClient(crowd) as client, ThreadPoolExecutor(REQUESTS) as pool:
            answers = list(pool.map(lambda _: client.get(CART), range(REQUESTS)))
    assert {answer.status_code for answer in answers} == {404}
    assert carts.peak == 3


def test_a_process_is_live_while_every_thread_waits():
    carts = SlowCarts(room=1)
    released = Event()
    carts.wait = released.wait
    with open_shop("memory://") as shop:
        slow = replace(shop, carts=replace(shop.carts, page=carts))
        with TestClient(create_app(slow, pool_size=1)) as client, ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(client.get, CART)
            assert carts.entered.wait(10)
            assert client.get("/health/live").status_code == 200
            released.set()
            assert waiting.result().status_code == 404

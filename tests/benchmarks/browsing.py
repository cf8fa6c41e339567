"""Reading the catalog over HTTP, beside a framework that only says hello."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.benchmarks import catalog
from tests.benchmarks.load import asking, request
from tests.benchmarks.measure import HANDS, compare, http_side
from tests.benchmarks.report import Row, compared
from tests.benchmarks.stage import Stage

PAGES_EACH = 2
"""Products per connection. No two connections share one, so that none rides on another's call."""


def product_in_process(stage: Stage) -> Iterator[Row]:
    """From this process's own memory; every page is rendered again every two seconds."""
    yield _measure(stage, "product_in_process", "product detail, in-process copy", 0.85)


def product_redis(stage: Stage) -> Iterator[Row]:
    yield _measure(
        stage,
        "product_redis",
        "product detail, Redis",
        0.35,
        redis_url=stage.valkey.url,
        product_cache_seconds=0,
    )


def product_postgres(stage: Stage) -> Iterator[Row]:
    yield _measure(
        stage, "product_postgres", "product detail, PostgreSQL", 0.15, product_cache_seconds=0
    )


def list_cached(stage: Stage) -> Iterator[Row]:
    questions = [[request("GET", "/v1/products?limit=20")] for _ in range(HANDS)]
    yield _measure(stage, "list_cached", "list page of 20, in-process copy", 0.5, questions)


def list_search(stage: Stage) -> Iterator[Row]:
    questions = [
        [request("GET", f"/v1/products?limit=20&q={kind}")] for kind in catalog.KINDS[:HANDS]
    ]
    path = "search, page of 20, PostgreSQL"
    yield _measure(stage, "list_search", path, 0.1, questions, product_cache_seconds=0)


def _measure(
    stage: Stage,
    name: str,
    path: str,
    target: float,
    questions: Sequence[Sequence[bytes]] = (),
    **settings: object,
) -> Row:
    asked = questions or [_products(hand) for hand in range(HANDS)]
    with stage.database() as database, stage.serve(database, **settings) as (child, port):
        side = http_side(
            port, lambda: [asking(mine) for mine in asked], [child.pid], stage.effort.seconds
        )
        comparison = compare(side, stage.hello_side(), stage.effort.rounds)
    return compared(name, path, comparison, target=target, by="cpu")


def _products(hand: int) -> list[bytes]:
    numbers = range(hand * PAGES_EACH, (hand + 1) * PAGES_EACH)
    return [request("GET", f"/v1/products/{catalog.handle(number)}") for number in numbers]

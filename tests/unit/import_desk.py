"""A shop in memory whose worker reads Shopify's files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

from quickshop import Shop
from quickshop.adapters.memory.imports import MemoryImportReader
from quickshop.adapters.shopify.feed import ShopifyFeedReader
from quickshop.application.imports import ImportProducts, RunImport
from quickshop.domain.identity import AccountId, Permission
from quickshop.domain.imports import ImportId
from quickshop.ports.identity import Caller
from quickshop.ports.imports import ImportView, Severity
from tests.builders import MovableClock, new_id
from tests.scripted import World
from tests.unit.shopify_rows import Cells, as_csv, mug, shirt, size

LEASE = timedelta(seconds=60)


class Ticking(MovableClock):
    """Moves on by itself, a little with each look at it."""

    seconds = 0.0

    def now(self) -> datetime:
        return self.advance(seconds=self.seconds)


@dataclass
class Desk:
    """A shop whose worker reads Shopify's files."""

    clock: Ticking = field(default_factory=Ticking)
    world: World = field(init=False)
    shop: Shop = field(init=False)

    def __post_init__(self) -> None:
        self.world = World(clock=self.clock)
        shop = self.world.shop
        feed = ShopifyFeedReader()
        load = replace(shop.products.import_file, open_feed=feed)
        start = replace(shop.imports.start, open_feed=feed)
        self.shop = replace(
            shop,
            products=replace(shop.products, import_file=load),
            imports=replace(shop.imports, start=start),
        )

    def hand_in(self, *rows: Cells, **more: Any) -> ImportView:
        content = BytesIO(as_csv(rows).encode())
        return self.shop.imports.start(content, **more).value

    def runner(self, load: ImportProducts | None = None, **more: Any) -> RunImport:
        work = self.world.unit_of_work
        return RunImport(
            work,
            self.clock,
            MemoryImportReader(work.store),
            load or self.shop.products.import_file,
            turn=LEASE / 2,
            **more,
        )

    def run(self, import_id: ImportId) -> ImportView:
        self.runner()(import_id)
        return self.shop.imports.get(import_id)

    def issues(self, import_id: ImportId) -> list[tuple[int, str, Severity]]:
        page = self.shop.imports.issues(import_id, limit=100)
        return [(issue.line, issue.column, issue.severity) for issue in page.items]

    def left(self) -> bytes:
        """What is kept of files."""
        content = self.world.unit_of_work.store.state.import_content
        return b"".join(part for parts in content.values() for part in parts)


def counted(view: ImportView) -> tuple[int, int, int, int]:
    counts = view.counts
    return (counts.created, counts.updated, counts.unchanged, counts.rejected_rows)


def interrupting(load: ImportProducts, after: int, how: Callable[[], BaseException]) -> Any:
    """An import that ends so before it stores the product after so many."""
    stored = 0

    def sanitize(html: str) -> str:
        nonlocal stored
        if stored == after:
            raise how()
        stored += 1
        return html

    return replace(load, sanitize=sanitize)


SHELF = (shirt(), size("M"), mug(), mug(handle="cup", sku="CUP"), mug(handle="jug", sku="JUG"))


def somebody(*permissions: Permission) -> Caller:
    """Staff who may do so much."""
    return Caller(account_id=AccountId(new_id()), permissions=frozenset(permissions))

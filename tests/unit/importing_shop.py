"""A shop in memory that product files are imported into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from quickshop.adapters.identifiers import SystemIdentifiers
from quickshop.adapters.memory.caches import NoProductCache
from quickshop.adapters.memory.catalog_reader import MemoryProductReader
from quickshop.adapters.memory.inventory import MemoryStockReader
from quickshop.adapters.memory.unit_of_work import MemoryUnitOfWork
from quickshop.adapters.security.html import NhHtmlSanitizer
from quickshop.adapters.shopify.feed import ShopifyFeedReader
from quickshop.application.imports import ImportProducts, ImportReport
from quickshop.application.reactions import REACTIONS
from quickshop.domain.catalog import Product
from quickshop.domain.inventory import StockMovement
from quickshop.ports.imports import Severity
from quickshop.ports.inventory import StockView
from quickshop.ports.unit_of_work import Transaction
from tests.builders import NOW, MovableClock, an_allocation, store_order
from tests.unit.shopify_rows import Cells, as_csv

SAMPLE = Path(__file__).parents[2] / "src/quickshop/entrypoints/cli/sample_catalog.csv"


class ForgettingCache(NoProductCache):
    """Knows what it was told to forget."""

    def __init__(self) -> None:
        self.forgotten: list[str] = []

    def forget(self, *keys: str) -> None:
        self.forgotten.extend(keys)


@dataclass
class ImportingShop:
    """Imports rows, and shows what became of them."""

    folder: Path
    work: MemoryUnitOfWork = field(default_factory=lambda: MemoryUnitOfWork(REACTIONS))
    cache: ForgettingCache = field(default_factory=ForgettingCache)
    opening: Callable[[], AbstractContextManager[Transaction]] | None = None
    """Opens transactions instead of `work`."""

    def load(
        self,
        *rows: Cells,
        columns: list[str] | None = None,
        currency: str = "EUR",
        location: str | None = None,
        dry_run: bool = False,
    ) -> ImportReport:
        path = self.folder / "products.csv"
        path.write_bytes(as_csv(rows, columns).encode())
        return self.load_file(path, currency=currency, location=location, dry_run=dry_run)

    def load_file(
        self,
        path: Path,
        *,
        currency: str = "EUR",
        location: str | None = None,
        dry_run: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> ImportReport:
        load = ImportProducts(
            self.opening or self.work,
            MovableClock(),
            SystemIdentifiers(),
            ShopifyFeedReader(),
            NhHtmlSanitizer(),
            self.cache,
            "main",
        )
        report = load(
            path, currency=currency, location=location, dry_run=dry_run, progress=progress
        )
        assert report.imported_rows + report.rejected_rows == report.rows
        assert MemoryStockReader(self.work.store).discrepancies() == []
        return report

    def product(self, handle: str) -> Product:
        with self.work() as tx:
            product = tx.products.find_by_handle(handle)
        assert product is not None
        return product

    def skus(self, handle: str) -> list[str]:
        return [variant.sku for variant in self.product(handle).variants]

    def stock(self) -> dict[str, StockView]:
        levels = MemoryStockReader(self.work.store).list(limit=100).items
        return {level.sku: level for level in levels}

    def shelves(self, sku: str) -> dict[str, int]:
        """Units on hand by location."""
        levels = MemoryStockReader(self.work.store).list(sku=sku).items
        return {level.location: level.on_hand for level in levels}

    def ledger(self) -> list[StockMovement]:
        return list(self.work.store.state.ledger)

    @property
    def reader(self) -> MemoryProductReader:
        return MemoryProductReader(self.work.store)

    def sell(self, handle: str, quantity: int) -> None:
        """Promise units of a product in one variant to an order."""
        product = self.product(handle)
        order = store_order(self.work, product, quantity=quantity)
        with self.work() as tx:
            (level,) = tx.stock.levels([product.variants[0].id])
            tx.stock.allocate([an_allocation(order, level)], now=NOW)

    def failing(self, *errors: Exception) -> None:
        """Have the next transactions end in these errors, one each, when they commit."""
        left = list(errors)

        @contextmanager
        def opening() -> Iterator[Transaction]:
            with self.work() as tx:
                yield tx
                if left:
                    raise left.pop(0)

        self.opening = opening


def notes(report: ImportReport, column: str) -> list[str]:
    return [
        issue.reason
        for issue in report.issues
        if (issue.column, issue.severity) == (column, Severity.NOTE)
    ]


def as_real(report: ImportReport) -> ImportReport:
    """A dry run's report as the real run should give it."""
    assert report.dry_run
    return replace(report, dry_run=False)

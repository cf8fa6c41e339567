"""What it takes to have a shop at all: starting one, keeping one, and filling one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

from quickshop import Shop, open_shop
from quickshop.container import migrate_database
from tests.benchmarks import catalog
from tests.benchmarks.load import drive, request, sending
from tests.benchmarks.processes import ROOT, resident_mib
from tests.benchmarks.report import Row
from tests.benchmarks.stage import Stage

PATIENCE_SECONDS: Final = 60
_OPEN: Final = "import sys; from quickshop import open_shop; open_shop(sys.argv[1]).close()"


def cold_start(stage: Stage) -> Iterator[Row]:
    """A new process opens a shop on a file that is not there yet, and ends."""
    found = []
    for _ in range(stage.effort.rounds + 1):  # the first one may still have to compile
        with TemporaryDirectory(dir=stage.folder) as folder:
            begin = perf_counter()
            subprocess.run(
                [sys.executable, "-c", _OPEN, f"sqlite:///{folder}/shop.db"],
                cwd=ROOT,
                env={k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"},
                timeout=PATIENCE_SECONDS,
                check=True,
            )
            found.append(perf_counter() - begin)
    yield Row(
        name="cold_start",
        path="cold start of the embedded shop, schema and all",
        value=median(found[1:]),
        unit="s",
        target=1,
        bound="at most",
        details={"seconds": found},
    )


def memory(stage: Stage) -> Iterator[Row]:
    """One process that serves PostgreSQL and Redis, after it has answered everything once."""
    with (
        stage.database() as database,
        stage.serve(database, redis_url=stage.valkey.url) as (child, port),
    ):
        paths = ("/v1/products", "/v1/categories", f"/v1/products/{catalog.handle(1)}")
        drive(port, [sending([request("GET", path) for path in paths], 200)])
        resident = resident_mib(child.pid)
    yield Row(
        name="memory",
        path="idle memory of one API process",
        value=resident,
        unit="MiB",
        target=120,
        bound="at most",
    )


def imports(stage: Stage) -> Iterator[Row]:
    """A file as shops export it, into an empty shop."""
    sqlite = stage.folder / "import.db"
    with open_shop(f"sqlite:///{sqlite}") as shop:
        yield _import(shop, stage.file, "SQLite")
    with stage.database(template="template0") as database:
        migrate_database(stage.load_settings(database))
        with stage.open_shop(database) as shop:
            yield _import(shop, stage.file, "PostgreSQL")


def _import(shop: Shop, file: Path, where: str) -> Row:
    begin = perf_counter()
    report = shop.products.import_file(file, currency="USD")
    seconds = perf_counter() - begin
    assert report.imported_rows == catalog.PRODUCTS * catalog.VARIANTS_EACH, report.issues
    return Row(
        name="imports",
        path=f"import of {report.rows:,} rows into {where}",
        value=seconds,
        unit="s",
        details={"rows": report.rows, "rows_per_second": report.rows / seconds},
    )

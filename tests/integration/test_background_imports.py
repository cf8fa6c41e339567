"""Files that staff hand in are imported from the database, by whichever worker is left."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from quickshop.application.imports import RunImport
from quickshop.domain.imports import ImportStatus
from tests.integration.buyers import open_buyers, problems
from tests.integration.test_parallel_imports import a_file
from tests.scripted import WorkerDied


@pytest.mark.parametrize("after", [1, 20])
def test_a_file_whose_worker_died_is_imported_to_the_last_row_and_counted_once(
    any_database_url: str, tmp_path: Path, after: int
) -> None:
    with open_buyers(any_database_url, tmp_path) as buyers:
        shop = buyers.shop
        with a_file(tmp_path, "spring.csv", first=1, last=31).open("rb") as file:
            started = shop.imports.start(file, file_name="spring.csv").value
        stored = 0

        def dying(html: str) -> str:
            nonlocal stored
            stored += 1
            if stored > after:
                raise WorkerDied
            return html

        load = replace(shop.products.import_file, sanitize=dying)
        run = RunImport(
            load.unit_of_work, load.clock, shop.imports.get.imports, load, shop.policy.job_lease
        )
        with pytest.raises(WorkerDied):
            run(started.id)
        halfway = shop.imports.get(started.id)
        assert (halfway.status, halfway.counts.created) == (ImportStatus.RUNNING, after)
        shop.run_jobs()
        done = shop.imports.get(started.id)
        assert (done.status, done.rows) == (ImportStatus.DONE, 30)
        counts = done.counts
        assert (counts.rows_done, counts.created, counts.rejected_rows) == (30, 30, 0)
        assert (counts.updated, counts.unchanged) == (0, 0)
        assert counts.units_moved == sum(range(1, 31))
        levels = shop.inventory.list(limit=100).items
        assert {level.sku: level.on_hand for level in levels} == {
            f"SKU-{n}": n for n in range(1, 31)
        }
        assert not list(shop.imports.get.imports.content(started.id))
        assert len(shop.imports.issues(started.id, limit=100).items) == counts.issues
        assert problems(shop) == []

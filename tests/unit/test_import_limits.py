"""An import takes no more than it may: not stock, not a worker, not room for ever."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest

from quickshop.application.jobs import MAX_ATTEMPTS, Handler
from quickshop.domain.errors import (
    InvalidValueError,
    NotFoundError,
    TooManyImportsError,
    TransientError,
)
from quickshop.domain.identity import Permission
from quickshop.domain.imports import MAX_FILE_ROWS, ImportStatus
from quickshop.ports.imports import ImportView, ProductFeed, Severity
from quickshop.ports.jobs import Job
from tests.scripted import WorkerDied
from tests.unit.import_desk import LEASE, SHELF, Desk, counted, interrupting, somebody
from tests.unit.shopify_rows import as_csv, mug, shirt, size

EDITOR = somebody(Permission.CATALOG_WRITE, Permission.INVENTORY_READ)
KEEPER = somebody(Permission.CATALOG_WRITE, Permission.INVENTORY_WRITE)


@pytest.fixture
def gate() -> Desk:
    return Desk()


def test_who_may_not_move_stock_does_not_do_so_with_a_file(gate: Desk) -> None:
    gate.run(gate.hand_in(mug(**{"Variant Inventory Qty": "5"})).id)
    before = gate.shop.inventory.list().items
    changed = mug(**{"Variant Inventory Qty": "900", "Variant Inventory Policy": "continue"})
    for rows in ((changed,), (shirt(), size("M"))):
        done = gate.run(gate.hand_in(*rows, by=EDITOR, location="attic").id)
        assert (done.status, done.with_stock) == (ImportStatus.DONE, False)
        assert (done.counts.rejected_rows, done.counts.units_moved) == (0, 0)
        said = gate.shop.imports.issues(done.id).items
        assert [(issue.column, issue.reason) for issue in said] == [
            ("Variant Inventory Qty", "ignored: you need the permission inventory:write")
        ]
    assert gate.shop.inventory.list().items == before
    assert [level.location for level in before] == ["main"]
    assert len(gate.shop.products.get("shirt").variants) == 2


@pytest.mark.parametrize("by", [None, KEEPER])
def test_who_may_move_stock_does_so_with_a_file(gate: Desk, by: object) -> None:
    done = gate.run(gate.hand_in(*SHELF, by=by).id)
    assert (done.with_stock, done.counts.units_moved) == (True, 25)


def test_a_file_that_says_nothing_of_stock_has_nothing_left_aside(gate: Desk) -> None:
    content = b"Handle,Title,Variant SKU,Variant Price\nmug,Mug,MUG,3\n"
    started = gate.shop.imports.start(BytesIO(content), by=EDITOR).value
    gate.run(started.id)
    assert not [note for note in gate.issues(started.id) if note[0] > 1]


def test_a_file_has_so_many_rows_at_most(gate: Desk) -> None:
    start = replace(gate.shop.imports.start, max_rows=4)
    with pytest.raises(InvalidValueError, match="file: must have at most 4 rows"):
        start(BytesIO(as_csv(SHELF).encode()))
    broken_lines = mug(**{"Body (HTML)": "one\ntwo\n\nthree\n"})
    four = [broken_lines, *SHELF[:3]]
    assert start(BytesIO(as_csv(four).encode())).value.status is ImportStatus.WAITING
    assert start(BytesIO(as_csv(four).rstrip().encode())).value.rows is None
    assert gate.shop.imports.start.max_rows == MAX_FILE_ROWS == 100_000


def test_rows_that_were_hidden_are_found_by_the_worker(gate: Desk) -> None:
    start = replace(gate.shop.imports.start, max_rows=4)
    rows = "".join(f"w{n},Wheel,{n}\n" for n in range(4))
    hiding = f'Handle,Title,Variant Price\nw,5" wheel,3\n{rows}'.encode()
    started = start(BytesIO(hiding), file_name="wheels.csv").value
    gate.runner(max_rows=4)(started.id)
    failed = gate.shop.imports.get(started.id)
    assert failed.status is ImportStatus.FAILED
    assert failed.failure == "wheels.csv has more than 4 rows; split it between two products"
    assert not gate.shop.products.list_all().items
    again = start(BytesIO(hiding)).value
    gate.runner(max_rows=5)(again.id)
    assert gate.shop.imports.get(again.id).status is ImportStatus.DONE


def test_a_file_that_takes_a_turn_to_read_is_imported_in_batches(gate: Desk) -> None:
    load = gate.shop.products.import_file

    def slow(path: Path, *, currency: str, max_rows: int | None = None) -> ProductFeed:
        gate.clock.advance(seconds=LEASE.total_seconds() / 2 + 1)
        return load.open_feed(path, currency=currency, max_rows=max_rows)

    started = gate.hand_in(*SHELF)
    run = gate.runner(replace(load, open_feed=slow), batch=2)
    made = []
    while not gate.shop.imports.get(started.id).finished_at:
        run(started.id)
        made.append(gate.shop.imports.get(started.id).counts.created)
    assert made == [1, 3, 4]  # what is to be said of the file as a whole is the first item


def test_a_product_is_of_no_more_variants_than_can_be_stored_at_once(gate: Desk) -> None:
    rows = [shirt(), *(size(f"S{n}") for n in range(2_048)), mug()]
    done = gate.run(gate.hand_in(*rows).id)
    assert counted(done) == (1, 0, 0, 2_049)
    [first, *_] = (
        issue
        for issue in gate.shop.imports.issues(done.id, limit=100).items
        if issue.severity is Severity.ERROR
    )
    assert "at most 2,048 of one product" in first.reason


def give_up(gate: Desk, handler: Handler, close: Handler | None = None) -> list[ImportView]:
    """How the only import stands after each try of its job."""
    run = replace(gate.shop.jobs.run, handlers={"run_import": handler})
    if close is not None:
        run = replace(run, before_giving_up={"run_import": close})
    due = replace(gate.shop.jobs.run_due, run_job=run)
    seen = []
    for _ in range(MAX_ATTEMPTS + 3):
        with suppress(WorkerDied, TransientError):
            due()
        seen.extend(gate.shop.imports.list().items)
        gate.clock.advance(hours=3)
    return seen


@pytest.mark.parametrize("how", [RuntimeError, TransientError, WorkerDied])
def test_an_import_that_fails_on_every_try_says_so_and_keeps_nothing(
    gate: Desk, how: Callable[[str], BaseException]
) -> None:
    started = gate.hand_in(*SHELF)

    def fail(_job: Job) -> None:
        raise how("disk full at db.internal")

    seen = give_up(gate, fail)
    assert all(view.status is ImportStatus.WAITING for view in seen[: MAX_ATTEMPTS - 1])
    ended = seen[-1]
    assert (ended.id, ended.status) == (started.id, ImportStatus.FAILED)
    assert ended.failure.startswith("it failed on every try;")
    assert ended.finished_at is not None
    assert gate.left() == b""
    [dead] = gate.shop.jobs.dead().items
    assert gate.shop.jobs.replay(dead.id)
    gate.run(started.id)
    assert gate.shop.imports.list().items == [ended]


def test_a_database_out_of_reach_at_the_last_try_only_delays_the_end(gate: Desk) -> None:
    gate.hand_in(*SHELF)
    close = gate.shop.jobs.run.before_giving_up["run_import"]
    outages = [TransientError("gone")] * 2

    def fail(_job: Job) -> None:
        raise RuntimeError

    def closing(job: Job) -> None:
        if outages:
            raise outages.pop()
        close(job)

    seen = give_up(gate, fail, closing)
    assert [view.status for view in seen[-3:]] == [
        ImportStatus.WAITING,
        ImportStatus.FAILED,
        ImportStatus.FAILED,
    ]
    assert len(gate.shop.jobs.dead().items) == 1


def test_who_overtook_another_worker_and_then_died_is_followed_by_a_third(gate: Desk) -> None:
    started = gate.hand_in(*SHELF)
    load = gate.shop.products.import_file
    first = gate.runner(interrupting(load, 2, WorkerDied))

    def meanwhile(html: str) -> str:
        with suppress(WorkerDied):
            first(started.id)  # believed dead for long, it was not
        return html

    tries = iter([gate.runner(replace(load, sanitize=meanwhile)), gate.runner()])

    def go_on(job: Job) -> None:
        if job.attempts == 1:
            raise WorkerDied
        next(tries)(started.id)

    seen = [view.counts.created for view in give_up(gate, go_on)]
    assert seen[:3] == [0, 2, 4]
    assert gate.shop.imports.get(started.id).status is ImportStatus.DONE


def test_a_job_is_given_up_even_if_its_end_goes_wrong(gate: Desk) -> None:
    gate.hand_in(*SHELF)

    def fail(_job: Job) -> None:
        raise RuntimeError

    give_up(gate, fail, fail)
    assert len(gate.shop.jobs.dead().items) == 1


def test_what_became_of_a_file_can_be_read_for_ninety_days(gate: Desk) -> None:
    forget = gate.shop.jobs.periodic
    old = gate.run(gate.hand_in(mug(price="free")).id)
    gate.clock.advance(hours=24 * 89)
    waiting = gate.hand_in(*SHELF)
    forget()
    assert gate.shop.imports.get(old.id) == old
    gate.clock.advance(hours=25)
    forget()
    with pytest.raises(NotFoundError):
        gate.shop.imports.get(old.id)
    gate.clock.advance(hours=24 * 365)
    forget()
    assert gate.shop.imports.list().items == [waiting]
    assert gate.shop.policy.keep_imports == timedelta(days=90)


def test_so_many_files_wait_at_once(gate: Desk) -> None:
    start = replace(gate.shop.imports.start, max_unfinished=2)
    first, second, third = (as_csv([mug(handle=f"m{n}", sku=f"M{n}")]).encode() for n in range(3))
    done = start(BytesIO(first), idempotency_key="one")
    start(BytesIO(second))
    with pytest.raises(TooManyImportsError, match="2 files are waiting"):
        start(BytesIO(third))
    again = start(BytesIO(first), idempotency_key="one")
    assert (again.replayed, again.value) == (True, done.value)
    gate.run(done.value.id)
    assert start(BytesIO(third)).value.status is ImportStatus.WAITING
    assert gate.shop.imports.start.max_unfinished == 20

"""Files that staff hand in are imported in the background, whoever dies meanwhile."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import pytest

from quickshop import Money
from quickshop.domain.errors import (
    FileFormatError,
    IdempotencyMismatchError,
    InvalidValueError,
    NotFoundError,
    TransientError,
)
from quickshop.domain.imports import MAX_FILE_BYTES, ImportId, ImportStatus, display_name
from quickshop.ports.imports import Severity
from tests.builders import new_id
from tests.scripted import WorkerDied
from tests.unit.import_desk import LEASE, SHELF, Desk, counted, interrupting, somebody
from tests.unit.importing_shop import SAMPLE
from tests.unit.shopify_rows import mug, shirt


@pytest.fixture
def gate() -> Desk:
    return Desk()


def test_a_file_waits_for_a_worker_and_is_then_imported(gate: Desk) -> None:
    waiting = gate.hand_in(*SHELF, file_name="C:\\exports\\spring.csv")
    assert (waiting.status, waiting.file_name) == (ImportStatus.WAITING, "spring.csv")
    assert (waiting.rows, waiting.counts.rows_done) == (None, 0)
    assert not gate.shop.products.list().items
    done = gate.run(waiting.id)
    assert (done.status, done.rows, done.counts.rows_done) == (ImportStatus.DONE, 5, 5)
    assert counted(done) == (4, 0, 0, 0)
    assert (done.counts.variants, done.counts.units_moved) == (5, 25)
    assert gate.shop.products.get("shirt").variants[0].price == Money(2000, "EUR")
    assert gate.left() == b""
    assert list(gate.shop.imports.list().items) == [done]


def test_the_same_file_again_changes_nothing(gate: Desk) -> None:
    gate.run(gate.hand_in(*SHELF).id)
    again = gate.run(gate.hand_in(*SHELF).id)
    assert counted(again) == (0, 0, 4, 0)
    assert again.counts.units_moved == 0


def test_every_row_is_imported_or_reported(gate: Desk) -> None:
    broken = gate.hand_in(mug(), mug(handle="cup", sku="", price="free"), shirt())
    done = gate.run(broken.id)
    assert counted(done) == (2, 0, 0, 1)
    assert (done.rows, done.counts.rows_done) == (3, 3)
    assert (3, "Variant Price", Severity.ERROR) in gate.issues(broken.id)
    assert done.counts.issues == len(gate.issues(broken.id))


def test_it_reports_what_the_library_reports(gate: Desk) -> None:
    with SAMPLE.open("rb") as file:
        started = gate.shop.imports.start(file, file_name=SAMPLE.name).value
    done = gate.run(started.id)
    other = Desk()
    report = other.shop.products.import_file(SAMPLE, currency="EUR")
    assert counted(done) == (
        report.created,
        report.updated,
        report.unchanged,
        report.rejected_rows,
    )
    assert done.counts.units_moved == report.units_moved
    found = gate.shop.imports.issues(started.id, limit=100).items
    assert sorted(found, key=lambda issue: issue.line) == list(report.issues)


def test_a_dry_run_counts_and_changes_nothing(gate: Desk) -> None:
    done = gate.run(gate.hand_in(*SHELF, dry_run=True).id)
    assert (done.status, counted(done)) == (ImportStatus.DONE, (4, 0, 0, 0))
    assert not gate.shop.products.list_all().items
    assert not gate.shop.inventory.list().items


def test_stock_lies_where_it_was_said_to(gate: Desk) -> None:
    gate.run(gate.hand_in(mug(), location="attic").id)
    assert [level.location for level in gate.shop.inventory.list().items] == ["attic"]


@pytest.mark.parametrize("after", range(len({row["Handle"] for row in SHELF})))
@pytest.mark.parametrize("how", [WorkerDied, TransientError])
def test_a_worker_that_dies_leaves_the_rest_to_the_next_one(
    gate: Desk, after: int, how: type[BaseException]
) -> None:
    started = gate.hand_in(*SHELF)
    load = gate.shop.products.import_file
    dying = gate.runner(interrupting(load, after, lambda: how("gone")))
    with pytest.raises(how):
        dying(started.id)
    halfway = gate.shop.imports.get(started.id)
    assert not halfway.finished_at
    assert halfway.counts.created == after
    done = gate.run(started.id)
    assert (done.status, counted(done)) == (ImportStatus.DONE, (4, 0, 0, 0))
    assert (done.counts.rows_done, done.counts.units_moved) == (5, 25)


def test_a_long_file_takes_several_turns(gate: Desk) -> None:
    started = gate.hand_in(*SHELF)
    gate.clock.seconds = LEASE.total_seconds()  # every product takes longer than a turn
    seen = []
    while not (view := gate.run(started.id)).finished_at:
        assert (view.status, view.rows) == (ImportStatus.RUNNING, 5)
        seen.append(view.counts.created)
    assert seen == [0, 1, 2, 3]  # what is to be said of the file as a whole comes first
    assert (view.status, counted(view)) == (ImportStatus.DONE, (4, 0, 0, 0))
    jobs = gate.world.unit_of_work.store.state.jobs.values()
    assert [type(job.event).__name__ for job in jobs] == ["ImportRequested"] + 4 * ["ImportPaused"]


def test_of_two_workers_at_one_file_one_gives_way(gate: Desk) -> None:
    started = gate.hand_in(*SHELF)
    load = gate.shop.products.import_file

    def meanwhile(html: str) -> str:
        gate.run(started.id)  # the lease of the first was over, though it lives
        return html

    gate.runner(replace(load, sanitize=meanwhile))(started.id)
    done = gate.shop.imports.get(started.id)
    assert (done.status, counted(done)) == (ImportStatus.DONE, (4, 0, 0, 0))
    assert (done.counts.rows_done, done.counts.units_moved) == (5, 25)
    assert not gate.shop.inventory.reconcile()


def test_a_worker_that_was_believed_dead_gives_way_to_whoever_got_further(gate: Desk) -> None:
    started = gate.hand_in(*SHELF)
    load = gate.shop.products.import_file
    other = gate.runner(interrupting(load, 2, WorkerDied))

    def meanwhile(html: str) -> str:
        with pytest.raises(WorkerDied):
            other(started.id)
        return html

    with pytest.raises(TransientError):  # so its job is not done: the other one may die, too
        gate.runner(replace(load, sanitize=meanwhile))(started.id)
    halfway = gate.shop.imports.get(started.id)
    assert (halfway.status, halfway.counts.created) == (ImportStatus.RUNNING, 2)
    done = gate.run(started.id)
    assert (done.status, counted(done)) == (ImportStatus.DONE, (4, 0, 0, 0))
    assert (done.counts.rows_done, done.counts.units_moved) == (5, 25)


def test_an_import_that_is_done_is_not_run_again(gate: Desk) -> None:
    started = gate.hand_in(*SHELF)
    done = gate.run(started.id)
    assert gate.run(started.id) == done
    with pytest.raises(NotFoundError):
        gate.run(ImportId(new_id()))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"Name,Cost\nMug,3\n",
        b"Handle;Title;Variant Price\nmug;Mug;3\n",
        b"PK\x03\x04 a workbook",
        b"\xff\xfeH\x00a\x00",
        b"Handle,Title,Variant Price\xff\n",
    ],
)
def test_what_does_not_begin_like_a_product_file_is_refused_at_once(
    gate: Desk, content: bytes
) -> None:
    with pytest.raises(FileFormatError, match=r"spring\.csv"):
        gate.shop.imports.start(BytesIO(content), file_name="spring.csv")
    assert not gate.shop.imports.list().items


def test_a_header_may_be_quoted_over_several_lines(gate: Desk) -> None:
    content = b'"Handle","My\nNotes",Title,Variant Price\nmug,,Mug,3\n'
    started = gate.shop.imports.start(BytesIO(content)).value
    assert counted(gate.run(started.id)) == (1, 0, 0, 0)


def test_a_file_that_turns_out_to_be_none_fails_and_says_why(gate: Desk) -> None:
    content = b'Handle,Title,Variant Price\nmug,"Mug,3\n'
    started = gate.shop.imports.start(BytesIO(content), file_name="spring.csv").value
    failed = gate.run(started.id)
    assert failed.status is ImportStatus.FAILED
    assert "spring.csv cannot be parsed: the row that starts on line 2" in failed.failure
    assert failed.finished_at is not None
    assert gate.left() == b""


def test_a_file_that_is_too_large_is_refused() -> None:
    class Endless(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            self.given = getattr(self, "given", 0) + (size or 0)
            return b"," * (size or 0) if self.given <= MAX_FILE_BYTES + 2**20 else b""

    with pytest.raises(InvalidValueError, match="16 MiB"):
        Desk().shop.imports.start(Endless())


def test_one_key_of_one_person_hands_a_file_in_once(gate: Desk) -> None:
    ada, eve = somebody(), somebody()
    first = gate.hand_in(*SHELF, idempotency_key="k", by=ada)
    assert gate.hand_in(*SHELF, idempotency_key="k", by=ada) == first
    assert gate.hand_in(*SHELF, idempotency_key="k", by=eve).id != first.id
    with pytest.raises(IdempotencyMismatchError):
        gate.hand_in(mug(), idempotency_key="k", by=ada)
    assert len(gate.shop.imports.list().items) == 2


def test_issues_of_an_import_that_is_not_there_are_not_found(gate: Desk) -> None:
    with pytest.raises(NotFoundError):
        gate.shop.imports.issues(ImportId(new_id()))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("spring.csv", "spring.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\exports\\spring.csv", "spring.csv"),
        ("/", "products.csv"),
        ("..", "products.csv"),
        ("", "products.csv"),
        ("a\0b\nc\u202e.csv", "abc.csv"),
        ("\ud800.csv", "csv"),
        ("ü" * 300, "ü" * 60),
    ],
)
def test_a_file_is_called_by_what_can_be_printed_of_its_name(name: str, shown: str) -> None:
    assert display_name(name) == shown

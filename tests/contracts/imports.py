"""The contract of repositories of imports."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from quickshop.domain.errors import InvalidValueError, NotFoundError
from quickshop.domain.imports import (
    MAX_KEPT_ISSUES,
    Import,
    ImportCounts,
    ImportId,
    ImportStatus,
)
from quickshop.ports.imports import ImportView, RowIssue, Severity
from tests.builders import AWKWARD, LATER, NOW, facts, new_id
from tests.contracts.backend import Backend

COUNTS = ImportCounts(
    rows_done=9,
    rejected_rows=1,
    created=2,
    updated=3,
    unchanged=4,
    variants=8,
    units_moved=70,
    issues=2,
)
PARTS = (b"Handle,\x00\xff", b"", b"\r\n" * 100_000)


def an_import() -> Import:
    return Import.request(
        id=ImportId(new_id()),
        file_name=AWKWARD,
        size_bytes=200_009,
        currency="EUR",
        location="Łódź",
        with_stock=False,
        dry_run=True,
        now=NOW,
    )


def an_issue(line: int = 7) -> RowIssue:
    return RowIssue(line=line, column="Größe", reason=AWKWARD, severity=Severity.ERROR)


def store_import(backend: Backend) -> Import:
    new = an_import()
    with backend.unit_of_work() as tx:
        tx.imports.add(new, iter(PARTS))
    return new


def advance(
    backend: Backend, import_id: ImportId, *issues: RowIssue, keep: int = MAX_KEPT_ISSUES
) -> None:
    with backend.unit_of_work() as tx:
        known = tx.imports.get(import_id)
        known.advance(replace(COUNTS, issues=len(issues)), rows=20, now=NOW)
        tx.imports.save(known, issues, keep=keep)


def finish(backend: Backend, import_id: ImportId, *, now: datetime = NOW) -> None:
    with backend.unit_of_work() as tx:
        known = tx.imports.get(import_id)
        known.finish(rows=20, now=now)
        tx.imports.save(known)


class ImportRepositoryContract:
    def test_an_import_comes_back_as_it_was_stored(self, backend: Backend) -> None:
        new = store_import(backend)
        with backend.unit_of_work() as tx:
            assert facts(tx.imports.get(new.id)) == facts(new)
        assert new.version == 1

    def test_a_changed_import_comes_back_as_it_was_saved(self, backend: Backend) -> None:
        new = store_import(backend)
        with backend.unit_of_work() as tx:
            known = tx.imports.get(new.id)
            known.advance(COUNTS, rows=20, now=NOW)
            tx.imports.save(known, [an_issue(), an_issue()])
        with backend.unit_of_work() as tx:
            known = tx.imports.get(new.id)
            assert (known.items_done, known.counts, known.rows) == (1, COUNTS, 20)
            assert (known.status, known.version) == (ImportStatus.RUNNING, 2)
            known.fail(AWKWARD, now=LATER)
            tx.imports.save(known)
        with backend.unit_of_work() as tx:
            assert facts(tx.imports.get(new.id)) == facts(known)

    def test_an_unknown_import_is_not_found(self, backend: Backend) -> None:
        with pytest.raises(NotFoundError), backend.unit_of_work() as tx:
            tx.imports.get(ImportId(new_id()))

    def test_one_job_follows_from_a_request_and_one_from_each_pause(
        self, backend: Backend
    ) -> None:
        new = store_import(backend)
        advance(backend, new.id)
        with backend.unit_of_work() as tx:
            known = tx.imports.get(new.id)
            known.pause(now=NOW)
            tx.imports.save(known)
        job_ids = backend.job_queue.claim(NOW, limit=9, lease=timedelta(minutes=1))
        jobs = [backend.job_queue.start(j, NOW, lease=timedelta(minutes=1)) for j in job_ids]
        kinds = [(job.effect, type(job.event).__name__) for job in jobs if job]
        assert kinds == [("run_import", "ImportRequested"), ("run_import", "ImportPaused")]

    def test_forgetting_to_save_a_change_is_an_error(self, backend: Backend) -> None:
        new = store_import(backend)
        with pytest.raises(AssertionError, match="not saved"), backend.unit_of_work() as tx:
            tx.imports.get(new.id).pause(now=NOW)

    def test_nothing_stays_of_what_was_rolled_back(self, backend: Backend) -> None:
        new = store_import(backend)
        with pytest.raises(RuntimeError), backend.unit_of_work() as tx:
            known = tx.imports.get(new.id)
            known.advance(COUNTS, rows=20, now=NOW)
            tx.imports.save(known, [an_issue(), an_issue()])
            raise RuntimeError
        assert backend.import_reader.get(new.id).counts == ImportCounts()
        assert not backend.import_reader.issues(new.id).items

    def test_those_that_are_not_finished_are_counted(self, backend: Backend) -> None:
        waiting, running, done = (store_import(backend).id for _ in range(3))
        advance(backend, running)
        finish(backend, done)
        with backend.unit_of_work() as tx:
            assert tx.imports.unfinished() == 2
        assert backend.import_reader.get(waiting).status is ImportStatus.WAITING

    def test_those_finished_long_ago_are_forgotten_whole(self, backend: Backend) -> None:
        old, fresh, waiting = (store_import(backend).id for _ in range(3))
        for import_id in (old, fresh):
            advance(backend, import_id, an_issue())
        finish(backend, old)
        finish(backend, fresh, now=LATER)
        with backend.unit_of_work() as tx:
            assert tx.imports.purge_finished(LATER) == 1
            assert tx.imports.purge_finished(LATER) == 0
        assert {view.id for view in backend.import_reader.list().items} == {fresh, waiting}
        assert not backend.import_reader.issues(old).items
        assert not list(backend.import_reader.content(old))
        assert backend.import_reader.issues(fresh).items
        assert list(backend.import_reader.content(waiting))


class ImportReaderContract:
    def test_staff_see_an_import_as_it_stands(self, backend: Backend) -> None:
        new = store_import(backend)
        assert backend.import_reader.get(new.id) == ImportView.of(new)
        assert list(backend.import_reader.list().items) == [ImportView.of(new)]

    def test_an_unknown_import_is_not_found(self, backend: Backend) -> None:
        with pytest.raises(NotFoundError):
            backend.import_reader.get(ImportId(new_id()))

    def test_the_file_is_read_as_it_was_stored_until_it_is_forgotten(
        self, backend: Backend
    ) -> None:
        new, other = store_import(backend), store_import(backend)
        assert b"".join(backend.import_reader.content(new.id)) == b"".join(PARTS)
        with backend.unit_of_work() as tx:
            tx.imports.delete_content(new.id)
        assert list(backend.import_reader.content(new.id)) == []
        assert b"".join(backend.import_reader.content(other.id)) == b"".join(PARTS)

    def test_paging_shows_every_import_once_the_newest_first(self, backend: Backend) -> None:
        made = [store_import(backend).id for _ in range(3)]
        first = backend.import_reader.list(limit=2)
        rest = backend.import_reader.list(limit=2, cursor=first.next_cursor)
        assert [view.id for view in (*first.items, *rest.items)] == made[::-1]
        assert rest.next_cursor is None

    def test_paging_shows_every_issue_once_in_the_order_of_finding(self, backend: Backend) -> None:
        new = store_import(backend)
        advance(backend, new.id, an_issue(9), an_issue(3))
        advance(backend, new.id)
        advance(backend, new.id, an_issue(12))
        first = backend.import_reader.issues(new.id, limit=2)
        rest = backend.import_reader.issues(new.id, limit=2, cursor=first.next_cursor)
        assert [*first.items, *rest.items] == [an_issue(9), an_issue(3), an_issue(12)]
        assert rest.next_cursor is None
        assert not backend.import_reader.issues(ImportId(new_id())).items

    def test_so_many_issues_are_kept_and_all_are_counted(self, backend: Backend) -> None:
        new = store_import(backend)
        advance(backend, new.id, *[an_issue()] * 19, keep=20)
        advance(backend, new.id, an_issue(1), an_issue(2), keep=20)
        advance(backend, new.id, an_issue(3), keep=20)
        assert backend.import_reader.get(new.id).counts.issues == 22
        page = backend.import_reader.issues(new.id, limit=100)
        assert page.items == [an_issue()] * 19 + [an_issue(1)]

    @pytest.mark.parametrize("limit", [0, 101])
    def test_a_page_holds_1_to_100(self, backend: Backend, limit: int) -> None:
        with pytest.raises(InvalidValueError):
            backend.import_reader.list(limit=limit)
        with pytest.raises(InvalidValueError):
            backend.import_reader.issues(ImportId(new_id()), limit=limit)

    @pytest.mark.parametrize("cursor", ["nonsense", "W10", ""])
    def test_a_cursor_that_nobody_gave_out_is_refused(self, backend: Backend, cursor: str) -> None:
        with pytest.raises(InvalidValueError):
            backend.import_reader.list(cursor=cursor)
        with pytest.raises(InvalidValueError):
            backend.import_reader.issues(ImportId(new_id()), cursor=cursor)

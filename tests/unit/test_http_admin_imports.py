"""Staff hand product files in over HTTP, and see what became of each row."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from io import BytesIO
from threading import get_ident
from typing import Any
from uuid import uuid4

import anyio
import pytest
from httpx2 import Response

from quickshop.domain.imports import MAX_FILE_BYTES, MAX_FILE_ROWS, MAX_UNFINISHED
from quickshop.entrypoints.http.admin.imports import save_body
from tests.http_client import assert_problem
from tests.people import signed_in
from tests.unit.importing_shop import SAMPLE
from tests.unit.shopify_rows import as_csv, mug, shirt
from tests.unit.staff_client import BackOffice, open_back_office

CSV = {"Content-Type": "text/csv"}


@pytest.fixture
def office() -> Iterator[BackOffice]:
    with open_back_office() as office:
        yield office


def hand_in(
    office: BackOffice, content: bytes | Iterator[bytes], *, key: str | None = None, **params: Any
) -> Response:
    return office.ask(
        "POST",
        "/imports",
        content=content,
        params=params,
        headers=CSV,
        key=key or uuid4().hex,
    )


def test_a_file_is_taken_in_and_imported_by_a_worker(office: BackOffice) -> None:
    answer = hand_in(office, SAMPLE.read_bytes(), file_name="C:\\shop\\spring.csv")
    assert answer.status_code == 202
    waiting = answer.json()
    assert (waiting["status"], waiting["file_name"]) == ("waiting", "spring.csv")
    assert answer.headers["location"] == f"/v1/admin/imports/{waiting['id']}"
    office.shop.run_jobs()
    done = office.get(f"/imports/{waiting['id']}")
    assert (done["status"], done["rows"]) == ("done", 26)
    assert done["counts"] == {
        "rows_done": 26,
        "rejected_rows": 0,
        "created": 12,
        "updated": 0,
        "unchanged": 0,
        "variants": 25,
        "units_moved": 1133,
        "issues": 2,
    }
    assert office.get("/imports")["items"] == [done]
    assert len(office.get("/products", limit=100)["items"]) == 12


def test_issues_are_read_page_by_page(office: BackOffice) -> None:
    rows = [mug(handle=f"mug-{n}", sku=f"M{n}", price="free") for n in range(3)]
    started = hand_in(office, as_csv(rows).encode()).json()
    office.shop.run_jobs()
    path, found, cursor = f"/imports/{started['id']}/issues", [], None
    while True:
        page = office.get(path, limit=2, **({"cursor": cursor} if cursor else {}))
        found += page["items"]
        if (cursor := page["next_cursor"]) is None:
            break
    errors = [(issue["line"], issue["column"]) for issue in found if issue["severity"] == "error"]
    assert errors == [(2, "Variant Price"), (3, "Variant Price"), (4, "Variant Price")]


def test_where_and_whether_it_is_imported_can_be_said(office: BackOffice) -> None:
    content = as_csv([mug(), shirt()]).encode()
    hand_in(office, content, dry_run="true", location="attic")
    office.shop.run_jobs()
    assert office.get("/products")["items"] == []
    hand_in(office, content, location="attic")
    office.shop.run_jobs()
    assert {level["location"] for level in office.get("/inventory")["items"]} == {"attic"}


def test_a_file_repeated_with_its_key_is_taken_in_once(office: BackOffice) -> None:
    content = as_csv([mug()]).encode()
    first, again = (hand_in(office, content, key="one") for _ in range(2))
    assert first.content == again.content
    assert again.headers["idempotent-replayed"] == "true"
    other = hand_in(office, as_csv([shirt()]).encode(), key="one")
    assert_problem(other, 422, "idempotency_key_reused")
    assert len(office.get("/imports")["items"]) == 1
    without = office.ask("POST", "/imports", content=content, headers=CSV)
    assert_problem(without, 400, "idempotency_key_missing")


def test_who_may_not_move_stock_does_not_do_so_with_a_file(office: BackOffice) -> None:
    editor = replace(office, admin=signed_in(office.web, roles=("catalog_manager",)))
    started = hand_in(editor, as_csv([mug()]).encode(), location="attic").json()
    assert started["with_stock"] is False
    office.shop.run_jobs()
    assert office.get(f"/imports/{started['id']}")["counts"]["units_moved"] == 0
    [note] = office.get(f"/imports/{started['id']}/issues")["items"]
    assert note["reason"] == "ignored: you need the permission inventory:write"
    assert office.get("/inventory")["items"] == []
    assert hand_in(office, as_csv([mug()]).encode()).json()["with_stock"] is True


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"key": None}, 400, "idempotency_key_missing"),
        ({"params": {"dry_run": "yes"}}, 422, "invalid_request"),
        ({"headers": {"Content-Type": "text/plain"}}, 415, "unsupported_media_type"),
    ],
)
def test_a_file_that_is_refused_anyhow_is_not_taken_in(
    office: BackOffice, changed: dict[str, Any], status: int, code: str
) -> None:
    sent = []

    def content() -> Iterator[bytes]:
        sent.append(1)
        yield b"Handle,Title,Variant Price\n"

    request: dict[str, Any] = {"content": content(), "headers": CSV, "key": "k"} | changed
    assert_problem(office.ask("POST", "/imports", **request), status, code)
    assert not sent
    whole = {"content": content(), "headers": CSV, "key": "k"}
    assert office.ask("POST", "/imports", **whole).status_code == 202
    assert sent


def test_a_file_is_not_written_where_everybody_waits() -> None:
    writers = []

    class Disk(BytesIO):
        def write(self, part: Any) -> int:
            writers.append(get_ident())
            return super().write(part)

    async def body() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 700_000

    disk = Disk()
    anyio.run(save_body, body(), disk)
    assert disk.getvalue() == b"x" * 2_100_000
    assert 1 < len(writers) <= 3
    assert get_ident() not in writers


def test_only_so_many_files_wait_at_once(office: BackOffice) -> None:
    content = as_csv([mug()]).encode()
    for _ in range(MAX_UNFINISHED):
        assert hand_in(office, content).status_code == 202
    document = assert_problem(hand_in(office, content), 409, "too_many_imports")
    assert document["detail"].startswith("20 imports are waiting")
    office.shop.run_jobs()
    assert hand_in(office, content).status_code == 202


def test_a_file_has_so_many_rows_at_most(office: BackOffice) -> None:
    answer = hand_in(office, b"Handle,Title,Variant Price\n" + b"m,,\n" * (MAX_FILE_ROWS + 1))
    document = assert_problem(answer, 422, "invalid_value")
    assert document["errors"][0]["detail"] == "must have at most 100,000 rows"


@pytest.mark.parametrize("content", [b"", b"Name,Cost\nMug,3\n", b"PK\x03\x04", b"\xff\xfeH\x00"])
def test_what_is_no_product_file_is_refused_at_once(office: BackOffice, content: bytes) -> None:
    assert_problem(hand_in(office, content), 422, "file_format")
    assert office.get("/imports")["items"] == []


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "text/csv; charset=latin1"])
def test_only_a_csv_in_utf_8_is_taken_in(office: BackOffice, kind: str) -> None:
    answer = office.ask(
        "POST", "/imports", content=b"Handle\n", headers={"Content-Type": kind}, key="k"
    )
    assert_problem(answer, 415, "unsupported_media_type")


def test_a_file_may_be_larger_than_other_bodies_but_not_too_large(office: BackOffice) -> None:
    header = b"Handle,Title,Variant Price\n"
    large = header + b"mug,Mug" + b"g" * 2**20 + b",3\n"
    assert hand_in(office, large).status_code == 202

    def endless() -> Iterator[bytes]:
        yield header
        for _ in range(MAX_FILE_BYTES // 2**20):
            yield b"\n" * 2**20

    document = assert_problem(hand_in(office, endless()), 413, "body_too_large")
    assert document["detail"] == "The body is larger than 16 MiB."
    assert len(office.get("/imports")["items"]) == 1


def test_a_file_that_cannot_be_read_says_why(office: BackOffice) -> None:
    content = b'Handle,Title,Variant Price\nmug,"Mug,3\n'
    started = hand_in(office, content, file_name="spring.csv").json()
    office.shop.run_jobs()
    failed = office.get(f"/imports/{started['id']}")
    assert failed["status"] == "failed"
    assert "spring.csv cannot be parsed: the row that starts on line 2" in failed["failure"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"file_name": "a" * 256},
        {"file_name": "two\nlines"},
        {"location": ""},
        {"location": "a" * 101},
        {"dry_run": "yes"},
    ],
)
def test_what_is_said_of_a_file_must_make_sense(office: BackOffice, wrong: Any) -> None:
    answer = hand_in(office, as_csv([mug()]).encode(), **wrong)
    assert_problem(answer, 422, "invalid_request")


def test_a_misspelt_parameter_starts_no_import(office: BackOffice) -> None:
    answer = hand_in(office, as_csv([mug()]).encode(), dryrun="true")
    problem = assert_problem(answer, 422, "invalid_request")
    allowed = "allowed: dry_run, file_name, location"
    assert problem["errors"] == [
        {
            "pointer": "query",
            "code": "extra_forbidden",
            "detail": f"contains an unknown parameter; {allowed}",
        }
    ]
    assert office.get("/imports")["items"] == []


def test_an_import_that_is_not_there_is_not_found(office: BackOffice) -> None:
    for path in (f"/imports/{uuid4()}", f"/imports/{uuid4()}/issues"):
        assert_problem(office.ask("GET", path), 404, "not_found")
    started = hand_in(office, as_csv([mug()]).encode()).json()
    for path in ("/imports", f"/imports/{started['id']}/issues"):
        odd = office.ask("GET", path, params={"cursor": "nonsense"})
        assert_problem(odd, 422, "invalid_value")

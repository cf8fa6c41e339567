"""Calls of the API: from a path and parameters to an answer, under an idempotency key."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.stripe_fake import intents, refunds
from tests.stripe_fake.book import Book
from tests.stripe_fake.errors import Refusal, invalid, server_error
from tests.stripe_fake.intents import Params

Answer = tuple[int, dict[str, Any], bool]
"""Status, body, and whether it is the stored answer of an earlier call."""

_SEARCH: Final = re.compile(r"metadata\['([^']+)'\]:'([^']+)'")


@dataclass(frozen=True, slots=True)
class Call:
    """One request."""

    method: str
    path: str
    params: Params
    key: str | None = None

    @property
    def digest(self) -> str:
        text = json.dumps([self.method, self.path, self.params], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def claim(book: Book, call: Call) -> Answer | None:
    """Take the key; the stored answer if there is one.

    Raises:
        Refusal: the key is in use, or belongs to another request.
    """
    if call.key is None or call.method != "POST":
        return None
    with book.transaction() as db:
        row = db.execute("SELECT * FROM idempotency_keys WHERE key = ?", (call.key,)).fetchone()
        if row is None:
            db.execute(
                "INSERT INTO idempotency_keys (key, path, digest) VALUES (?, ?, ?)",
                (call.key, call.path, call.digest),
            )
            return None
    return _stored(dict(row), call)


def _stored(row: dict[str, Any], call: Call) -> Answer:
    if row["digest"] != call.digest:
        message = "Keys for idempotent requests can only be used with the same parameters."
        raise Refusal(400, "idempotency_error", message)
    if row["status"] is None:
        message = "There is currently another in-progress request using this Idempotent Key."
        raise Refusal(409, "idempotency_error", message, "idempotency_key_in_use")
    return row["status"], json.loads(row["body"]), True


def execute(book: Book, call: Call, *, say_error: bool = False) -> Answer:
    """Do it, once, and store what is answered together with what was done.

    With `say_error` what is stored and answered is a 500, whatever was done.
    """
    try:
        with book.transaction() as db:
            try:
                status, body = 200, _dispatch(db, call)
            except Refusal as refusal:
                if not refusal.is_stored:
                    raise
                status, body = refusal.status, refusal.body
            if say_error:
                status, body = 500, server_error().body
            _remember(db, call, status, body)
    except BaseException:
        release(book, call)
        raise
    return status, body, False


def release(book: Book, call: Call) -> None:
    """Forget a key under which nothing was begun."""
    with book.transaction() as db:
        db.execute("DELETE FROM idempotency_keys WHERE key = ? AND status IS NULL", (call.key,))


def _remember(db: sqlite3.Connection, call: Call, status: int, body: dict[str, Any]) -> None:
    if call.key is not None and call.method == "POST":
        db.execute(
            "UPDATE idempotency_keys SET status = ?, body = ? WHERE key = ?",
            (status, json.dumps(body), call.key),
        )


def _dispatch(db: sqlite3.Connection, call: Call) -> dict[str, Any]:  # noqa: PLR0911 - a route table
    words = call.path.removeprefix("/v1/").split("/")
    match [call.method, *words]:
        case ["POST", "payment_intents"]:
            return intents.shown(intents.create(db, call.params))
        case ["GET", "payment_intents"]:
            return _list(db, call.params)
        case ["GET", "payment_intents", "search"]:
            return _search(db, call.params)
        case ["GET", "payment_intents", id]:
            return intents.shown(intents.get(db, id))
        case ["POST", "payment_intents", id, verb] if verb in _VERBS:
            return intents.shown(_VERBS[verb](db, id, call.params))
        case ["POST", "refunds"]:
            return refunds.shown(refunds.create(db, call.params))
        case ["GET", "refunds"]:
            return _list_refunds(db, call.params)
        case ["GET", "refunds", id]:
            return refunds.shown(refunds.get(db, id))
    raise Refusal(404, "invalid_request_error", f"Unrecognized request URL ({call.path}).")


_VERBS: Final[dict[str, Callable[[sqlite3.Connection, str, Params], intents.Row]]] = {
    "confirm": intents.confirm,
    "capture": intents.capture,
    "cancel": intents.cancel,
}


def _list(db: sqlite3.Connection, params: Params) -> dict[str, Any]:
    since = int(params.get("created", {}).get("gte", 0))
    rows = db.execute(
        "SELECT * FROM intents WHERE created >= ? ORDER BY rowid DESC LIMIT ?",
        (since, int(params.get("limit", 10))),
    )
    return _page("list", [intents.shown(dict(row)) for row in rows])


def _search(db: sqlite3.Connection, params: Params) -> dict[str, Any]:
    query = _SEARCH.fullmatch(params.get("query", ""))
    if query is None:
        raise invalid("We were unable to parse your search query.", param="query")
    name, value = query.groups()
    rows = db.execute(
        "SELECT * FROM intents WHERE json_extract(metadata, '$.' || ?) = ? ORDER BY rowid DESC",
        (name, value),
    )
    return _page("search_result", [intents.shown(dict(row)) for row in rows])


def _list_refunds(db: sqlite3.Connection, params: Params) -> dict[str, Any]:
    rows = db.execute(
        "SELECT * FROM refunds WHERE ?1 IS NULL OR intent_id = ?1 ORDER BY rowid DESC LIMIT ?2",
        (params.get("payment_intent"), int(params.get("limit", 10))),
    )
    return _page("list", [refunds.shown(dict(row)) for row in rows])


def _page(kind: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    return {"object": kind, "data": found, "has_more": False, "url": "/v1"}

"""The HTTP side of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.stripe_fake import calls, intents
from tests.stripe_fake.book import Book
from tests.stripe_fake.calls import Answer, Call
from tests.stripe_fake.errors import Refusal, server_error
from tests.stripe_fake.lies import Lie, Lies
from tests.stripe_fake.webhooks import Road, Sender


class Api:
    """Answers for one book."""

    def __init__(self, book: Book, *, api_key: str, lies: Lies, road: Road) -> None:
        self._book = book
        self._api_key = api_key
        self._lies = lies
        self._sender = Sender(book, road)

    def app(self) -> Starlette:
        """The application."""
        routes = [
            Route("/v1/{path:path}", self._v1, methods=["GET", "POST"]),
            Route("/_admin/{path:path}", self._admin, methods=["GET", "POST"]),
        ]
        return Starlette(routes=routes, lifespan=self._lifespan)

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        self._sender.start()
        yield
        await run_in_threadpool(self._sender.close)
        self._book.close()

    async def _v1(self, request: Request) -> JSONResponse:
        try:
            self._require_key(request)
            call = await _call_of(request)
            status, body, replayed = await self._answer(call)
        except Refusal as refusal:
            status, body, replayed = refusal.status, refusal.body, False
        self._sender.wake()
        headers = {"Request-Id": "req_fake"}
        if replayed:
            headers["Idempotent-Replayed"] = "true"
        return JSONResponse(body, status, headers=headers)

    def _require_key(self, request: Request) -> None:
        if request.headers.get("authorization") != f"Bearer {self._api_key}":
            message = "Invalid API Key provided: sk_test_****"
            raise Refusal(401, "invalid_request_error", message)

    async def _answer(self, call: Call) -> Answer:
        lie = self._lies.next(call.path)
        if lie is not None:
            await run_in_threadpool(self._book.count_lie, lie.kind)
        await _before(lie)
        kept = await run_in_threadpool(calls.claim, self._book, call)
        if lie is not None and lie.kind == "slow":
            await asyncio.sleep(lie.seconds)
        says_error = lie is not None and lie.kind == "stored_error"
        answer = kept or await run_in_threadpool(
            calls.execute, self._book, call, say_error=says_error
        )
        self._sender.wake()
        await _after(lie)
        return answer

    async def _admin(self, request: Request) -> JSONResponse:
        given: dict[str, Any] = await request.json() if request.method == "POST" else {}
        try:
            words = request.path_params["path"].split("/")
            return JSONResponse(await run_in_threadpool(self._administer, words, given))
        except Refusal as refusal:
            return JSONResponse(refusal.body, refusal.status)
        except (TypeError, ValueError) as error:
            return JSONResponse({"error": str(error)}, 400)

    def _administer(self, words: list[str], given: dict[str, Any]) -> dict[str, Any]:
        match words:
            case ["intents", id, "authenticate"]:
                with self._book.transaction() as db:
                    return intents.shown(intents.authenticate(db, id, **given))
            case ["lies"] if given:
                self._lies.order(**given)
            case ["lies"]:
                rows = self._book.rows("SELECT kind, told FROM lies")
                return {row["kind"]: row["told"] for row in rows}
            case ["plan"]:
                self._lies.plan(**given)
            case ["webhooks"]:
                self._sender.road = Road(**given)
            case ["heal"]:
                self._lies.heal()
                road = self._sender.road
                self._sender.road = Road(url=road.url, secret=road.secret)
            case _:
                return self._administer_book(words, given)
        return {}

    def _administer_book(self, words: list[str], given: dict[str, Any]) -> dict[str, Any]:
        match words:
            case ["resend"]:
                with self._book.transaction() as db:
                    db.execute(
                        "UPDATE events SET done = 0, due_at = 0 WHERE id = ?", (given["id"],)
                    )
            case ["forget_keys"]:
                with self._book.transaction() as db:
                    db.execute("DELETE FROM idempotency_keys WHERE status IS NOT NULL")
            case ["book"]:
                tables = ("intents", "refunds", "events")
                return {name: self._book.rows(f"SELECT * FROM {name}") for name in tables}
            case _:
                raise Refusal(404, "invalid_request_error", "there is no such button")
        return {}


async def _before(lie: Lie | None) -> None:
    kind = lie.kind if lie else ""
    if lie is not None and kind == "hang_before":
        await asyncio.sleep(lie.seconds)
        raise server_error()
    if kind == "error_before":
        raise server_error()
    if kind == "rate_limited":
        raise Refusal(429, "invalid_request_error", "Too many requests.", "rate_limit")


async def _after(lie: Lie | None) -> None:
    if lie is not None and lie.kind == "hang_after":
        await asyncio.sleep(lie.seconds)
    if lie is not None and lie.kind in {"hang_after", "error_after"}:
        raise server_error()


async def _call_of(request: Request) -> Call:
    text = (await request.body()).decode() if request.method == "POST" else request.url.query
    return Call(
        request.method,
        request.url.path,
        _nested(parse_qsl(text, keep_blank_values=True)),
        request.headers.get("idempotency-key"),
    )


def _nested(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """`metadata[a]=1` as a mapping in a mapping."""
    params: dict[str, Any] = {}
    for name, value in pairs:
        outer, _, inner = name.partition("[")
        if inner:
            params.setdefault(outer, {})[inner.rstrip("]").replace("[", "")] = value
        else:
            params[outer] = value
    return params

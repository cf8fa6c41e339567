"""Requests put to the application itself: quick, timed, and as no client would send them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from time import perf_counter, process_time
from typing import Any, Final
from urllib.parse import quote, unquote_to_bytes

from starlette.types import ASGIApp, Message

from tests.attacks.surface import Call, as_bytes

PEER: Final = ("203.0.113.9", 50_000)

Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and what it took."""

    status: int
    headers: tuple[Header, ...]
    body: bytes
    seconds: float
    cpu_seconds: float
    """Of this process: other processes add nothing to it."""

    @property
    def by_name(self) -> Mapping[str, str]:
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in self.headers}


def scope_of(call: Call, *, peer: tuple[str, int] = PEER) -> dict[str, Any]:
    """The request as a server would hand it over."""
    path = call.operation.path
    for name, value in call.path_values.items():
        path = path.replace(f"{{{name}}}", _quoted(value))
    query = "&".join(f"{_quoted(name)}={_quoted(text)}" for name, text in call.query.items())
    headers: Iterable[tuple[str, str]] = {"host": "testserver", **call.headers}.items()
    raw = [(name.lower().encode(), as_bytes(text)) for name, text in headers]
    if call.operation.media_type is not None:
        raw.append((b"content-type", call.operation.media_type.encode()))
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": call.operation.method,
        "scheme": "http",
        # As a server does it: what is no UTF-8 is replaced.
        "path": _unquoted(path),
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": raw,
        "client": peer,
        "server": ("testserver", 80),
        "state": {},
    }


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="surrogatepass")


def _unquoted(path: str) -> str:
    return unquote_to_bytes(path).decode("utf-8", "replace")


async def ask(app: ASGIApp, call: Call, *, peer: tuple[str, int] = PEER) -> Answer:
    """Do it."""
    body = b"" if call.operation.media_type is None else as_bytes(call.body)
    incoming = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[Message] = []

    async def receive() -> Message:
        return incoming.pop() if incoming else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = scope_of(call, peer=peer)
    began, used = perf_counter(), process_time()
    await app(scope, receive, send)
    seconds, cpu_seconds = perf_counter() - began, process_time() - used
    start, *rest = sent
    return Answer(
        start["status"],
        tuple(start["headers"]),
        b"".join(message.get("body", b"") for message in rest),
        seconds,
        cpu_seconds,
    )

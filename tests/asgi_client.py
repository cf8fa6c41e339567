"""A client of an ASGI application in this process.

`fastapi.testclient` changes threads eight times per request, which costs more than most answers.
This one changes once, and hands over answers when they are complete.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import unquote

import anyio
from anyio.from_thread import BlockingPortal
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import BaseTransport, ByteStream, Client, Request, Response
from starlette.types import ASGIApp, Message

PEER: Final = ("testclient", 50_000)
_PORTS: Final = {"http": 80, "https": 443}


class AsgiClient(Client):
    """Requests to an application whose lifespan has begun."""

    def __init__(self, app: FastAPI, portal: BlockingPortal) -> None:
        super().__init__(
            base_url="http://testserver",
            headers={"user-agent": "testclient"},
            transport=_Transport(app, portal),
        )
        self.app = app
        self.portal = portal


@contextmanager
def client_of(app: FastAPI) -> Iterator[AsgiClient]:
    """A client; the application starts before and stops after."""
    with TestClient(app) as running, AsgiClient(app, running.portal) as client:
        yield client


class _Transport(BaseTransport):
    def __init__(self, app: ASGIApp, portal: BlockingPortal) -> None:
        self._app = app
        self._portal = portal

    def handle_request(self, request: Request) -> Response:
        """The answer, which is 500 and empty if the application fails before it gives one."""
        start, body = self._portal.call(_answer, self._app, request)
        return Response(
            start["status"],
            headers=start.get("headers", []),
            stream=ByteStream(b"" if request.method == "HEAD" else body),
            request=request,
        )


async def _answer(app: ASGIApp, request: Request) -> tuple[Message, bytes]:
    sent: list[Message] = []
    is_read = False

    async def receive() -> Message:
        nonlocal is_read
        if is_read:
            await anyio.sleep_forever()
        is_read = True
        return {"type": "http.request", "body": request.read()}

    async def send(message: Message) -> None:
        sent.append(message)

    try:
        await app(_scope_of(request), receive, send)
    except Exception:  # noqa: BLE001 - a server goes on, too
        sent = sent or [{"type": "http.response.start", "status": 500}]
    start, *rest = sent
    return start, b"".join(message.get("body", b"") for message in rest)


def _scope_of(request: Request) -> dict[str, Any]:
    url = request.url
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": url.scheme,
        "path": unquote(url.path),
        "raw_path": url.raw_path.partition(b"?")[0],
        "root_path": "",
        "query_string": url.query,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": PEER,
        "server": (url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme]),
        "state": {},
    }

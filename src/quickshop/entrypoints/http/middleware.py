"""What every request passes through: a name, a size limit, and a net for what nobody expected."""

from __future__ import annotations

import logging
import os
import re
from contextvars import ContextVar
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from quickshop.domain.imports import MAX_FILE_BYTES
from quickshop.entrypoints.http.problems import ProblemError, problem

MAX_BODY_BYTES: Final = 256 * 1024
FILES: Final = {"/v1/admin/imports": MAX_FILE_BYTES}
"""Paths where larger bodies are taken in, as they come."""

request_id: Final[ContextVar[str]] = ContextVar("request_id", default="-")
"""The name of the request being served, in its threads too."""

_log = logging.getLogger(__name__)
_SAFE_ID: Final = re.compile(rb"[A-Za-z0-9._\-]{1,64}")
_LENGTH_DIGITS: Final = 15
_WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class RequestIdFilter(logging.Filter):
    """Gives every log record the `request_id` of the request that it was written in."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass."""
        record.request_id = request_id.get()
        return True


class RequestEnvelope:
    """Pure ASGI, and one for all: each layer of middleware costs every request.

    Names the request (`X-Request-Id`, the caller's if it is a safe one), refuses bodies over
    256 KiB while they come in, answers HEAD like GET without the body, and turns an exception
    that nobody handled into a problem that tells nothing and a log entry that tells all.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        name = _name(scope)
        token = request_id.set(name)
        started = False
        method = scope["method"]

        async def send_named(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = [
                    *message.get("headers", ()),
                    (b"x-request-id", name.encode()),
                    (b"x-content-type-options", b"nosniff"),
                ]
                message = {**message, "headers": headers}
            elif method == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        try:
            await self._serve(scope, receive, send_named)
        except ClientDisconnect:
            return  # nobody is there to be answered
        except Exception:
            _log.exception("request %s failed", name)
            if started:
                raise
            await problem(500)(scope, receive, send_named)
        finally:
            request_id.reset(token)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        elif scope["method"] in _WRITES:
            limit = FILES.get(scope["path"], MAX_BODY_BYTES)
            if _declares_too_much(scope, limit):
                await problem(413, *_too_large(limit))(scope, receive, send)
                return
            receive = _limited(receive, limit)
        await self._app(scope, receive, send)


def _name(scope: Scope) -> str:
    for header, value in scope["headers"]:
        if header == b"x-request-id" and _SAFE_ID.fullmatch(value):
            return str(value.decode())
    return os.urandom(16).hex()


def _too_large(limit: int) -> tuple[str, str]:
    return "body_too_large", f"The body is larger than {limit // 1024} KiB."


def _declares_too_much(scope: Scope, limit: int) -> bool:
    return any(
        header == b"content-length"
        and value.isdigit()
        and (len(value) > _LENGTH_DIGITS or int(value) > limit)
        for header, value in scope["headers"]
    )


def _limited(receive: Receive, limit: int) -> Receive:
    seen = 0

    async def receive_limited() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise ProblemError(413, *_too_large(limit))
        return message

    return receive_limited

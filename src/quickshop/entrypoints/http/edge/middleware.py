"""The middleware of every request: its id, host and body checks, and error handling."""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from quickshop.entrypoints.http.edge.access_log import log_access
from quickshop.entrypoints.http.edge.addresses import ClientAddress, ClientAddresses
from quickshop.entrypoints.http.edge.body_limits import BodyLimit
from quickshop.entrypoints.http.edge.cors import Cors
from quickshop.entrypoints.http.edge.headers import Header, complete
from quickshop.entrypoints.http.edge.hosts import Hosts
from quickshop.entrypoints.http.edge.problems import ProblemError, problem
from quickshop.entrypoints.http.edge.redaction import served
from quickshop.entrypoints.http.edge.rules import Edge

SCOPE_KEY: Final = "quickshop"

request_id: Final[ContextVar[str]] = ContextVar("request_id", default="-")
"""The id of the request being served, also in worker threads."""

_log = logging.getLogger(__name__)
_SAFE_ID: Final = re.compile(rb"[A-Za-z0-9._\-]{1,64}")
_LENGTH_DIGITS: Final = 15
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_PROBES: Final = frozenset({"/health/live", "/health/ready"})
"""Called from inside the network, without TLS and by address; the responses hold no secrets."""
_TOO_SLOW: Final = 408


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """Facts about a request; see `facts_of`."""

    request_id: str
    client: ClientAddress
    https: bool
    """Whether the request came over HTTPS, according to the trusted proxies."""


def facts_of(scope: Scope) -> RequestFacts:
    """Return the facts that the envelope stored about a request."""
    facts: RequestFacts = scope[SCOPE_KEY]
    return facts


class RequestIdFilter(logging.Filter):
    """Adds the `request_id` of the current request to every log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Accept every record."""
        record.request_id = request_id.get()
        return True


class RequestEnvelope:
    """The only middleware, pure ASGI, because each layer costs every request.

    It sets `X-Request-Id` (the caller's, if safe) and finds the client's address. It refuses
    wrong hosts and plain HTTP, answers CORS preflights, and refuses bodies that are too large or
    too slow while they arrive. It answers HEAD like GET without the body and adds the security
    headers. An unhandled exception becomes a problem without details and a detailed log entry.
    """

    def __init__(self, app: ASGIApp, edge: Edge) -> None:
        self._app = app
        self._edge = edge
        self._addresses = ClientAddresses(edge.trusted_proxies)
        self._hosts = Hosts(edge.allowed_hosts)
        self._cors = Cors(edge.cors_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_headers = _by_name(scope["headers"])
        name = _request_id_of(request_headers)
        host_allowed = self._is_allowed_host(scope, request_headers)
        client, https = self._addresses.of(scope, request_headers)
        scope[SCOPE_KEY] = RequestFacts(name, client, https)
        token, serving = request_id.set(name), served.set(scope)
        began, started, status = perf_counter(), False, 0
        no_body = scope["method"] == "HEAD"

        async def send_completed(message: Message) -> None:
            nonlocal started, status
            if message["type"] == "http.response.start":
                started, status = True, message["status"]
                headers = complete(message.get("headers", ()), https=https)
                headers += self._cors.headers(request_headers)
                headers.append((b"x-request-id", name.encode()))
                if message["status"] == _TOO_SLOW:
                    headers.append((b"connection", b"close"))
                message = {**message, "headers": headers}
            elif no_body:
                message = {**message, "body": b""}
            await send(message)

        try:
            if refusal := self._refusal(scope, host_allowed, https=https):
                await refusal(scope, receive, send_completed)
            else:
                await self._serve(scope, request_headers, receive, send_completed)
        except ClientDisconnect:
            return  # the client is gone
        except Exception:
            _log.exception("request %s failed", name)
            if started:
                raise
            await problem(500)(scope, receive, send_completed)
        finally:
            log_access(scope, status, client=client.text, seconds=perf_counter() - began)
            request_id.reset(token)
            served.reset(serving)

    def _is_allowed_host(
        self, scope: Scope, request_headers: Mapping[bytes, bytes]
    ) -> bool | None:
        header = request_headers.get(b"host")
        if header is None:
            return self._hosts.allows_any if scope["http_version"] == "1.0" else None
        return self._hosts.allows(header)

    def _refusal(self, scope: Scope, host_allowed: bool | None, *, https: bool) -> Response | None:
        path = scope["path"]
        # A path without a slash is a full URL, which addresses another server.
        if host_allowed is None or path[:1] != "/":
            return problem(400)
        if host_allowed and (https or not self._edge.require_https):
            return None
        if path in _PROBES:
            return None
        if not host_allowed:
            detail = "The shop is not served under this host name."
            return problem(400, "host_not_allowed", detail)
        # No redirect to https: it would hide that secrets travel unencrypted.
        return problem(403, "https_required", "Use https. Over http, others can read the request.")

    async def _serve(
        self, scope: Scope, request_headers: Mapping[bytes, bytes], receive: Receive, send: Send
    ) -> None:
        method = scope["method"]
        if method not in _READS:
            limit = self._edge.large_bodies.get(scope["path"], self._edge.body)
            if _declares_more(request_headers, limit):
                await problem(413, detail=_too_large(limit))(scope, receive, send)
                return
            receive = _Body(receive, limit).receive
        elif method == "HEAD":
            await self._serve_head(scope, receive, send)
            return
        elif (allowed := self._cors.preflight(method, request_headers)) is not None:
            await send({"type": "http.response.start", "status": 204, "headers": allowed})
            await send({"type": "http.response.body", "body": b""})
            return
        await self._app(scope, receive, send)

    async def _serve_head(self, scope: Scope, receive: Receive, send: Send) -> None:
        as_get = {**scope, "method": "GET"}
        try:
            await self._app(as_get, receive, send)
        finally:
            scope["route"] = as_get.get("route")  # for the access log: its path holds no secret


class _Body:
    """Receives a body up to its limits of size and time."""

    def __init__(self, receive: Receive, limit: BodyLimit) -> None:
        self._receive = receive
        self._limit = limit
        self._deadline = asyncio.get_running_loop().time() + limit.seconds
        self._size = 0
        self._complete = False

    async def receive(self) -> Message:
        if self._complete:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            detail = f"The body did not arrive within {self._limit.seconds:g} seconds."
            raise ProblemError(_TOO_SLOW, "body_too_slow", detail) from None
        self._size += len(message.get("body", b""))
        if self._size > self._limit.size:
            raise ProblemError(413, "body_too_large", _too_large(self._limit))
        self._complete = not message.get("more_body", False)
        return message


def _by_name(headers: Iterable[Header]) -> Mapping[bytes, bytes]:
    """Return the headers by name, repeated ones joined by commas, so two hosts are invalid."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        found[name] = found[name] + b"," + value if name in found else value
    return found


def _request_id_of(request_headers: Mapping[bytes, bytes]) -> str:
    given = request_headers.get(b"x-request-id")
    if given is not None and _SAFE_ID.fullmatch(given):
        return given.decode()
    return os.urandom(16).hex()


def _declares_more(request_headers: Mapping[bytes, bytes], limit: BodyLimit) -> bool:
    length = request_headers.get(b"content-length", b"0")
    return length.isdigit() and (len(length) > _LENGTH_DIGITS or int(length) > limit.size)


def _too_large(limit: BodyLimit) -> str:
    return f"The body is larger than {limit.text}."

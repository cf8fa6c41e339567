"""What stands before the shop, beside a framework that only says hello.

`python -m tests.benchmarks.edge` measures it on its own, without databases, in seconds.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from rich.console import Console

from tests.benchmarks import processes
from tests.benchmarks.load import Visitor, asking, request
from tests.benchmarks.measure import HANDS, Effort, Side, compare, http_side
from tests.benchmarks.processes import BenchmarkError
from tests.benchmarks.report import Row, show
from tests.benchmarks.stage import Stage

TARGET: Final = 1.4
CLIENTS: Final = 2_000
"""More than one, but fewer than are remembered: clients come again."""


def middleware(stage: Stage) -> Iterator[Row]:
    """CPU of hello inside the middleware, as a multiple of that of hello alone."""
    yield _measure(stage.folder, stage.effort)


def _measure(folder: Path, effort: Effort) -> Row:
    with (
        processes.run(folder, "hello", "uvicorn") as (plain, plain_port),
        processes.run(folder, "wrapped_hello") as (wrapped, wrapped_port),
    ):
        found = compare(
            _side(wrapped_port, wrapped.pid, effort),
            _side(plain_port, plain.pid, effort),
            effort.rounds,
        )
    by_cpu = found.cpu_ratio > 0
    return Row(
        name="middleware",
        path="hello inside all middleware: times hello",
        value=1 / (found.cpu_ratio if by_cpu else found.rate_ratio),
        target=TARGET,
        bound="at most",
        here=f"{found.rate:,.0f}/s · {found.cpu_microseconds:,.0f} µs",
        floor=f"{found.floor_rate:,.0f}/s · {found.floor_cpu_microseconds:,.0f} µs",
        note="both on uvicorn with httptools and uvloop; as behind a proxy, from another origin",
    )


def _side(port: int, pid: int, effort: Effort) -> Side:
    def visitors() -> list[Visitor]:
        return [asking(_from_everywhere(hand)) for hand in range(HANDS)]

    return http_side(port, visitors, [pid], effort.seconds)


def _from_everywhere(hand: int) -> list[bytes]:
    addresses = (
        f"198.18.{number // 250}.{number % 250}"
        for number, _ in zip(count(hand, HANDS), range(CLIENTS // HANDS), strict=False)
    )
    return [
        request(
            "GET",
            "/",
            headers={
                "Accept": "application/json",
                "Accept-Encoding": "gzip, deflate, br",
                "Accept-Language": "en",
                "Origin": "https://www.shop.example",
                "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) bench",
                "X-Forwarded-For": address,
                "X-Forwarded-Proto": "https",
            },
        )
        for address in addresses
    ]


def main() -> int:
    console = Console(width=None if sys.stdout.isatty() else 140)
    with TemporaryDirectory(prefix="quickshop-bench-") as folder:
        try:
            show([_measure(Path(folder), Effort.full())], console)
        except BenchmarkError as error:
            console.print(str(error), style="red", markup=False)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m tests.benchmarks [--quick] [--json FILE] [--only NAME]`: ratios against floors.

Servers are started for the run and gone after it. The exit code is 1 when something could not be
measured or a promise was broken (more sold than there was), not when a target was missed: on a
busy machine the figures are what they are.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console

from tests.benchmarks import (
    background,
    browsing,
    buying,
    edge,
    ordering,
    passing,
    selling,
    standing,
    without_redis,
)
from tests.benchmarks.measure import Effort
from tests.benchmarks.processes import BenchmarkError
from tests.benchmarks.report import Row, show, write
from tests.benchmarks.stage import Stage, set_up
from tests.servers import ServerError

MEASUREMENTS: Final[dict[str, Callable[[Stage], Iterator[Row]]]] = {
    measure.__name__: measure
    for measure in (
        browsing.product_in_process,
        browsing.product_redis,
        browsing.product_postgres,
        browsing.list_cached,
        browsing.list_search,
        edge.middleware,
        passing.request_gate,
        without_redis.redis_away,
        buying.cart_line,
        buying.whole_checkout,
        ordering.order_sql,
        ordering.order_http,
        background.commit_to_start,
        background.relay,
        buying.oversell,
        selling.hot_sku,
        selling.hot_sku_slow_commit,
        selling.uniform,
        standing.cold_start,
        standing.memory,
        standing.imports,
    )
}


@dataclass(slots=True)
class Findings:
    """What a run came to."""

    rows: list[Row] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    """How long each measurement took."""
    failures: list[str] = field(default_factory=list)
    floors: str = ""
    """The hellos that rows over HTTP were compared with."""


def main() -> int:
    options = _options()
    console = Console(width=None if sys.stdout.isatty() else 140)
    effort = Effort.quick() if options.quick else Effort.full()
    findings = Findings()
    begin = time.monotonic()
    try:
        _measure(effort, options.only or list(MEASUREMENTS), findings, console)
    except (BenchmarkError, ServerError) as error:
        findings.failures.append(str(error))
    except KeyboardInterrupt:
        return 130
    seconds = time.monotonic() - begin
    show(findings.rows, console)
    console.print(findings.floors, markup=False)
    for failure in findings.failures:
        console.print(failure, style="red", markup=False)
    write(
        findings.rows,
        options.json,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=round(seconds, 1),
        seconds_each=findings.seconds,
        failures=findings.failures,
        floors=findings.floors,
        quick=options.quick,
        python=platform.python_version(),
        cores=os.cpu_count(),
    )
    console.print(f"{seconds:.0f} s; all of it in {options.json}")
    return 1 if findings.failures else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="shop bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter rounds, and fewer of them")
    parser.add_argument("--json", type=Path, default=Path("bench.json"), metavar="FILE")
    parser.add_argument(
        "--only", action="append", choices=MEASUREMENTS, help="measure this; may be repeated"
    )
    return parser.parse_args()


def _measure(effort: Effort, names: list[str], findings: Findings, console: Console) -> None:
    with (
        console.status("starting servers, importing a catalog") as status,
        set_up(effort) as stage,
    ):
        findings.floors = str(stage.floors)
        for name in names:
            status.update(f"measuring {name}")
            begin = time.monotonic()
            try:
                findings.rows.extend(MEASUREMENTS[name](stage))
            except BenchmarkError as error:
                findings.failures.append(f"{name}: {error}")
            findings.seconds[name] = round(time.monotonic() - begin, 1)


if __name__ == "__main__":
    sys.exit(main())

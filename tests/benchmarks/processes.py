"""Child processes of a run, what they cost, and that none of them outlives it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

ROOT: Final = Path(__file__).parents[2]
START_SECONDS: Final = 60
STOP_SECONDS: Final = 10

_ADDRESS: Final = re.compile(rb"http://[^ ]*?:(\d+)")
_PROC: Final = Path("/proc")
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class BenchmarkError(Exception):
    """Something cannot be measured, or came out wrong; says what."""


class Child:
    """A process of `tests.benchmarks.serve`.

    When it is ready it prints one line: JSON, or the address that `quickshop serve` prints.
    """

    def __init__(
        self, log: IO[bytes], role: Sequence[str], settings: Mapping[str, object]
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.serve", *role],
            cwd=ROOT,
            env=_environment(settings),
            stdin=subprocess.PIPE,  # its end is the child's order to stop
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
        self.pid = self._process.pid

    def wait_until_ready(self) -> dict[str, int]:
        """What it says about itself."""
        output = self._process.stdout
        assert output is not None
        patience = threading.Timer(START_SECONDS, self._process.kill)
        patience.start()
        try:
            line = output.readline()
        finally:
            patience.cancel()
        if not line:
            raise BenchmarkError("a server did not start")
        address = _ADDRESS.search(line)
        said: dict[str, int] = {"port": int(address[1])} if address else json.loads(line)
        return said

    def stop(self) -> None:
        """Have it end in an orderly way, or else with all that it started."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()


def _environment(settings: Mapping[str, object]) -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("QUICKSHOP_")}
    own = {f"QUICKSHOP_{name.upper()}": str(value) for name, value in settings.items()}
    return {**inherited, **own, "PYTHONUNBUFFERED": "1"}


@contextmanager
def run(folder: Path, *role: str, **settings: object) -> Iterator[tuple[Child, int]]:
    """Have a child in a role (see `serve`); it, and its port, or 0 when it has none."""
    log = folder / f"{role[0]}.log"
    with log.open("ab") as output:
        child = Child(output, role, settings)
    try:
        yield child, child.wait_until_ready().get("port", 0)
    except BenchmarkError as error:
        said = log.read_text(errors="replace")[-2000:]
        raise BenchmarkError(f"{error}\n{said}") from error
    finally:
        child.stop()


def cpu_seconds(*pids: int) -> float:
    """CPU that these processes and all below them have used so far; 0 if not reported."""
    if not _PROC.is_dir():
        return 0.0
    used = {pid: (parent, ticks) for pid, parent, ticks in _processes()}
    total, found = 0, set(pids)
    pending = list(found)
    while pending:
        pid = pending.pop()
        total += used.get(pid, (0, 0))[1]
        children = {child for child, (parent, _) in used.items() if parent == pid} - found
        found |= children
        pending += children
    return total / _TICKS


def _processes() -> Iterator[tuple[int, int, int]]:
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):
            facts = (entry / "stat").read_text().rpartition(")")[2].split()
            # utime, stime, and those of its children that have ended
            yield int(entry.name), int(facts[1]), sum(map(int, facts[11:15]))


def resident_mib(pid: int) -> float:
    """Memory that a process occupies, shared libraries included; 0 if not reported."""
    with suppress(OSError):
        for line in (_PROC / str(pid) / "status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return 0.0

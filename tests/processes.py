"""Programs that a test runs beside itself, and waiting for what they do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from tests import orphans

PATIENCE_SECONDS: Final = 60
ROOT: Final = Path(__file__).parent.parent


def eventually(what: Callable[[], bool]) -> bool:
    """Whether it comes true; given up on after a minute."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def start(argv: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
    """Start a program in a process group of its own, which ends with this process at the latest.

    `options` are those of `Popen`.
    """
    process = subprocess.Popen(argv, start_new_session=True, **options)
    orphans.adopt(process.pid)
    return process


def run(
    argv: Sequence[str], *, seconds: float = 2 * PATIENCE_SECONDS, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, and return what it said."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    with start(argv, **pipes | options) as process:
        try:
            out, err = process.communicate(timeout=seconds)
        finally:
            kill(process)
    return subprocess.CompletedProcess(argv, process.returncode, out, err)


@contextmanager
def running(
    *arguments: str, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A Python program of this project, in a process group of its own that ends with the block."""
    search_path = os.pathsep.join((str(ROOT / "src"), str(ROOT)))
    with log.open("ab") as output:
        process = start(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": search_path, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield process
    finally:
        kill(process)


def kill(process: subprocess.Popen[Any]) -> None:
    """End a program and its children with kill -9."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(PATIENCE_SECONDS)

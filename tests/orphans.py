"""Ends the servers and programs of a test run that was interrupted.

A process that starts others reports each to a watcher, through a pipe that only it can write to.
When it ends, by Ctrl-C, SIGTERM or kill -9, the pipe closes: the watcher ends what still runs and
deletes their folders.

The watcher is this file, run as a program. It imports nothing but the standard library.
"""

from __future__ import annotations

import atexit
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

STOP_SECONDS: Final = 15
"""How long a process may take to end before it gets kill -9."""

_ON_LINUX: Final = sys.platform.startswith("linux")
_PR_SET_PDEATHSIG: Final = 1
_START_TIME: Final = 19
"""Where it stands in /proc/PID/stat, after the program's name."""

Entry = dict[str, Any]


def adopt(pid: int, *, stop: signal.Signals = signal.SIGKILL) -> None:
    """End a process group once this process has ended.

    `pid` leads the group. `stop` is the signal that it gets, before kill -9 if it does not end.
    """
    _report({"pid": pid, "began": _began(pid), "stop": int(stop)})


def adopt_folder(folder: Path) -> None:
    """Delete a folder once this process and the groups that it adopted have ended."""
    _report({"folder": str(folder)})


def _report(entry: Entry) -> None:
    os.write(_watcher(), json.dumps(entry).encode() + b"\n")


@cache
def _watcher() -> int:
    """Start the watcher of this process, and return the pipe to it."""
    if _ON_LINUX and "PYTEST_XDIST_WORKER" in os.environ:
        # Without the run that it is a part of, a worker would go on for a while.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", __file__],
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for the tests
    )
    assert process.stdin
    atexit.register(process.wait)  # runs after the next one
    atexit.register(process.stdin.close)
    return process.stdin.fileno()


def _began(pid: int) -> str:
    """When a process was started, in ticks: its id may be another's later. Empty if unknown."""
    fields = _stat(pid)
    return fields[_START_TIME] if fields else ""


def _stat(pid: int) -> list[str]:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return []


def _has_ended(pid: int) -> bool:
    """Whether none of a process group runs. A leader that ended may wait to be asked how."""
    if _stat(pid)[:1] == ["Z"]:
        return True
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False


def _is_the_same(entry: Entry) -> bool:
    return _began(entry["pid"]) in {"", entry["began"]}


def _send(entries: Sequence[Entry], number: Callable[[Entry], int]) -> None:
    for entry in entries:
        with suppress(OSError):
            os.killpg(entry["pid"], number(entry))
            os.killpg(entry["pid"], signal.SIGCONT)


def end(entries: Sequence[Entry]) -> None:
    """End what is left of these process groups, and delete these folders."""
    left = [entry for entry in entries if "pid" in entry and _is_the_same(entry)]
    _send(left, lambda entry: entry["stop"])
    deadline = time.monotonic() + STOP_SECONDS
    while (left := [e for e in left if not _has_ended(e["pid"])]) and time.monotonic() < deadline:
        time.sleep(0.02)
    _send(left, lambda _: signal.SIGKILL)
    for entry in entries:
        if "folder" in entry:
            shutil.rmtree(entry["folder"], ignore_errors=True)


def main() -> None:
    """Take entries until the pipe closes."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    end([json.loads(line) for line in sys.stdin])


if __name__ == "__main__":
    main()

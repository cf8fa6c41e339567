"""A server of our own: started, stopped, crashed and removed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests import orphans

ON_LINUX: Final = sys.platform.startswith("linux")
START_SECONDS: Final = 60
STOP_SECONDS: Final = 15


class ServerError(Exception):
    """A server that a test needs cannot be started; says why, and what would help."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whom a server runs as."""

    uid: int
    gid: int


@dataclass(slots=True, kw_only=True)
class Server:
    """A server of our own on 127.0.0.1. It keeps its port when it is stopped and started."""

    name: str
    url: str
    port: int
    argv: Sequence[str]
    folder: Path
    is_ready: Callable[[int], bool]
    stop_signal: signal.Signals
    account: Account | None = None
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start, and return when it accepts connections. It ends with this process at the latest.

        Raises:
            ServerError: it does not come up; with the end of its log.
        """
        deadline = time.monotonic() + START_SECONDS
        # The children of a killed server end a little later, and hold its memory until then.
        while self._process and _group_lives(self._process.pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        self._process = _spawn(self.argv, self._log, self.folder, self.stop_signal, self.account)
        while time.monotonic() < deadline and self._process.poll() is None:
            with suppress(OSError):
                if self.is_ready(self.port):
                    return
            time.sleep(0.02)
        log = self._log.read_text(errors="replace")[-3000:]
        self.kill()
        raise ServerError(f"{self.name} did not start:\n{log}")

    def stop(self) -> None:
        """Shut it down in an orderly way; it may be started again."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(self.stop_signal)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def crash(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End it with a signal that it has no time to prepare for; it may be started again."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(STOP_SECONDS)

    @property
    def is_running(self) -> bool:
        """Return whether the process is still running."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process; 0 when it was never started."""
        return self._process.pid if self._process else 0

    def kill(self) -> None:
        """End it and its children with kill -9, as a crash would; it may be started again."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def remove(self) -> None:
        """Stop it and delete everything that it stored."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _log(self) -> Path:
        return self.folder / "log"


def _spawn(
    argv: Sequence[str],
    log: Path,
    folder: Path,
    stop_signal: signal.Signals,
    account: Account | None,
) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
            start_new_session=True,  # Ctrl-C is for the tests, which then stop the server
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    orphans.adopt(process.pid, stop=stop_signal)
    return process


def _group_lives(leader: int) -> bool:
    """Return whether a process of the group still runs. Zombies do not."""
    if not ON_LINUX:
        with suppress(ProcessLookupError):
            os.killpg(leader, 0)
            return True
        return False
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _parent, group = stat.read_text().rpartition(")")[2].split()[:3]
            if int(group) == leader and state not in {"Z", "X"}:
                return True
    return False


@contextmanager
def running(server: Server) -> Iterator[Server]:
    try:
        server.start()
        yield server
    finally:
        server.remove()

"""Real processes of a shop, started as an operator would and ended by their ids."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Running:
    """A process that was started, in a process group of its own."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self.log.read_text(errors="replace")

    @property
    def children(self) -> list[int]:
        """Ids of its direct children."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in listed.split()]

    def kill(self) -> None:
        """End it and its children at once, as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)

    def stop(self) -> int:
        """Ask it to end, and wait until it has; its exit code."""
        self.process.terminate()
        return self.process.wait(30)


@contextmanager
def running(folder: Path, environment: Mapping[str, str], *words: str) -> Iterator[Running]:
    """`quickshop WORDS` with these variables, in this folder; killed in the end if need be."""
    log = folder / f"{'-'.join(words[:1])}-{len(list(folder.glob('*.log')))}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "quickshop.entrypoints.cli.app", *words],
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    started = Running(process, log)
    try:
        yield started
    finally:
        if process.poll() is None:
            started.kill()


def variables(**settings: object) -> dict[str, str]:
    """Settings as the environment spells them."""
    return {f"QUICKSHOP_{name.upper()}": str(value) for name, value in settings.items()}

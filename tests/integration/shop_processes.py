"""Processes of a shop, started as an operator would."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests import processes


@dataclass(frozen=True, slots=True)
class ShopProcess:
    """A `quickshop` command that is running."""

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
        processes.kill(self.process)

    def stop(self) -> int:
        """Ask it to end, and wait until it has; its exit code."""
        self.process.terminate()
        return self.process.wait(processes.PATIENCE_SECONDS)


@contextmanager
def running(folder: Path, environment: Mapping[str, str], *words: str) -> Iterator[ShopProcess]:
    """`quickshop WORDS` with these variables; killed in the end if need be."""
    log = folder / f"{words[0]}-{len(list(folder.glob('*.log')))}.log"
    arguments = ("-m", "quickshop", *words)
    with processes.running(*arguments, log=log, environment=environment) as process:
        yield ShopProcess(process, log)


def variables(**settings: object) -> dict[str, str]:
    """Settings as the environment spells them."""
    return {f"QUICKSHOP_{name.upper()}": str(value) for name, value in settings.items()}

"""The processes of a shop, with a supervisor that replaces each one that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import uuid4

from tests import processes

MARK: Final = "CHAOS_RUN"
"""The variable that identifies processes of a run, also after their parent has changed."""


@dataclass(slots=True)
class Member:
    """A role in the crew, and the process that fills it now."""

    name: str
    argv: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    exit_codes: list[int] = field(default_factory=list)
    paused: bool = False

    @property
    def pid(self) -> int:
        """The process that fills the role."""
        assert self.process is not None
        return self.process.pid

    @property
    def children(self) -> list[int]:
        """Ids of its direct children."""
        with suppress(OSError):
            listed = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
            return [int(pid) for pid in listed.split()]
        return []


class Crew:
    """Starts processes, and starts them again. For one thread only."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._mark = uuid4().hex
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("QUICKSHOP_")}
        path = os.pathsep.join((str(processes.ROOT / "src"), str(processes.ROOT)))
        self._environment = {**inherited, **environment, "PYTHONPATH": path, MARK: self._mark}
        self._members: dict[str, Member] = {}

    def start(self, name: str, *arguments: str) -> None:
        """Fill a role with a Python program of this project."""
        member = Member(name, [sys.executable, *arguments])
        self._members[name] = member
        self._launch(member)

    def tend(self) -> None:
        """Start another process for everyone who has ended."""
        for member in self._members.values():
            code = member.process.poll() if member.process else None
            if code is not None:
                member.exit_codes.append(code)
                self._launch(member)

    def members(self, role: str) -> list[Member]:
        """Those who fill a role and can react."""
        everyone = self._members.values()
        return [m for m in everyone if m.name.startswith(role) and not m.paused]

    def everyone(self) -> list[Member]:
        """All there are."""
        return list(self._members.values())

    def wake(self) -> None:
        """Have every process go on that was stopped."""
        for pid in self._marked():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def dismiss(self) -> None:
        """End every process of this crew, orphans included."""
        for member in self._members.values():
            if member.process is not None:
                member.process.kill()
                member.process.wait()
        deadline = time.monotonic() + 10
        while (left := list(self._marked())) and time.monotonic() < deadline:
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)

    def log(self, name: str) -> str:
        """What everyone who filled a role has said."""
        return (self._folder / f"{name}.log").read_text(errors="replace")

    def _launch(self, member: Member) -> None:
        with (self._folder / f"{member.name}.log").open("ab") as output:
            member.process = processes.start(
                member.argv,
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        member.starts += 1

    def _marked(self) -> Iterator[int]:
        mark = f"{MARK}={self._mark}".encode()
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                if entry.name.isdigit() and mark in (entry / "environ").read_bytes().split(b"\0"):
                    yield int(entry.name)

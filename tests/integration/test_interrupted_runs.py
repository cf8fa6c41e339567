"""However a run of the tests ends, no server, no program and no folder of it is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.landing import share
from tests.processes import ROOT, eventually, kill, start

Process = tuple[int, str]
"""A process id, and when that process began: its id may be another's later."""


def running_processes() -> dict[Process, int]:
    """Every process of this machine that runs, and the id of its parent."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            state, parent, *more = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if state not in "ZX":
            found[int(entry.name), more[17]] = int(parent)
    return found


def family(pid: int) -> set[Process]:
    """A process and everything that descends from it."""
    everyone, known = running_processes(), {pid}
    while more := {one for (one, _), parent in everyone.items() if parent in known} - known:
        known |= more
    return {process for process in everyone if process[0] in known}


WORDS = (
    "tests/integration/interrupted_run.py",
    *("-n", "1", "--max-worker-restart", "0", "-p", "no:cacheprovider"),
    *(word for plugin in ("xdist.plugin", "pytest_timeout") for word in ("-p", plugin)),
)
"""Of all plugins the two that it needs: loading them takes longer than the rest."""
ENDINGS: dict[str, Callable[[int, int], None]] = {
    "Ctrl-C": lambda run, _: os.killpg(run, signal.SIGINT),
    "run told to end": lambda run, _: os.kill(run, signal.SIGTERM),
    "run killed": lambda run, _: os.kill(run, signal.SIGKILL),
    "worker killed": lambda _, worker: os.kill(worker, signal.SIGKILL),
}


@pytest.mark.usefixtures("interruptible")
@pytest.mark.sampled
@pytest.mark.parametrize("ending", share([*ENDINGS], 2))
def test_a_run_that_is_interrupted_leaves_nothing_behind(tmp_path: Path, ending: str) -> None:
    note = tmp_path / "started.json"
    with start(
        [sys.executable, "-m", "pytest", *WORDS, "--basetemp", str(tmp_path / "inner")],
        cwd=ROOT,
        env=os.environ | {"STARTED": str(note), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as run:
        try:
            assert eventually(lambda: note.exists() and note.read_text().endswith("}"))
            started = json.loads(note.read_text())
            everyone = family(run.pid)
            assert len(everyone) > 10
            ENDINGS[ending](run.pid, started["worker"])
            run.wait(60)
            assert eventually(lambda: everyone.isdisjoint(running_processes()))
            assert eventually(lambda: not Path(started["folder"]).exists())
        finally:
            kill(run)

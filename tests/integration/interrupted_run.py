"""A test that starts everything that tests start, and goes on until its run is interrupted.

`test_interrupted_runs.py` names this file to pytest.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from threading import Event
from typing import Final

import pytest

from tests import servers
from tests.processes import eventually, running

PROGRAM: Final = """
import subprocess, sys
subprocess.run([sys.executable, "-c", "import signal; print('here', flush=True); signal.pause()"])
"""
"""It has a child, as a server with several processes has."""


@pytest.mark.usefixtures("postgres_server")
def test_that_goes_on_and_on(own_valkey: servers.Server, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running("-c", PROGRAM, log=log):
        assert eventually(lambda: "here" in log.read_text())
        started = {"worker": os.getpid(), "folder": str(own_valkey.folder)}
        Path(os.environ["STARTED"]).write_text(json.dumps(started))
        Event().wait()

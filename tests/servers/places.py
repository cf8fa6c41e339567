"""Where a server finds its program, its folder and its port."""

from __future__ import annotations

import importlib.util
import os
import random
import shutil
import socket
import tempfile
from contextlib import suppress
from pathlib import Path

from tests import orphans
from tests.servers.process import Account, ServerError


def free_port() -> int:
    """Return a free port, below the range from which clients get theirs.

    Raises:
        ServerError: none was found.
    """
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise ServerError("no free port between 20000 and 32000")


def new_folder(prefix: str, account: Account | None, *, on_disk: bool = False) -> Path:
    """Make a folder, in memory if there is room and a disk is not asked for."""
    memory = Path("/dev/shm")
    roomy = (
        not on_disk
        and os.access(memory, os.W_OK)
        and shutil.disk_usage(memory).free > 1_500_000_000
    )
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=memory if roomy else None))
    orphans.adopt_folder(folder)
    if account:
        os.chown(folder, account.uid, account.gid)
    return folder


def in_wheel(module: str, folder: str) -> list[Path]:
    """Find a folder of an installed package without importing it."""
    spec = importlib.util.find_spec(module)
    places = spec.submodule_search_locations if spec else None
    return [path for place in places or () if (path := Path(place, folder)).is_dir()]

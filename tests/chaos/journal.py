"""Requests and answers of clients, on disk before a client acts on them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import Any


class Journal:
    """A file of JSON lines that is only ever appended to. Safe to share between threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._file = path.open("a", encoding="utf-8")

    def write(self, what: str, **facts: Any) -> None:
        """Add a line; it is with the operating system when this returns."""
        line = json.dumps({"at": round(time.time(), 4), "what": what, **facts})
        with self._lock:
            self._file.write(line + "\n")
            self._file.flush()

    def close(self) -> None:
        """Nothing is written after this."""
        self._file.close()


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Every line of a journal, oldest first."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)

"""The part of the sampled tests that runs at one landing.

Some tests have far more cases than each change can wait for. At a landing, one part of them runs,
and the commit decides which. `nox -s attacks` and `nox -s exhaustive` run all of them.

`QUICKSHOP_TEST_SEED=N` runs the part of seed N again. `QUICKSHOP_TEST_WHOLE=1` runs every part.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeVar

T = TypeVar("T")

_ROOT: Final = Path(__file__).resolve().parent.parent
_SOURCE: Final = _ROOT / "src"


@cache
def seed() -> int:
    """A number that changes with each commit, unless the environment sets it."""
    if given := os.environ.get("QUICKSHOP_TEST_SEED"):
        return int(given)
    return int(sha256(_commit() or _source()).hexdigest()[:8], 16)


def whole() -> bool:
    """Whether every part runs."""
    return os.environ.get("QUICKSHOP_TEST_WHOLE") == "1"


def share(items: Sequence[T], parts: int) -> list[T]:
    """One in `parts` items, which ones depends on the seed; every item if `whole()`.

    Neighbors are in different parts. `parts` seeds in a row cover every item.
    """
    return [*items] if whole() else [*items[seed() % parts :: parts]]


def _commit() -> bytes:
    """Hash of the commit that is checked out; empty outside of a repository."""
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=_ROOT, capture_output=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return b""
    return found.stdout.strip()


def _source() -> bytes:
    """Digest of the product's source files."""
    digest = sha256()
    for file in sorted(_SOURCE.rglob("*.py")):
        digest.update(file.relative_to(_SOURCE).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.digest()

"""`python3 shop prove NAME`: one row of the README's table of proofs, measured again.

Imports the standard library only, so that the names can be listed before anything is installed.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Proof:
    """A promise, and the module whose run prints the figures for it."""

    promise: str
    command: tuple[str, ...]


PROOFS: Final[dict[str, Proof]] = {
    "oversell": Proof(
        "400 buyers, 32 at once, of 100 units, on PostgreSQL and on SQLite",
        ("pytest", "tests/integration/test_oversell.py", "-q", "-k", "400_buyers"),
    ),
    "chaos": Proof(
        "a fleet of processes for 30 s under kill -9, cut COMMITs and a killed broker",
        ("tests.chaos", "--seed", "7", "--seconds", "30"),
    ),
    "simulation": Proof(
        "2,000 simulated days on which everything goes wrong",
        ("tests.simulation", "--count", "2000"),
    ),
    "mutants": Proof(
        "every planted bug is caught by a simulation", ("tests.simulation", "--mutants")
    ),
}


def main(arguments: Sequence[str]) -> int:
    """Prove one row or list all; the rest of the arguments goes to its command."""
    name, *more = arguments or [""]
    if name not in PROOFS:
        sys.stdout.write(listing())
        return 2 if name else 0
    return subprocess.run(
        [sys.executable, "-m", *PROOFS[name].command, *more], check=False
    ).returncode


def listing() -> str:
    """The names, and what each proves."""
    width = max(map(len, PROOFS))
    rows = (f"  {name:{width}}  {proof.promise}\n" for name, proof in PROOFS.items())
    return "python3 shop prove NAME\n" + "".join(rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

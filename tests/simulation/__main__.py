"""`python -m tests.simulation --seed 8123 | --seeds A:B | --count N [--mutant NAME]`.

With `--mutants` each bug of `tests/mutants.py` is planted in turn, and the table of
`docs/mutants.md` is printed.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext

from tests.mutants import MUTANTS
from tests.simulation.hunt import HEADER, hunt_all
from tests.simulation.world import Verdict, simulate

TAIL = 60
"""Steps shown before a broken promise."""


def say(text: str) -> None:
    """Print a line at once, so that a long hunt can be watched."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """The process's exit code: 1 when a promise was broken."""
    logging.getLogger("quickshop").setLevel(logging.CRITICAL)
    options = _parse(arguments)
    if options.mutants:
        return _hunt()
    with MUTANTS[options.mutant].planted() if options.mutant else nullcontext():
        return _run(options)


def _run(options: argparse.Namespace) -> int:
    if options.seed is not None:
        verdict = simulate(options.seed)
        say("\n".join(verdict.lines()))
        say(_ending(verdict))
        return int(verdict.violation is not None)
    return _many(options.seeds or range(options.count))


def _many(seeds: range) -> int:
    began, steps, broken = time.monotonic(), 0, 0
    faults, outcomes = Counter[str](), Counter[str]()
    for seed in seeds:
        verdict = simulate(seed)
        steps += verdict.steps
        faults += verdict.faults
        outcomes += verdict.outcomes
        if verdict.violation is not None:
            broken += 1
            say("\n".join(verdict.lines()[-TAIL:]))
            say(_ending(verdict))
            if broken == 3:
                break
    seconds = time.monotonic() - began
    say(f"{len(seeds)} seeds, {steps:,} steps, {seconds:.1f} s, {broken} broken")
    say(f"faults: {_list(faults)}")
    say(f"orders: {_list(outcomes)}")
    return int(broken > 0)


def _list(counts: Counter[str]) -> str:
    return ", ".join(f"{kind} {count:,}" for kind, count in sorted(counts.items()))


def _hunt() -> int:
    """Plant every mutant, and print what caught it after how many runs."""
    began, caught = time.monotonic(), 0
    say(HEADER)
    for is_caught, row in hunt_all():
        caught += is_caught
        say(row)
    say(f"\n{caught} of {len(MUTANTS)} caught, {time.monotonic() - began:.1f} s")
    return int(caught < len(MUTANTS))


def _ending(verdict: Verdict) -> str:
    how = f"BROKEN: {verdict.violation}" if verdict.violation else "every promise kept"
    return f"seed {verdict.seed}: {how}"


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="replay one run, and print its trace")
    parser.add_argument("--seeds", type=_range, metavar="A:B", help="run these seeds")
    parser.add_argument("--count", type=int, default=200, help="run the seeds from 0 up")
    parser.add_argument("--mutant", choices=sorted(MUTANTS), help="plant this bug first")
    parser.add_argument(
        "--mutants", action="store_true", help="plant every bug, and print the table"
    )
    return parser.parse_args(arguments)


def _range(text: str) -> range:
    first, last = text.split(":")
    return range(int(first), int(last))


if __name__ == "__main__":
    sys.exit(main())

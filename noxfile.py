"""What can be checked, in the environment that `shop` set up: `python3 shop test` runs it all."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nox

# The tools are those beside nox, whether the environment is activated or not.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"

nox.options.default_venv_backend = "none"
nox.options.sessions = ["test"]
nox.options.error_on_external_run = False

PROCESSES = min(4, (os.cpu_count() or 1) + 1)
"""One more than processors: some tests only wait, for a broker or for a lease."""
IN_PARALLEL = ("-n", str(PROCESSES), "--dist", "loadgroup")
"""Each process of the tests starts servers of its own; the tests of a group share a process."""

COMPILED = {"PYTHONDONTWRITEBYTECODE": ""}
"""The tests start many processes of the shop. Each would compile it again."""

WHOLE = {"QUICKSHOP_TEST_WHOLE": "1"}
"""Every case of the sampled tests, not one part of them (`tests/landing.py`)."""

PYTHON_FILES = ("src", "tests", "noxfile.py", "shop")


@nox.session
def lint(session: nox.Session) -> None:
    """Style, and dependencies that are declared but unused or the reverse."""
    session.run("ruff", "check", *PYTHON_FILES)
    session.run("ruff", "format", "--check", *PYTHON_FILES)
    session.run("deptry", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Types, strictly."""
    session.run("mypy")


@nox.session
def imports(session: nox.Session) -> None:
    """Who may import whom."""
    session.run("lint-imports")


@nox.session
def unit(session: nox.Session) -> None:
    """The rules and the stories, on the twins: seconds."""
    # To load what only other tests use takes a second.
    session.run("pytest", "-p", "no:schemathesis", "tests/unit", *session.posargs)


@nox.session
def attacks(session: nox.Session) -> None:
    """Every hostile text in every place, and what only a clock can decide: on a quiet machine."""
    session.run("pytest", "tests/attacks", *session.posargs, env=WHOLE)


@nox.session
def integration(session: nox.Session) -> None:
    """The same promises on real servers, which the tests bring along."""
    session.run("pytest", "tests/integration", *IN_PARALLEL, *session.posargs)


@nox.session
def test(session: nox.Session) -> None:
    """Everything that a change must pass."""
    lint(session)
    types(session)
    imports(session)
    # One run of pytest over all, so that its closing line counts every test.
    everything = ("tests/unit", "tests/attacks", "tests/integration")
    session.run("pytest", *everything, *IN_PARALLEL, *session.posargs, env=COMPILED)


@nox.session
def bench(session: nox.Session) -> None:
    """Ratios against floors measured in the same run."""
    session.run("python", "-m", "tests.benchmarks", *session.posargs)


@nox.session
def simulate(session: nox.Session) -> None:
    """The core on its twins, with everything going wrong in the order of a seed."""
    session.run("python", "-m", "tests.simulation", *session.posargs)


@nox.session
def chaos(session: nox.Session) -> None:
    """A fleet of real processes that everything happens to, and what is left of its promises."""
    session.run("python", "-m", "tests.chaos", *session.posargs)


@nox.session
def prove(session: nox.Session) -> None:
    """One row of the README's table of proofs: `prove NAME`; without a name, their list."""
    session.run("python", "-m", "tests.proofs", *session.posargs)


@nox.session
def exhaustive(session: nox.Session) -> None:
    """Every case of what a landing samples, every planted bug, and chaos of three seeds."""
    sampled = ("-m", "sampled", "tests/attacks", "tests/integration")
    session.run("pytest", *sampled, *IN_PARALLEL, *session.posargs, env=WHOLE)
    session.run("python", "-m", "tests.simulation", "--count", "2000")
    session.run("python", "-m", "tests.simulation", "--mutants")
    for seed in ("1", "2", "3"):
        session.run("python", "-m", "tests.chaos", "--seed", seed)

"""The `shop` script: what it installs for which word, and what it says when it cannot."""

from __future__ import annotations

import ast
import fcntl
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from textwrap import dedent
from typing import Any, Final

import pytest

SCRIPT: Final = Path(__file__).parents[2] / "shop"
PATIENCE_SECONDS: Final = 60

PIP: Final = """
    import os, pathlib, sys
    words = sys.argv[1:]
    if words == ["--version"]:
        sys.exit()
    with open(os.environ["INSTALLED"], "a") as log:
        log.write(" ".join(words[words.index("install") + 1:]) + "\\n")
    print(os.environ.get("PIP_SAYS", ""))
    command = pathlib.Path(sys.prefix, "bin", "quickshop")
    command.write_text("#!/bin/sh\\necho quickshop $@\\n")
    command.chmod(0o755)
    sys.exit("PIP_SAYS" in os.environ)
"""
"""Notes what it is to install, and fails when it has something to say."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """The script, an environment of its own, and installers that need no network."""

    folder: Path
    shop: Any

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """`python3 shop WORDS`."""
        return subprocess.run(
            [sys.executable, "-S", str(SCRIPT), *words],
            env=self.environment(**variables),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def environment(self, **variables: str) -> dict[str, str]:
        return {
            "PATH": "/nowhere",
            "PYTHONPATH": str(self.folder / "modules"),
            "QUICKSHOP_VENV": str(self.shop.VENV),
            "INSTALLED": str(self.folder / "installed"),
            **variables,
        }

    def installed(self) -> list[str]:
        """What pip was asked for since the last question, apart from pip itself."""
        log = self.folder / "installed"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return [line.split(" -c ")[0] for line in lines if not line.startswith("pip>=")]

    def module(self, name: str, program: str) -> None:
        """Have a module that every Python of the test finds first."""
        folder = self.folder / "modules" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").touch()
        (folder / "__main__.py").write_text(dedent(program))


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    monkeypatch.setenv("QUICKSHOP_VENV", str(tmp_path / "venv"))
    spec = spec_from_loader("shop_script", SourceFileLoader("shop_script", str(SCRIPT)))
    assert spec is not None
    assert spec.loader is not None
    script = module_from_spec(spec)
    spec.loader.exec_module(script)
    made = Checkout(tmp_path, script)
    made.module("pip", PIP)
    made.module("nox", "")
    return made


RETRYING: Final = "WARNING: Retrying (Retry(total=4, …)) after connection broken by"
NOT_FOUND: Final = "Could not find a version that satisfies pip>=25.1 (from versions: none)"
QUICKSHOP: Final = f"-e {SCRIPT.parent}[all]"
CHECKS: Final = f"--group {SCRIPT.parent / 'pyproject.toml'}:dev"


def test_an_older_python_can_read_it_and_so_name_the_version_that_is_needed() -> None:
    ast.parse(SCRIPT.read_text(), feature_version=(3, 8))


@pytest.mark.parametrize(
    ("words", "program"),
    [
        (["demo"], "quickshop demo"),
        (["serve", "--port", "80"], "quickshop serve --port 80"),
        (["test"], "python -m nox -s test"),
        (["test", "-k", "carts"], "python -m pytest -k carts"),
        (["bench", "--quick"], "python -m nox -s bench -- --quick"),
        (["simulate"], "python -m nox -s simulate"),
        (["chaos", "--seed", "7"], "python -m nox -s chaos -- --seed 7"),
        (["prove", "oversell"], "python -m nox -s prove -- oversell"),
    ],
)
def test_each_word_runs_its_program_with_what_that_needs(
    checkout: Checkout, words: Sequence[str], program: str
) -> None:
    executable, *rest = checkout.shop.command(words)
    assert " ".join([Path(executable).name, *rest]) == program
    needed = ("QuickShop", "checks") if program.startswith("python") else ("QuickShop",)
    assert checkout.shop.parts_for(words) == needed


def test_the_proofs_are_listed_without_installing_anything(checkout: Checkout) -> None:
    assert "oversell" in checkout.run("prove").stdout
    assert checkout.installed() == []


def test_each_part_is_installed_once_per_change_of_what_it_needs(checkout: Checkout) -> None:
    found = []
    for word in ("demo", "test", "demo"):
        checkout.run(word)
        found.append(checkout.installed())
    assert found == [[QUICKSHOP], [CHECKS], []]

    checkout.shop.stamp_of("QuickShop").write_text("installed from other versions")
    checkout.run("demo")
    assert checkout.installed() == [QUICKSHOP]


def test_a_failed_setup_of_the_checks_leaves_the_shop_usable(checkout: Checkout) -> None:
    checkout.run("demo")
    checkout.run("test", PIP_SAYS="ERROR: no network")
    checkout.installed()
    assert checkout.run("demo").stdout.strip() == "quickshop demo"
    assert checkout.installed() == []


def test_packages_that_were_installed_by_half_are_installed_again(checkout: Checkout) -> None:
    folder = checkout.shop.site_packages()
    for name in ("whole", "cut_short", "half_gone"):
        info = folder / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "RECORD").write_text(f"{name}.py,sha256=,0\n{name}.pyc,,\n")
        (info / "INSTALLER").touch()
        (folder / f"{name}.py").touch()
    (folder / "cut_short-1.0.dist-info" / "INSTALLER").unlink()
    (folder / "half_gone.py").unlink()
    (folder / "~emains").mkdir()

    checkout.run("demo")

    assert checkout.shop.packages() == {"whole-1.0.dist-info"}
    assert not list(folder.glob("~*"))


def test_two_runs_at_once_install_once(checkout: Checkout) -> None:
    checkout.shop.VENV.mkdir()
    with (checkout.shop.VENV / "quickshop.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with subprocess.Popen(
            [sys.executable, "-S", str(SCRIPT), "demo"],
            env=checkout.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as second:
            assert second.stderr is not None
            assert "another run is setting up" in second.stderr.readline()
            checkout.shop.BIN.mkdir()
            command = checkout.shop.BIN / "quickshop"
            command.write_text("#!/bin/sh\necho quickshop $@\n")
            command.chmod(0o755)
            stamp = checkout.shop.stamp_of("QuickShop")
            stamp.write_text(checkout.shop.fingerprint("QuickShop"))
            fcntl.flock(lock, fcntl.LOCK_UN)
            said, _ = second.communicate(timeout=PATIENCE_SECONDS)
    assert said.strip() == "quickshop demo"
    assert checkout.installed() == []


@pytest.mark.parametrize(
    ("log", "advice"),
    [
        (f"{RETRYING} 'NameResolutionError(…)'\nERROR: {NOT_FOUND}", "check the network"),
        (f"ERROR: {NOT_FOUND}", "check the network"),
        (f"{RETRYING} 'SSLError(SSLCertVerificationError(…))'", "set PIP_CERT"),
        ("ERROR: [Errno 28] No space left on device", "the disk is full"),
        ("Collecting x\nERROR: x has no wheel\nnotice: …", "ERROR: x has no wheel"),
        ("", "the installer wrote nothing"),
    ],
)
def test_why_a_setup_failed_is_one_line_that_says_what_to_do(
    checkout: Checkout, log: str, advice: str
) -> None:
    assert advice in checkout.shop.failure(log)
    assert len(checkout.shop.failure(log).splitlines()) == 1


def test_a_failed_setup_is_reported_and_repeated_by_the_next_run(checkout: Checkout) -> None:
    failed = checkout.run("demo", PIP_SAYS=f"ERROR: {NOT_FOUND}")
    assert failed.returncode == 1
    _, why = failed.stderr.splitlines()
    assert why.startswith("shop: setup failed: the package index cannot be reached")
    checkout.installed()
    assert checkout.run().stdout.strip() == "quickshop demo"
    assert checkout.installed() == [QUICKSHOP]


def test_without_an_installer_one_line_says_which_to_install(checkout: Checkout) -> None:
    for name in ("pip", "ensurepip"):
        checkout.module(name, "raise SystemExit(1)")
    done = checkout.run("demo")
    assert done.stderr.splitlines()[1:] == [f"shop: {checkout.shop.NO_INSTALLER}"]
    assert done.returncode == 1


def test_a_folder_that_cannot_be_written_to_is_named(checkout: Checkout) -> None:
    checkout.shop.VENV.write_text("in the way")
    done = checkout.run("demo")
    assert str(checkout.shop.VENV) in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("log", "installed", "said"),
    [
        ("", 0, "preparing"),
        ("Downloading sqlalchemy (4.5MiB)\n", 0, "Downloading sqlalchemy (4.5MiB)"),
        ("Collecting a>=1\nCollecting b (from a)\n", 0, "looking up 2: b"),
        (
            "Collecting a\n  Downloading a-1.0-py3-none-any.whl.metadata (2 kB)\n",
            0,
            "looking up 1: a",
        ),
        ("Downloading a_b-1.0-py3-none-any.whl (2.5 MB)\n", 0, "downloading 1: a_b (2.5 MB)"),
        ("Installing collected packages: a, b, c\n", 1, "installing 2 of 3: b"),
        ("Installing collected packages: a, b, c\n", 9, "installing 3 of 3: c"),
        ("WARNING: Retrying (Retry(total=4", 0, "no answer from the package index yet"),
    ],
)
def test_progress_names_the_package_and_how_far_it_is(
    checkout: Checkout, log: str, installed: int, said: str
) -> None:
    assert checkout.shop.progress(log, installed) == said

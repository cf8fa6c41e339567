"""A shop in a folder, and the `quickshop` command in it."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from typer.testing import CliRunner

from quickshop import Shop, open_shop
from quickshop.entrypoints.cli.app import app
from quickshop.entrypoints.cli.demo_story import ADA, Shopper, buy
from quickshop.entrypoints.cli.imports import sample_catalog
from quickshop.ports.orders import OrderView
from tests import processes

PROGRAM: Final = "from quickshop.entrypoints.cli.app import main; main()"
SOURCES: Final = Path(__file__).parents[1] / "src"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it said, as JSON; fails when there is anything else."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Terminal:
    """Runs commands on the shop of one database, with nothing else in the environment."""

    folder: Path
    database_url: str

    @property
    def file(self) -> Path:
        return self.folder / "quickshop.db"

    def environment(self, **more: str) -> dict[str, str]:
        return {"QUICKSHOP_DATABASE_URL": self.database_url, "COLUMNS": "80", **more}

    def run(
        self, *words: str, env: Mapping[str, str] | None = None, typed: str | None = None
    ) -> Outcome:
        """Run a command in this process, with `typed` as its input."""
        kept = {name: None for name in os.environ if name.startswith("QUICKSHOP_")}
        runner = CliRunner(env=kept | self.environment(**env or {}))
        result = runner.invoke(app, words, prog_name="quickshop", input=typed)
        return Outcome(result.exit_code, result.stdout, result.stderr)

    def start(self, *words: str, **env: str) -> subprocess.Popen[str]:
        """Start a command as a process of its own."""
        return processes.start(
            [sys.executable, "-c", PROGRAM, *words],
            cwd=self.folder,
            env=plain_environment() | self.environment(**env),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    @contextmanager
    def shop(self) -> Iterator[Shop]:
        """The same shop, as a library."""
        with open_shop(self.database_url) as shop:
            yield shop

    def buy(self, shopper: Shopper = ADA, *, work: bool = True) -> OrderView:
        """Have a shopper buy something, and the work done that follows."""
        with self.shop() as shop:
            order = buy(shop, shopper).order
            if work:
                shop.run_jobs()
            return shop.orders.get(order.id)

    def tamper(self, statement: str, values: Sequence[object] = ()) -> None:
        """Change the database behind the shop's back."""
        with closing(sqlite3.connect(self.file)) as database, database:
            database.execute(statement, values)


def plain_environment() -> dict[str, str]:
    """The environment of a user who has set nothing up."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("QUICKSHOP_")}
    return kept | {"PYTHONPATH": str(SOURCES), "PYTHONIOENCODING": "utf-8"}


def terminal_in(folder: Path) -> Terminal:
    """A terminal in a folder where there is no shop yet."""
    return Terminal(folder, f"sqlite:///{folder / 'quickshop.db'}")


def stocked_file(folder: Path) -> Path:
    """A database with the sample catalog in it, to make copies of."""
    terminal = terminal_in(folder)
    with terminal.shop() as shop, sample_catalog() as path:
        shop.products.import_file(path, currency="USD")
    return terminal.file

"""The floor of placing an order: the statements of a real order, replayed by pgbench.

One order is placed while the statements to the database are recorded. Each statement becomes a
line of a script, with its values as variables of prepared statements. Values of one order only
(ids, its number, its tokens) are computed per transaction, so each writes rows of its own.
"""

from __future__ import annotations

import json
import re
import resource
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Json, Jsonb
from sqlalchemy import Engine, event

from tests.benchmarks.measure import Sample
from tests.benchmarks.processes import BenchmarkError, cpu_seconds

PATIENCE_SECONDS: Final = 60
LONGEST_REWRITTEN: Final = 250
"""Characters; longer values (stored documents) are in no index and stay as they were."""

_PLACEHOLDER: Final = re.compile(r"%\((\w+)\)s")
_TPS: Final = re.compile(r"^tps = ([\d.]+) \(without", re.MULTILINE)
_FAILED: Final = re.compile(r"^number of failed transactions: (\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Statement:
    """Something that was executed, once per set of values."""

    text: str
    values: Sequence[Mapping[str, Any]]


@contextmanager
def recorded(engine: Engine) -> Iterator[list[Statement]]:
    """What this engine executes meanwhile."""
    statements: list[Statement] = []

    def record(
        _c: object, _cursor: object, text: str, values: Any, _x: object, many: bool
    ) -> None:
        statements.append(Statement(text, list(values) if many else [values]))

    event.listen(engine, "before_cursor_execute", record)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", record)


def commands(statements: Sequence[Statement]) -> int:
    """How many there are with BEGIN and COMMIT. The shop waits for fewer: it sends batches."""
    return len(statements) + 2


@dataclass(slots=True)
class Script:
    """A transaction for pgbench."""

    fresh: Mapping[str, str]
    """What is another value in every order, and the SQL that works it out, as text."""
    number: int
    """Of the order, which a sequence gives."""
    variables: dict[str, str] = field(default_factory=dict)
    """Values of the statements by the name of their variable."""

    def write(self, prelude: Sequence[str], statements: Sequence[Statement]) -> str:
        """The script: the prelude, and the statements in one transaction."""
        lines = [*prelude, "BEGIN;"]
        for statement in statements:
            lines += self._lines(statement)
        return "\n".join([*lines, "COMMIT;", ""])

    def _lines(self, statement: Statement) -> list[str]:
        texts = [self._filled(statement.text, values) for values in statement.values]
        if "nextval" in statement.text:
            return [f"{texts[0].rpartition(' AS ')[0]} AS order_number \\gset"]
        lines = [f"{text};" for text in texts]
        return lines if len(lines) == 1 else ["\\startpipeline", *lines, "\\endpipeline"]

    def _filled(self, text: str, values: Mapping[str, Any]) -> str:
        one_line = " ".join(text.split())
        return _PLACEHOLDER.sub(lambda found: self._value(values[found[1]]), one_line)

    def _value(self, value: Any) -> str:
        text = _as_text(value)
        if not text:  # no variable can hold nothing
            return "NULL" if text is None else "''"
        if text == str(self.number):
            return ":order_number"
        if len(text) <= LONGEST_REWRITTEN:
            pieces = self._rewritten(text)
            if pieces is not None:
                return f"({pieces})::uuid" if isinstance(value, UUID) else f"({pieces})"
        return self._variable(text)

    def _rewritten(self, text: str) -> str | None:
        """The text with everything fresh in it worked out; None when there is nothing."""
        found = re.split("|".join(f"({re.escape(old)})" for old in self.fresh), text)
        parts = [part for part in found if part]
        if not any(part in self.fresh for part in parts):
            return None
        return " || ".join(
            self.fresh.get(part) or f"{self._variable(part)}::text" for part in parts
        )

    def _variable(self, text: str) -> str:
        for name, known in self.variables.items():
            if known == text:
                return f":{name}"
        name = f"v{len(self.variables)}"
        self.variables[name] = text
        return f":{name}"


def _as_text(value: Any) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return str(value).lower()
        case datetime():
            return value.isoformat()
        case Json() | Jsonb():
            return json.dumps(value.obj)
        case list():  # of ids or numbers, which an array's literal holds as they are
            return f"{{{','.join(map(str, value))}}}"
        case _:
            return str(value)


@dataclass(frozen=True, slots=True)
class Pgbench:
    """Runs a script against a database."""

    program: Path
    url: str
    file: Path
    variables: Mapping[str, str]
    postgres_pid: int
    orders: Callable[[], int]
    """How many there are, to check after each run that it wrote its own."""

    def __call__(self, carts: range, *, clients: int) -> Sample:
        """Run it once per cart, by this many clients.

        Raises:
            BenchmarkError: pgbench failed, or did not write what it should have.
        """
        each = len(carts) // clients
        before, backends = _children_cpu(), cpu_seconds(self.postgres_pid)
        written = self.orders()
        output = self._run(each, clients, {"first": carts.start, "clients": clients, "n": -1})
        cpu = _children_cpu() - before + cpu_seconds(self.postgres_pid) - backends
        if self.orders() - written != each * clients:
            raise BenchmarkError("pgbench did not write every order")
        found = _TPS.search(output)
        assert found, output
        return Sample(each * clients, each * clients / float(found[1]), cpu)

    def _run(self, each: int, clients: int, counters: Mapping[str, int]) -> str:
        defined = {**self.variables, **{name: str(n) for name, n in counters.items()}}
        command = [
            str(self.program),
            *("--no-vacuum", "--protocol=prepared", f"--file={self.file}"),
            *(f"--client={clients}", "--jobs=1", f"--transactions={each}"),
            *(f"--define={name}={value}" for name, value in defined.items()),
            self.url,
        ]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
        )
        failed = _FAILED.search(done.stdout)
        if done.returncode or failed is None or failed[1] != "0":
            raise BenchmarkError(f"pgbench failed:\n{done.stderr[-2000:]}")
        return done.stdout


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime

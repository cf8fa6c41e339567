"""What a run found, as a table for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tests.benchmarks.measure import Comparison

CAPTION: Final = (
    "Each figure and its floor were measured in turn in short rounds; ratios are medians over the"
    " rounds, and higher is better. «rate» compares answers per second, «CPU» the CPU that"
    " servers used per answer: the figure in bold is the one that the target is about. Page reads"
    " and single calls are judged by CPU, because the client shares the cores; whole checkouts by"
    " rate."
)

Unit = Literal["x", "s", "MiB", "orders"]
Bound = Literal["at least", "at most", "exactly"]
_SIGNS: Final[dict[Bound, str]] = {"at least": "≥", "at most": "≤", "exactly": "="}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table."""

    name: str
    """For `--only`."""
    path: str
    value: float
    """The figure that counts."""
    unit: Unit = "x"
    target: float | None = None
    bound: Bound = "at least"
    here: str = ""
    floor: str = ""
    rate_ratio: float | None = None
    cpu_ratio: float | None = None
    note: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        """None when there is no target."""
        match self.target, self.bound:
            case None, _:
                return None
            case target, "at least":
                return self.value >= target
            case target, "at most":
                return self.value <= target
            case target, _:
                return self.value == target


def compared(
    name: str,
    path: str,
    comparison: Comparison,
    *,
    target: float,
    by: Literal["rate", "cpu"],
    note: str = "",
    **details: Any,
) -> Row:
    """A row about a comparison. Where CPU time is not known, rates decide."""
    judged_by_cpu = by == "cpu" and comparison.cpu_ratio > 0
    return Row(
        name=name,
        path=path,
        value=comparison.cpu_ratio if judged_by_cpu else comparison.rate_ratio,
        target=target,
        here=f"{comparison.rate:,.0f}/s · {comparison.cpu_microseconds:,.0f} µs",
        floor=f"{comparison.floor_rate:,.0f}/s · {comparison.floor_cpu_microseconds:,.0f} µs",
        rate_ratio=comparison.rate_ratio,
        cpu_ratio=comparison.cpu_ratio or None,
        note=note,
        details={**asdict(comparison), **details},
    )


def show(rows: Sequence[Row], console: Console) -> None:
    """Print the table."""
    table = Table(box=SIMPLE_HEAD, caption=CAPTION, caption_justify="left", pad_edge=False)
    table.add_column("path")
    for title in ("here", "floor"):
        table.add_column(title, justify="right")
    for title in ("rate", "CPU", "target", ""):
        table.add_column(title, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(_path(row), row.here, row.floor, *_figures(row), _target(row), _verdict(row))
    console.print(table)
    missed = sum(row.met is False for row in rows)
    judged = sum(row.met is not None for row in rows)
    console.print(f"{judged - missed} of {judged} targets met")


def write(rows: Sequence[Row], file: Path, **facts: Any) -> None:
    """Write everything that is known, ratios and what they were made of."""
    document = {**facts, "rows": [{**asdict(row), "met": row.met} for row in rows]}
    file.write_text(json.dumps(document, indent=2) + "\n")


def _path(row: Row) -> Text:
    text = Text(row.path)
    if row.note:
        text.append(f"\n  {row.note}", style="dim")
    return text


def _figures(row: Row) -> tuple[Text, Text]:
    if row.unit != "x" or row.rate_ratio is None:
        return Text(_with_unit(row.value, row.unit), style="bold"), Text("")
    return _ratio(row.rate_ratio, row.value), _ratio(row.cpu_ratio, row.value)


def _ratio(ratio: float | None, judged: float) -> Text:
    if ratio is None:
        return Text("")
    return Text(_with_unit(ratio, "x"), style="bold" if ratio == judged else "")


def _target(row: Row) -> str:
    if row.target is None:
        return ""
    return f"{_SIGNS[row.bound]} {_with_unit(row.target, row.unit)}"


def _with_unit(value: float, unit: Unit) -> str:
    digits, shown = {
        "x": (2, "\N{MULTIPLICATION SIGN}"),
        "s": (2, "s"),
        "MiB": (0, "MiB"),
        "orders": (0, "orders"),
    }[unit]
    return f"{value:,.{digits}f} {shown}"


def _verdict(row: Row) -> Text:
    if row.met is None:
        return Text("-", style="dim")
    return Text("met", style="green") if row.met else Text("not met", style="bold red")

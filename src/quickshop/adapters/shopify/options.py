"""The options in which the variants of a product differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from quickshop.adapters.shopify import columns
from quickshop.adapters.shopify.rows import Row

_NO_OPTION: Final = ({"title", ""}, {"default title", ""})
"""The name and the value that an export writes for a product without options."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a product that have values, and the columns of those values."""

    names: tuple[str, ...]
    value_columns: tuple[str, ...]

    @classmethod
    def of(cls, main: Row, rows: Sequence[Row]) -> Options:
        """Read the names from the product's row, leaving out options without values."""
        found: dict[str, str] = {}
        for number, (name_column, value_column) in enumerate(_COLUMNS, start=1):
            values = {row.cells.get(value_column, "") for row in rows if not row.is_rejected()}
            name = main.text(name_column)
            if _is_no_option(name, values):
                continue
            if values == {""}:
                main.note(name_column, "was left out: no row has a value for it")
                continue
            if not name:
                name = f"Option {number}"
                main.note(name_column, f"is blank; it was named {name}")
            if name in found.values():
                main.reject(name_column, "must differ from the other option names")
            found[value_column] = name
        return cls(tuple(found.values()), tuple(found))

    def values(self, row: Row) -> tuple[str, ...]:
        """Return one value per option; reject the row if one is missing."""
        for name, column in zip(self.names, self.value_columns, strict=True):
            if column not in row.cells:
                row.reject(column, f"is required: the product has the option {name[:60]}")
        return tuple(row.text(column) for column in self.value_columns)


_COLUMNS: Final = tuple(zip(columns.OPTION_NAMES, columns.OPTION_VALUES, strict=True))


def _is_no_option(name: str, values: set[str]) -> bool:
    no_names, no_values = _NO_OPTION
    folded = {value.casefold() for value in values}
    return name.casefold() in no_names and folded <= no_values

"""Product files from elsewhere, read into drafts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from quickshop.domain.catalog import Image
from quickshop.domain.money import Money


class Severity(StrEnum):
    """What an issue did to its row."""

    NOTE = "note"
    """Imported, with something changed or left out that the file said."""
    ERROR = "error"
    """Not imported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowIssue:
    """Something about one row of a file that its owner should know."""

    line: int
    """Where the row starts in the file, counting from 1; the header is line 1."""
    column: str
    reason: str
    severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantDraft:
    """A variant as a file describes it."""

    line: int
    sku: str | None
    options: tuple[str, ...]
    price: Money
    compare_at_price: Money | None = None
    weight_grams: int = 0
    barcode: str | None = None
    requires_shipping: bool = True
    taxable: bool = True
    on_hand: int | None = None
    """Units on the shelf; None when the file does not say, and the shelf stays as it is."""
    backorder_limit: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductDraft:
    """A product as a file describes it, with every row that speaks of it."""

    line: int
    handle: str
    title: str
    description_html: str
    """As it stood in the file: not yet sanitized."""
    vendor: str
    product_type: str
    category_path: tuple[str, ...]
    """Names from the root down; empty for none."""
    tags: tuple[str, ...]
    option_names: tuple[str, ...]
    images: tuple[Image, ...]
    published: bool
    metadata: Mapping[str, str]
    variants: Sequence[VariantDraft]
    rows: int
    """How many rows of the file this draft accounts for."""


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One product's worth of a file: what could be read, and what is to be said about it."""

    draft: ProductDraft | None
    """None when none of its rows could be read."""
    rows: int
    """Rows of the file that this item accounts for, read or reported."""
    issues: Sequence[RowIssue] = ()


class ProductFeed(Protocol):
    """A file of products, opened and known to be of its format."""

    rows: int
    """Rows in the file, without its header."""

    def __iter__(self) -> Iterator[FeedItem]:
        """The products in the order of the file. The rows of all items add up to `rows`."""
        ...


class ProductFeedReader(Protocol):
    """Opens product files of one format."""

    def __call__(self, path: Path, *, currency: str) -> ProductFeed:
        """Open a file; amounts in it are in `currency`.

        Raises:
            FileFormatError: it cannot be read, or is not of this format. Says what was found,
                and what would be right.
        """
        ...

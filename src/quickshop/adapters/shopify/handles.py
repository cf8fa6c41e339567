"""Which product a row belongs to."""

from __future__ import annotations

import re
from typing import Final

from quickshop.adapters.shopify import columns
from quickshop.adapters.shopify.rows import Row
from quickshop.domain.catalog import MAX_NAME_LENGTH, slugify
from quickshop.domain.errors import InvalidValueError

_UNFIT: Final = re.compile(r"[\s/?#%\\]")
_ID: Final = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)


def readable_handle(row: Row) -> str:
    """The handle, made a slug if it is none; the row is told of that.

    Raises:
        InvalidValueError: nothing can be made of it.
    """
    written = row.cells.get(columns.HANDLE)
    if written is None:
        raise InvalidValueError("handle", "must not be blank: it says which product a row is of")
    handle = written
    if _UNFIT.search(written) or not written.isprintable():
        handle = slugify(written)
        row.note(columns.HANDLE, f"cannot stand in an address, so it became {handle[:60]}")
    if not handle or len(handle) > MAX_NAME_LENGTH or _ID.fullmatch(handle):
        raise InvalidValueError(
            "handle",
            f"must be a slug such as blue-shirt, of at most {MAX_NAME_LENGTH} characters",
        )
    return handle

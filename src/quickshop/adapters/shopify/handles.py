"""Which product a row belongs to."""

from __future__ import annotations

from quickshop.adapters.shopify import columns
from quickshop.adapters.shopify.rows import Row
from quickshop.domain.catalog import slugify
from quickshop.domain.catalog_rules import fits_an_address, require_handle
from quickshop.domain.errors import InvalidValueError
from quickshop.domain.values import MAX_NAME_LENGTH


def readable_handle(row: Row) -> str:
    """The handle, made a slug if it is none; the row is told of that.

    Raises:
        InvalidValueError: nothing can be made of it.
    """
    written = row.cells.get(columns.HANDLE)
    if written is None:
        raise InvalidValueError("handle", "must not be blank: it says which product a row is of")
    handle = written
    if not fits_an_address(written) or not written.isprintable():
        handle = slugify(written)
        row.note(columns.HANDLE, f"cannot stand in an address, so it became {handle[:60]}")
    try:
        require_handle(handle)
    except InvalidValueError:
        rule = f"must be a slug such as blue-shirt, of at most {MAX_NAME_LENGTH} characters"
        raise InvalidValueError("handle", rule) from None
    return handle

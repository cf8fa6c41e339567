"""The handle of a row: the product that it belongs to."""

from __future__ import annotations

from quickshop.adapters.shopify import columns
from quickshop.adapters.shopify.rows import Row
from quickshop.domain.catalog import slugify
from quickshop.domain.catalog_rules import fits_an_address, require_handle
from quickshop.domain.errors import InvalidValueError
from quickshop.domain.values import MAX_NAME_LENGTH


def readable_handle(row: Row) -> str:
    """Return the handle of a row, converted to a slug if necessary; the row gets a note.

    Raises:
        InvalidValueError: the handle is blank, or cannot be converted to a slug.
    """
    written = row.cells.get(columns.HANDLE)
    if written is None:
        raise InvalidValueError("handle", "must not be blank: it identifies the product")
    handle = written
    if not fits_an_address(written) or not written.isprintable():
        handle = slugify(written)
        row.note(columns.HANDLE, f"is not valid in a web address; it was changed to {handle[:60]}")
    try:
        require_handle(handle)
    except InvalidValueError:
        rule = f"must be a slug such as blue-shirt, of at most {MAX_NAME_LENGTH} characters"
        raise InvalidValueError("handle", rule) from None
    return handle

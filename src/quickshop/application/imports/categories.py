"""The categories of an imported file."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from quickshop.domain.catalog import Category, CategoryId, slugify
from quickshop.domain.errors import InvalidValueError
from quickshop.domain.values import MAX_NAME_LENGTH
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.unit_of_work import Transaction


def get_or_create_category(
    tx: Transaction, path: Sequence[str], identifiers: Identifiers
) -> CategoryId | None:
    """Return the last category of a path from the root. Create the missing ones."""
    parent: Category | None = None
    for name in path:
        parent = _get_or_create_child(tx, parent, name, identifiers)
    return parent.id if parent else None


def _get_or_create_child(
    tx: Transaction, parent: Category | None, name: str, identifiers: Identifiers
) -> Category:
    parent_id = parent.id if parent else None
    for slug in _slugs(parent, name):
        new = Category(id=CategoryId(identifiers.new()), slug=slug, name=name, parent_id=parent_id)
        found = tx.categories.find(slug) or tx.categories.get_or_create(new)
        if found.parent_id == parent_id:
            return found
    raise InvalidValueError("category", "must differ more clearly from other categories")


def _slugs(parent: Category | None, name: str) -> tuple[str, ...]:
    """Return the slug of a category, and the one to use if another category has that."""
    above = f"{parent.slug}-" if parent else ""
    digest = sha256(f"{above}\0{name.casefold()}".encode()).hexdigest()[:8]
    plain = above + (slugify(name) or f"category-{digest}")
    distinct = f"{plain[: MAX_NAME_LENGTH - len(digest) - 1].rstrip('-')}-{digest}"
    return (plain, distinct) if len(plain) <= MAX_NAME_LENGTH else (distinct,)

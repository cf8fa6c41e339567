"""Putting the shelves of the catalog in order."""

from __future__ import annotations

from dataclasses import dataclass, replace

from quickshop.application.permissions import needs
from quickshop.application.retries import retried
from quickshop.domain.catalog import Category, CategoryId, slugify
from quickshop.domain.identity import Permission
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.unit_of_work import UnitOfWork


@needs(Permission.CATALOG_WRITE)
@dataclass(frozen=True, slots=True)
class CreateCategory:
    """Open a category, at the root or below another one."""

    unit_of_work: UnitOfWork
    identifiers: Identifiers

    @retried
    def __call__(
        self, name: str, *, slug: str | None = None, parent_id: CategoryId | None = None
    ) -> Category:
        """Its slug, made of the name unless one is given, stays as it is for good.

        Raises:
            InvalidValueError: no name, no slug, no such parent, or too deep.
            AlreadyExistsError: the slug is taken.
        """
        category = Category(
            id=CategoryId(self.identifiers.new()),
            slug=slugify(name) if slug is None else slug,
            name=name,
            parent_id=parent_id,
        )
        with self.unit_of_work() as tx:
            tx.categories.tree().require_room(category)
            tx.categories.add(category)
        return category


@needs(Permission.CATALOG_WRITE)
@dataclass(frozen=True, slots=True)
class RenameCategory:
    """Call a category by another name. Its slug stays, and with it what leads to it."""

    unit_of_work: UnitOfWork

    @retried
    def __call__(self, category_id: CategoryId, name: str) -> Category:
        """Safe to repeat.

        Raises:
            NotFoundError: no such category.
            InvalidValueError: it is no name.
        """
        with self.unit_of_work() as tx:
            category = replace(tx.categories.tree().get(category_id), name=name)
            tx.categories.save(category)
        return category


@needs(Permission.CATALOG_WRITE)
@dataclass(frozen=True, slots=True)
class MoveCategory:
    """Put a category, with all that is below it, below another one or at the root."""

    unit_of_work: UnitOfWork

    @retried
    def __call__(self, category_id: CategoryId, parent_id: CategoryId | None) -> Category:
        """Safe to repeat.

        Raises:
            NotFoundError: no such category.
            InvalidValueError: no such parent, below itself, or too deep.
        """
        with self.unit_of_work() as tx:
            tree = tx.categories.tree()
            category = replace(tree.get(category_id), parent_id=parent_id)
            tree.require_room(category)
            tx.categories.save(category)
        return category


@needs(Permission.CATALOG_WRITE)
@dataclass(frozen=True, slots=True)
class DeleteCategory:
    """Give up a category that nothing is in."""

    unit_of_work: UnitOfWork

    @retried
    def __call__(self, category_id: CategoryId) -> None:
        """Products that are not published count, too.

        Raises:
            NotFoundError: no such category.
            CategoryInUseError: products or categories are in it.
        """
        with self.unit_of_work() as tx:
            tx.categories.remove(tx.categories.tree().get(category_id).id)

"""Use cases for staff to manage categories."""

from __future__ import annotations

from dataclasses import dataclass, replace

from quickshop.application.permissions import needs
from quickshop.application.repeated_transactions import retried
from quickshop.domain.catalog import Category, CategoryId, slugify
from quickshop.domain.identity import Permission
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.unit_of_work import UnitOfWork


@needs(Permission.CATALOG_WRITE)
@dataclass(frozen=True, slots=True)
class CreateCategory:
    """Create a category, at the root or below another one."""

    unit_of_work: UnitOfWork
    identifiers: Identifiers

    @retried
    def __call__(
        self, name: str, *, slug: str | None = None, parent_id: CategoryId | None = None
    ) -> Category:
        """Create the category. The default slug is derived from the name; it never changes.

        Raises:
            InvalidValueError: name, slug or parent is invalid, or the tree would be too deep.
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
    """Rename a category. Its slug does not change, so links to it still work."""

    unit_of_work: UnitOfWork

    @retried
    def __call__(self, category_id: CategoryId, name: str) -> Category:
        """Rename the category. Safe to repeat.

        Raises:
            NotFoundError: no category has this id.
            InvalidValueError: the name is invalid.
        """
        with self.unit_of_work() as tx:
            category = replace(tx.categories.tree().get(category_id), name=name)
            tx.categories.save(category)
        return category


@needs(Permission.CATALOG_WRITE)
@dataclass(frozen=True, slots=True)
class MoveCategory:
    """Move a category and its subcategories below another one, or to the root."""

    unit_of_work: UnitOfWork

    @retried
    def __call__(self, category_id: CategoryId, parent_id: CategoryId | None) -> Category:
        """Move the category. Safe to repeat.

        Raises:
            NotFoundError: no category has this id.
            InvalidValueError: the parent does not exist or is below the category, or the tree
                would be too deep.
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
    """Delete an empty category."""

    unit_of_work: UnitOfWork

    @retried
    def __call__(self, category_id: CategoryId) -> None:
        """Delete the category. Unpublished products count as contents, too.

        Raises:
            NotFoundError: no category has this id.
            CategoryInUseError: the category has products or subcategories.
        """
        with self.unit_of_work() as tx:
            tx.categories.remove(tx.categories.tree().get(category_id).id)

"""Admin routes for categories."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from quickshop.application.catalog import (
    CreateCategory,
    DeleteCategory,
    MoveCategory,
    RenameCategory,
)
from quickshop.domain.catalog import CategoryId
from quickshop.entrypoints.http.admin.shared import staff_problems
from quickshop.entrypoints.http.dependencies import ShopDependency
from quickshop.entrypoints.http.edge.audience import open_to, staff
from quickshop.entrypoints.http.edge.guard import GuardedRoute
from quickshop.entrypoints.http.models import Id, Input, Line, Output, nothing, private
from quickshop.entrypoints.http.texts import SLUG

router = APIRouter(
    prefix="/v1/admin/categories", tags=["admin: catalog"], route_class=GuardedRoute
)


class AdminCategoryOut(Output):
    """A category without its subcategories."""

    id: UUID
    slug: str
    name: str
    parent_id: UUID | None


class NewCategoryIn(Input):
    """A new category."""

    name: Line
    slug: Annotated[
        Annotated[Line, SLUG] | None,
        Field(
            description="Default: derived from the name. Required if the name has neither Latin "
            "letters nor digits."
        ),
    ] = None
    parent_id: Id | None = None
    """Null for a root category."""


class CategoryNameIn(Input):
    """The new name of a category."""

    name: Line


class CategoryPlaceIn(Input):
    """The new parent of a category."""

    parent_id: Annotated[Id | None, Field(description="Null for the root.")]


@router.post(
    "",
    operation_id="create_category",
    status_code=201,
    response_model=AdminCategoryOut,
    responses=staff_problems(400, 409, 413, 415, 422),
)
@open_to(staff(CreateCategory))
def create_category(shop: ShopDependency, body: NewCategoryIn) -> Response:
    """Create a category. Its slug never changes."""
    parent_id = None if body.parent_id is None else CategoryId(body.parent_id)
    category = shop.products.create_category(body.name, slug=body.slug, parent_id=parent_id)
    return private(AdminCategoryOut.of(category), status=201)


@router.patch(
    "/{category_id}",
    operation_id="rename_category",
    response_model=AdminCategoryOut,
    responses=staff_problems(400, 404, 409, 413, 415, 422),
)
@open_to(staff(RenameCategory))
def rename_category(shop: ShopDependency, category_id: UUID, body: CategoryNameIn) -> Response:
    """Rename a category. Its slug does not change."""
    renamed = shop.products.rename_category(CategoryId(category_id), body.name)
    return private(AdminCategoryOut.of(renamed))


@router.post(
    "/{category_id}/move",
    operation_id="move_category",
    response_model=AdminCategoryOut,
    responses=staff_problems(400, 404, 409, 413, 415, 422),
)
@open_to(staff(MoveCategory))
def move_category(shop: ShopDependency, category_id: UUID, body: CategoryPlaceIn) -> Response:
    """Move a category and its subcategories below another one, or to the root."""
    parent_id = None if body.parent_id is None else CategoryId(body.parent_id)
    moved = shop.products.move_category(CategoryId(category_id), parent_id)
    return private(AdminCategoryOut.of(moved))


@router.delete(
    "/{category_id}",
    operation_id="delete_category",
    status_code=204,
    responses=staff_problems(404, 409, 413, 422),
)
@open_to(staff(DeleteCategory))
def delete_category(shop: ShopDependency, category_id: UUID) -> Response:
    """Delete a category without products and subcategories."""
    shop.products.delete_category(CategoryId(category_id))
    return nothing()

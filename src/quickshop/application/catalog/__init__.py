"""Use cases for the catalog."""

from quickshop.application.catalog.categories import (
    CreateCategory,
    DeleteCategory,
    MoveCategory,
    RenameCategory,
)
from quickshop.application.catalog.editing import (
    ChangedVariant,
    ChangePrice,
    Editing,
    PublishProduct,
    SetProductImages,
    UnpublishProduct,
    UpdateProduct,
)
from quickshop.application.catalog.products import CreateProduct
from quickshop.application.catalog.reading import (
    GetProduct,
    GetProductPage,
    InspectProduct,
    ListAllProducts,
    ListCategories,
    ListProducts,
)
from quickshop.domain.catalog import VariantContent as NewVariant

__all__ = [
    "ChangePrice",
    "ChangedVariant",
    "CreateCategory",
    "CreateProduct",
    "DeleteCategory",
    "Editing",
    "GetProduct",
    "GetProductPage",
    "InspectProduct",
    "ListAllProducts",
    "ListCategories",
    "ListProducts",
    "MoveCategory",
    "NewVariant",
    "PublishProduct",
    "RenameCategory",
    "SetProductImages",
    "UnpublishProduct",
    "UpdateProduct",
]

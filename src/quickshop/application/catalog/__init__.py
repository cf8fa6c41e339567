"""Use cases about the catalog."""

from quickshop.application.catalog.categories import (
    CreateCategory,
    DeleteCategory,
    MoveCategory,
    RenameCategory,
)
from quickshop.application.catalog.editing import (
    KEEP,
    ChangedVariant,
    ChangePrice,
    Editing,
    PublishProduct,
    SetProductImages,
    UnpublishProduct,
    UpdateProduct,
)
from quickshop.application.catalog.products import CreateProduct, NewVariant
from quickshop.application.catalog.reading import (
    GetProduct,
    GetProductPage,
    InspectProduct,
    ListAllProducts,
    ListCategories,
    ListProducts,
)

__all__ = [
    "KEEP",
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

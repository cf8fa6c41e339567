"""The use case that creates products, and checks shared with editing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Unpack

from quickshop.application.permissions import needs
from quickshop.application.repeated_transactions import retried
from quickshop.domain.catalog import (
    CategoryId,
    Product,
    ProductContent,
    ProductDetails,
    ProductId,
    Variant,
    VariantContent,
    VariantId,
    gallery,
    slugify,
)
from quickshop.domain.errors import InvalidValueError
from quickshop.domain.identity import Permission
from quickshop.domain.money import Money
from quickshop.ports.clock import Clock
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.rich_text import HtmlSanitizer
from quickshop.ports.unit_of_work import Transaction, UnitOfWork


@needs(Permission.CATALOG_WRITE)
@dataclass(frozen=True, slots=True)
class CreateProduct:
    """Create a product. It has no stock yet; use `ReceiveStock`."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers
    sanitize: HtmlSanitizer
    currency: str

    @retried
    def __call__(
        self, *, title: str, variants: Sequence[VariantContent], **details: Unpack[ProductDetails]
    ) -> Product:
        """Create the product. Unsafe markup in the description is removed; images are https URLs.

        With `option_names=("Size", "Color")`, each variant lists its values in that order:
        `options=("M", "Blue")`. Prices are in the currency of the shop. The default `handle` is
        derived from the title.

        Raises:
            InvalidValueError: a value is invalid; the error names its field.
            AlreadyExistsError: the handle or a SKU is taken.
        """
        given = prepared(details, self.sanitize)
        given.setdefault("handle", slugify(title))
        _require_currency(variants, self.currency)
        new = Product(
            id=ProductId(self.identifiers.new()),
            content=ProductContent(title=title, **given),
            variants=tuple(
                variant_of(content, VariantId(self.identifiers.new()), place)
                for place, content in enumerate(variants)
            ),
        )
        with self.unit_of_work() as tx:
            require_category(tx, new.content.category_id)
            product = Product.create(new, now=self.clock.now())
            tx.products.add(product)
        return product


def prepared(details: ProductDetails, sanitize: HtmlSanitizer) -> dict[str, Any]:
    """Convert the given details to fields of `ProductContent`.

    Raises:
        InvalidValueError: a single text instead of a sequence, or invalid images.
    """
    given: dict[str, Any] = {name: value for name, value in details.items() if value is not None}
    for name in ("tags", "option_names"):
        if name in given:
            given[name] = _texts(name, given[name])
    if "description_html" in given:
        given["description_html"] = sanitize(given["description_html"])
    if "images" in given:
        given["images"] = gallery(given["images"])
    if "metadata" in given:
        given["metadata"] = dict(given["metadata"])
    return given


def _texts(field: str, texts: Sequence[str]) -> tuple[str, ...]:
    if isinstance(texts, str):  # a string is a sequence of its letters
        raise InvalidValueError(field, "must be a list of texts, not a single text")
    return tuple(texts)


def variant_of(content: VariantContent, variant_id: VariantId, place: int) -> Variant:
    """Return the variant with this id and content, given at index `place` of a list.

    Raises:
        InvalidValueError: a value is invalid; the error's field starts with `variants.{place}`.
    """
    try:
        return Variant(variant_id, replace(content, options=tuple(content.options)))
    except InvalidValueError as error:
        raise InvalidValueError(f"variants.{place}.{error.field}", error.rule) from None


def _require_currency(variants: Sequence[VariantContent], currency: str) -> None:
    """Require the shop's currency in all prices. Carts have only that one, and it cannot change.

    Raises:
        InvalidValueError: a price is in another currency; the error names the first.
    """
    for place, content in enumerate(variants):
        for name in (each.name for each in fields(content)):
            value = getattr(content, name)
            if isinstance(value, Money) and value.currency != currency:
                raise InvalidValueError(
                    f"variants.{place}.{name}.currency",
                    f"must be {currency}, the currency of this shop",
                )


def require_category(tx: Transaction, category_id: CategoryId | None) -> None:
    """Require that the category exists.

    Raises:
        InvalidValueError: no category has this id.
    """
    if category_id is not None and not tx.categories.exists(category_id):
        raise InvalidValueError("category_id", "must be the id of a category")

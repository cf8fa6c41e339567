"""Adding products to the catalog."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Unpack

from quickshop.application.permissions import needs
from quickshop.application.retries import retried
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
    """Add a product to the catalog. Its stock starts empty: receive some."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers
    sanitize: HtmlSanitizer
    currency: str

    @retried
    def __call__(
        self, *, title: str, variants: Sequence[VariantContent], **details: Unpack[ProductDetails]
    ) -> Product:
        """Markup in the description that could do harm is dropped; images are https URLs.

        With `option_names=("Size", "Color")` each variant gives its values in that order, as
        `options=("M", "Blue")`. Prices are in the currency of the shop, as its carts are. Without
        a `handle` the title makes one.

        Raises:
            InvalidValueError: something is not as it should be; says what.
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
    """Return the details that are given, as `ProductContent` holds them.

    Raises:
        InvalidValueError: one text where several belong, or images that cannot be shown.
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
    if isinstance(texts, str):  # it would be taken for its letters
        raise InvalidValueError(field, "must be several texts, not one")
    return tuple(texts)


def variant_of(content: VariantContent, variant_id: VariantId, place: int) -> Variant:
    """The variant of this content, under this id.

    Raises:
        InvalidValueError: something is not as it should be in what was given in this place.
    """
    try:
        return Variant(variant_id, replace(content, options=tuple(content.options)))
    except InvalidValueError as error:
        raise InvalidValueError(f"variants.{place}.{error.field}", error.rule) from None


def _require_currency(variants: Sequence[VariantContent], currency: str) -> None:
    """Refuse prices that no cart could hold: the product could neither be bought nor repriced.

    Raises:
        InvalidValueError: with the first price that is in another currency.
    """
    for place, content in enumerate(variants):
        for name in (each.name for each in fields(content)):
            value = getattr(content, name)
            if isinstance(value, Money) and value.currency != currency:
                raise InvalidValueError(
                    f"variants.{place}.{name}.currency",
                    f"must be {currency}, as all prices of this shop are",
                )


def require_category(tx: Transaction, category_id: CategoryId | None) -> None:
    """Refuse a category that is not there.

    Raises:
        InvalidValueError: there is none of this id.
    """
    if category_id is not None and not tx.categories.exists(category_id):
        raise InvalidValueError("category_id", "must be the id of a category")

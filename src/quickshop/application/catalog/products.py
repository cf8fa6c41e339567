"""Adding products to the catalog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quickshop.application.permissions import needs
from quickshop.application.retries import retried
from quickshop.domain.catalog import (
    CategoryId,
    Image,
    Product,
    ProductId,
    Variant,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVariant:
    """A variant to be created; one value in `options` per option name of its product."""

    sku: str
    price: Money
    options: tuple[str, ...] = ()
    compare_at_price: Money | None = None
    weight_grams: int = 0
    barcode: str | None = None
    requires_shipping: bool = True
    taxable: bool = True


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
        self,
        *,
        title: str,
        variants: Sequence[NewVariant],
        handle: str | None = None,
        description_html: str = "",
        vendor: str = "",
        product_type: str = "",
        category_id: CategoryId | None = None,
        tags: Sequence[str] = (),
        option_names: Sequence[str] = (),
        images: Sequence[Image] = (),
        published: bool = True,
        metadata: Mapping[str, str] | None = None,
    ) -> Product:
        """Markup in the description that could do harm is dropped; images are https URLs.

        With `option_names=("Size", "Color")` each variant gives its values in that order, as
        `options=("M", "Blue")`. Prices are in the currency of the shop, as its carts are.

        Raises:
            InvalidValueError: something is not as it should be; says what.
            AlreadyExistsError: the handle or a SKU is taken.
        """
        require_texts(tags=tags, option_names=option_names)
        _require_currency(variants, self.currency)
        content = Product(
            id=ProductId(self.identifiers.new()),
            handle=handle if handle is not None else slugify(title),
            title=title,
            variants=tuple(
                variant_of(new, VariantId(self.identifiers.new()), place)
                for place, new in enumerate(variants)
            ),
            description_html=self.sanitize(description_html),
            vendor=vendor,
            product_type=product_type,
            category_id=category_id,
            tags=tuple(tags),
            option_names=tuple(option_names),
            images=gallery(images),
            published=published,
            metadata=metadata or {},
        )
        with self.unit_of_work() as tx:
            require_category(tx, category_id)
            product = Product.create(content, now=self.clock.now())
            tx.products.add(product)
        return product


def variant_of(new: NewVariant, variant_id: VariantId, place: int) -> Variant:
    """The variant of this content, under this id.

    Raises:
        InvalidValueError: something is not as it should be in what was given in this place.
    """
    try:
        return Variant(
            id=variant_id,
            sku=new.sku,
            price=new.price,
            options=tuple(new.options),
            compare_at_price=new.compare_at_price,
            weight_grams=new.weight_grams,
            barcode=new.barcode,
            requires_shipping=new.requires_shipping,
            taxable=new.taxable,
        )
    except InvalidValueError as error:
        raise InvalidValueError(f"variants.{place}.{error.field}", error.rule) from None


def _require_currency(variants: Sequence[NewVariant], currency: str) -> None:
    """Refuse prices that no cart could hold: nobody could buy the product, nor ever mend it.

    Raises:
        InvalidValueError: with the first price that is in another currency.
    """
    for number, variant in enumerate(variants):
        for name in ("price", "compare_at_price"):
            price: Money | None = getattr(variant, name)
            if price is not None and price.currency != currency:
                raise InvalidValueError(
                    f"variants.{number}.{name}.currency",
                    f"must be {currency}, as all prices of this shop are",
                )


def require_texts(**fields: Sequence[str] | None) -> None:
    """Refuse one text where several belong: it would be taken for its letters.

    Raises:
        InvalidValueError: with the field that is wrong.
    """
    for field, names in fields.items():
        if isinstance(names, str):
            raise InvalidValueError(field, "must be several texts, not one")


def require_category(tx: Transaction, category_id: CategoryId | None) -> None:
    """Refuse a category that is not there.

    Raises:
        InvalidValueError: there is none of this id.
    """
    if category_id is not None and not tx.categories.exists(category_id):
        raise InvalidValueError("category_id", "must be the id of a category")

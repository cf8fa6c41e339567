"""The contract of catalog readers for unpublished products."""

from __future__ import annotations

import pytest

from quickshop.domain.errors import NotFoundError
from quickshop.ports.catalog import ProductQuery, ProductSort
from tests.builders import a_product, a_variant, eur, new_id, store_product
from tests.contracts.backend import Backend
from tests.contracts.catalog_reader import titles, walk


class UnpublishedProductsContract:
    def test_an_unpublished_product_is_not_shown(self, backend: Backend) -> None:
        hidden = store_product(backend.unit_of_work, a_product(published=False))
        for key in (hidden.handle, str(hidden.id)):
            with pytest.raises(NotFoundError):
                backend.product_reader.get(key)
            with pytest.raises(NotFoundError):
                backend.product_reader.etag(key)
        assert titles(backend) == []

    def test_those_who_ask_for_it_see_an_unpublished_product(self, backend: Backend) -> None:
        hidden = store_product(backend.unit_of_work, a_product(published=False))
        for key in (hidden.handle, str(hidden.id)):
            view = backend.product_reader.get(key, unpublished=True)
            assert (view.id, view.content.published, view.version) == (hidden.id, False, 1)

    def test_those_who_ask_for_it_see_a_published_product_as_everybody_does(
        self, backend: Backend
    ) -> None:
        shown = store_product(backend.unit_of_work)
        everybodys = backend.product_reader.get(shown.handle)
        assert backend.product_reader.get(shown.handle, unpublished=True) == everybodys
        assert everybodys.content.published

    def test_nobody_sees_a_product_that_is_not_there(self, backend: Backend) -> None:
        with pytest.raises(NotFoundError):
            backend.product_reader.get(str(new_id()), unpublished=True)

    @pytest.mark.parametrize("sort", [ProductSort.NEWEST, ProductSort.PRICE, ProductSort.TITLE])
    def test_products_are_listed_by_whether_they_are_published(
        self, backend: Backend, sort: ProductSort
    ) -> None:
        for n in range(3):
            product = a_product(a_variant(price=eur(n)), title=f"Bell {n}", published=bool(n % 2))
            store_product(backend.unit_of_work, product)
        for published, found in (
            (True, {"Bell 1"}),
            (False, {"Bell 0", "Bell 2"}),
            (None, {"Bell 0", "Bell 1", "Bell 2"}),
        ):
            query = ProductQuery(text="bell", published=published, sort=sort, limit=1)
            listed = [view.title for view in walk(backend, query)]
            assert set(listed) == found
            assert len(listed) == len(found)

"""The contract of caches of product pages."""

from __future__ import annotations

from quickshop.ports.cache import CachedPage, ProductCache

OLD = CachedPage("etag-1", b'{"price": 1}')
NEW = CachedPage("etag-2", '{"title": "Crème 🚲"}'.encode())


class ProductCacheContract:
    """Needs a fixture `product_cache`: one that is empty."""

    def test_an_empty_cache_knows_nothing(self, product_cache: ProductCache) -> None:
        assert product_cache.current("bike") is None
        assert product_cache.page("bike", "etag-1") is None

    def test_a_page_just_rendered_is_the_current_one(self, product_cache: ProductCache) -> None:
        product_cache.put("bike", NEW)
        assert product_cache.current("bike") == NEW
        assert product_cache.page("bike", NEW.etag) == NEW
        assert product_cache.current("bell") is None

    def test_a_page_of_another_state_is_not_shown(self, product_cache: ProductCache) -> None:
        product_cache.put("bike", OLD)
        assert product_cache.page("bike", NEW.etag) is None

    def test_a_newer_page_takes_the_place_of_the_older(self, product_cache: ProductCache) -> None:
        product_cache.put("bike", OLD)
        product_cache.put("bike", NEW)
        assert product_cache.current("bike") == NEW

    def test_after_forgetting_the_database_is_asked_which_page_is_current(
        self, product_cache: ProductCache
    ) -> None:
        for key in ("bike", "bell", "horn"):
            product_cache.put(key, OLD)
        product_cache.forget("bike", "bell", "never seen")
        assert product_cache.current("bike") is None
        assert product_cache.current("bell") is None
        assert product_cache.current("horn") == OLD

    def test_a_page_found_by_its_etag_is_current_again(self, product_cache: ProductCache) -> None:
        product_cache.put("bike", OLD)
        product_cache.forget("bike")
        if product_cache.page("bike", OLD.etag) is not None:
            assert product_cache.current("bike") == OLD

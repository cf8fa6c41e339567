"""Staff who work side by side, and beside shoppers, get in nobody's way."""

from __future__ import annotations

from contextlib import suppress
from io import BytesIO

import pytest

from quickshop.domain.catalog import CategoryId, ProductId
from quickshop.domain.errors import TransientError
from quickshop.domain.imports import ImportId, ImportRequested, ImportStatus
from quickshop.ports.jobs import Job, JobId
from quickshop.shop import Shop
from tests.builders import NOW, new_id
from tests.integration.crossing import Crossing, Scene, checks_out
from tests.integration.stepping import Story

pytestmark = pytest.mark.sampled


def moves_units(sku: str, units: int, there: str, back: str = "main") -> Story:
    def story(shop: Shop) -> str:
        shop.inventory.transfer(sku, units, from_location=back, to_location=there)
        return "moved"

    return story


def test_units_that_are_moved_are_sold_once(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        sku = made.sells(3)
        return checks_out(made.cart(sku, quantity=3)), moves_units(sku, 2, "attic")

    crossing.both_ways(scene, {("placed", "moved"), ("placed", "out_of_stock")})


def test_units_that_go_both_ways_never_wait_for_each_other(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        sku = made.sells(2, attic=2)
        return moves_units(sku, 2, "attic"), moves_units(sku, 2, "main", "attic")

    crossing.one_way(scene, {("moved", "moved")})


def test_of_two_who_move_the_same_units_one_does(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        sku = made.sells(3)
        return moves_units(sku, 2, "cellar"), moves_units(sku, 2, "cellar")

    crossing.one_way(scene, {("moved", "out_of_stock"), ("out_of_stock", "moved")})


def a_category(made: Scene) -> CategoryId:
    return made.shops.free.products.create_category("StoredLevel", slug=f"shelf-{new_id()}").id


def test_two_shelves_are_not_put_upon_each_other(crossing: Crossing) -> None:
    def puts(one: CategoryId, other: CategoryId) -> Story:
        return lambda shop: shop.products.move_category(one, other) and "moved"

    def scene(made: Scene) -> tuple[Story, Story]:
        one, other = a_category(made), a_category(made)
        return puts(one, other), puts(other, one)

    crossing.one_way(scene, {("moved", "invalid_value"), ("invalid_value", "moved")})


def test_nothing_is_put_on_a_shelf_that_goes(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        shelf, sku = a_category(made), made.sells(1)
        [level] = made.shops.free.inventory.list(sku=sku).items
        assert level.sku == sku
        [product] = made.shops.free.products.list_all().items[:1]

        def put(shop: Shop) -> str:
            shop.products.update(ProductId(product.id), category_id=shelf)
            return "put"

        def give_up(shop: Shop) -> str:
            shop.products.delete_category(shelf)
            return "gone"

        return put, give_up

    crossing.both_ways(scene, {("put", "category_in_use"), ("invalid_value", "gone")})


def test_two_editors_who_looked_at_one_state_do_not_both_change_it(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        made.sells(1)
        [product] = made.shops.free.products.list_all().items[:1]

        def edits(title: str) -> Story:
            def story(shop: Shop) -> str:
                version = product.version
                shop.products.update(product.id, title=title, version=version)
                return "changed"

            return story

        return edits("one"), edits("other")

    crossing.one_way(scene, {("changed", "conflict"), ("conflict", "changed")})


def test_two_workers_at_one_file_count_every_row_once(crossing: Crossing) -> None:
    started: list[ImportId] = []

    def works(import_id: ImportId) -> Story:
        event = ImportRequested(import_id=import_id, occurred_at=NOW)
        job = Job(
            id=JobId(new_id()), event_id=new_id(), effect="run_import", event=event, attempts=1
        )

        def story(shop: Shop) -> str:
            with suppress(TransientError):  # overtaken: it looks again later
                shop.jobs.run.handlers["run_import"](job)
            view = shop.imports.get(import_id)
            assert view.counts.created <= 1
            return "worked"

        return story

    def scene(made: Scene) -> tuple[Story, Story]:
        name = f"thing-{new_id()}"
        rows = f"Handle,Title,Variant SKU,Variant Price\n{name},Thing,{name},3\n"
        shop = made.shops.free
        started.append(shop.imports.start(BytesIO(rows.encode())).value.id)
        return works(started[-1]), works(started[-1])

    crossing.one_way(scene, {("worked", "worked")})
    for import_id in started:
        done = crossing.shops.free.imports.get(import_id)
        assert (done.status, done.counts.created, done.counts.rows_done) == (
            ImportStatus.DONE,
            1,
            1,
        )
        assert (done.counts.updated, done.counts.unchanged) == (0, 0)

"""The contract of repositories of fulfillments."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from quickshop.domain.errors import ConflictError
from quickshop.domain.fulfillment import Fulfillment, FulfillmentId, FulfillmentLine, Tracking
from quickshop.domain.inventory import LocationId
from quickshop.domain.orders import Order, OrderId
from quickshop.ports.fulfillment import FulfillmentView, ShippedItem
from quickshop.ports.orders import OrderQuery
from tests.builders import (
    AWKWARD,
    NOW,
    a_rich_product,
    new_id,
    paid,
    stock_up,
    store_order,
    store_product,
)
from tests.contracts.backend import Backend

TRACKING = Tracking(
    carrier=AWKWARD, number=f"№ {AWKWARD}", url="https://snail.example/track?id=1&lang=en"
)


def a_parcel(order: Order, *places: LocationId, number: int = 1, **more: Any) -> Fulfillment:
    """A parcel with one unit of every line from each of these places."""
    given: dict[str, Any] = {
        "id": FulfillmentId(new_id()),
        "order_id": order.id,
        "number": number,
        "lines": tuple(
            FulfillmentLine(order_line_id=line.id, sku=line.sku, location_id=place, quantity=1)
            for line in order.lines
            for place in places
        ),
        "tracking": TRACKING,
        "shipped_at": NOW + timedelta(hours=number),
    }
    return Fulfillment(**(given | more))


def ship(backend: Backend, order: Order, *parcels: Fulfillment, whole: bool = False) -> None:
    """Store parcels, and that their order shipped."""
    with backend.unit_of_work() as tx:
        shipped = tx.orders.get(order.id)
        for parcel in parcels:
            shipped.ship(parcel.id, whole=whole, carrier="", tracking_number="", now=NOW)
            tx.fulfillments.add(parcel)
        tx.orders.save(shipped)


class FulfillmentRepositoryContract:
    @pytest.fixture
    def order(self, backend: Backend) -> Order:
        """A paid order of two variants."""
        return store_order(backend.unit_of_work, quantity=4, after=paid)

    @pytest.fixture
    def places(self, backend: Backend) -> tuple[LocationId, LocationId]:
        """Two places that have stock."""
        product = store_product(backend.unit_of_work, a_rich_product(handle="in-two-places"))
        variant = product.variants[0]
        return (
            stock_up(backend.unit_of_work, variant, 1, location="main").location_id,
            stock_up(backend.unit_of_work, variant, 1, location="cellar").location_id,
        )

    def test_parcels_come_back_as_they_were_stored(
        self, backend: Backend, order: Order, places: tuple[LocationId, LocationId]
    ) -> None:
        first = a_parcel(order, *places)
        second = a_parcel(order, places[1], number=2, tracking=Tracking())
        with backend.unit_of_work() as tx:
            tx.fulfillments.add(second)
            tx.fulfillments.add(first)
        with backend.unit_of_work() as tx:
            assert list(tx.fulfillments.of_order(order.id)) == [first, second]

    def test_an_order_has_its_own_parcels_only(
        self, backend: Backend, order: Order, places: tuple[LocationId, LocationId]
    ) -> None:
        ship(backend, order, a_parcel(order, *places))
        with backend.unit_of_work() as tx:
            assert not tx.fulfillments.of_order(OrderId(new_id()))

    def test_a_parcel_has_a_number_of_its_own(
        self, backend: Backend, order: Order, places: tuple[LocationId, LocationId]
    ) -> None:
        first = a_parcel(order, *places)
        ship(backend, order, first)
        with pytest.raises(ConflictError), backend.unit_of_work() as tx:
            tx.fulfillments.add(a_parcel(order, *places))
        with backend.unit_of_work() as tx:
            assert list(tx.fulfillments.of_order(order.id)) == [first]

    def test_parcels_fall_with_their_transaction(
        self, backend: Backend, order: Order, places: tuple[LocationId, LocationId]
    ) -> None:
        with pytest.raises(ZeroDivisionError), backend.unit_of_work() as tx:
            tx.fulfillments.add(a_parcel(order, *places))
            raise ZeroDivisionError
        with backend.unit_of_work() as tx:
            assert not tx.fulfillments.of_order(order.id)

    def test_everybody_sees_the_parcels_of_an_order(
        self, backend: Backend, order: Order, places: tuple[LocationId, LocationId]
    ) -> None:
        parcels = [a_parcel(order, *places), a_parcel(order, places[0], number=2)]
        ship(backend, order, *parcels)
        other = store_order(backend.unit_of_work, store_product(backend.unit_of_work))
        views = tuple(FulfillmentView.of(parcel) for parcel in parcels)
        reader = backend.order_reader
        assert reader.get(order.id).fulfillments == views
        own = reader.get_own(order.id, token_digest=order.token_digest)
        assert own.fulfillments == views
        found = reader.find_by_number(order.number)
        assert found is not None
        assert found.fulfillments == views
        listed = {view.id: view.fulfillments for view in reader.list(OrderQuery()).items}
        assert listed == {order.id: views, other.id: ()}

    def test_units_of_a_sku_are_told_in_one_sum(
        self, backend: Backend, order: Order, places: tuple[LocationId, LocationId]
    ) -> None:
        ship(backend, order, a_parcel(order, *places))
        (parcel,) = backend.order_reader.get(order.id).fulfillments
        assert parcel.lines == tuple(ShippedItem(line.sku, 2) for line in order.lines)

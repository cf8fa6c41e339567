"""Staff move stock, say why, and can have it reconciled."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quickshop import Money, NewVariant, Shop, open_shop
from quickshop.domain.errors import (
    CurrencyMismatchError,
    IdempotencyMismatchError,
    InvalidValueError,
    NotFoundError,
    OutOfStockError,
)


@pytest.fixture
def shop() -> Shop:
    shop = open_shop("memory://")
    shop.products.create(title="Mug", variants=[NewVariant(sku="MUG", price=Money(1250, "USD"))])
    return shop


def on_hand(shop: Shop) -> dict[str, int]:
    return {level.location: level.on_hand for level in shop.inventory.list(sku="MUG").items}


def spoil(shop: Shop, by: int) -> None:
    """Change a counter behind the ledger's back, as no path of the shop can."""
    store = shop.inventory.adjust.unit_of_work.store  # type: ignore[attr-defined]
    with store.change() as state:
        for variant_id, shelves in state.levels.items():
            for location_id, shelf in shelves.items():
                wrong = replace(
                    shelf, level=replace(shelf.level, on_hand=shelf.level.on_hand + by)
                )
                state.levels[variant_id] = {**shelves, location_id: wrong}


def test_stock_that_arrives_can_be_bought(shop: Shop) -> None:
    shop.inventory.receive("MUG", 5)
    shop.inventory.receive("MUG", 2)
    shop.inventory.receive("MUG", 3, location="attic")
    assert on_hand(shop) == {"main": 7, "attic": 3}
    assert shop.products.get("mug").variants[0].available == 10


@pytest.mark.parametrize("reason", ["", "\0", "a\nb", "\ud800", "a" * 201])
def test_what_arrives_does_so_for_a_reason_that_can_be_read(shop: Shop, reason: str) -> None:
    with pytest.raises(InvalidValueError):
        shop.inventory.receive("MUG", 1, reason=reason)
    assert on_hand(shop) == {}


@pytest.mark.parametrize("quantity", [0, -1, 2_000_000_000])
def test_only_a_sensible_number_of_units_arrives(shop: Shop, quantity: int) -> None:
    with pytest.raises(InvalidValueError):
        shop.inventory.receive("MUG", quantity)
    assert on_hand(shop) == {}


def test_stock_of_an_unknown_sku_is_not_found(shop: Shop) -> None:
    with pytest.raises(NotFoundError):
        shop.inventory.receive("CUP", 1)
    with pytest.raises(NotFoundError):
        shop.inventory.adjust("CUP", 1, reason="counted")


def test_a_delivery_changes_nothing_about_selling_on_credit(shop: Shop) -> None:
    shop.inventory.receive("MUG", 1, backorder_limit=5)
    shop.inventory.receive("MUG", 2)
    assert shop.inventory.list(sku="MUG").items[0].available == 8
    shop.inventory.receive("MUG", 1, backorder_limit=0)
    assert shop.inventory.list(sku="MUG").items[0].available == 4


def test_a_correction_moves_the_shelf_by_the_difference(shop: Shop) -> None:
    shop.inventory.receive("MUG", 5)
    shop.inventory.adjust("MUG", -2, reason="broken")
    shop.inventory.adjust("MUG", 1, reason="found behind the shelf")
    assert on_hand(shop) == {"main": 4}
    assert shop.inventory.reconcile() == []


@pytest.mark.parametrize(("quantity", "reason"), [(0, "counted"), (1, ""), (1, "a\nb")])
def test_a_correction_says_how_much_and_why(shop: Shop, quantity: int, reason: str) -> None:
    shop.inventory.receive("MUG", 5)
    with pytest.raises(InvalidValueError):
        shop.inventory.adjust("MUG", quantity, reason=reason)
    assert on_hand(shop) == {"main": 5}


def test_what_is_not_there_cannot_be_taken_away(shop: Shop) -> None:
    shop.inventory.receive("MUG", 5)
    with pytest.raises(OutOfStockError):
        shop.inventory.adjust("MUG", -6, reason="broken")
    with pytest.raises(NotFoundError):
        shop.inventory.adjust("MUG", 1, reason="counted", location="nowhere")
    assert on_hand(shop) == {"main": 5}


def test_a_count_brings_the_shelf_to_what_lies_there(shop: Shop) -> None:
    shop.inventory.receive("MUG", 5)
    assert shop.inventory.count("MUG", 7).value.quantity == 2
    assert shop.inventory.count("MUG", 0, reason="stolen").value.quantity == -7
    assert shop.inventory.count("MUG", 0).value.quantity == 0
    assert on_hand(shop) == {"main": 0}
    assert shop.inventory.reconcile() == []


def test_what_was_never_received_can_be_counted(shop: Shop) -> None:
    with pytest.raises(NotFoundError):
        shop.inventory.count("MUG", 4)
    shop.inventory.receive("MUG", 1, location="attic")
    shop.products.create(title="Cup", variants=[NewVariant(sku="CUP", price=Money(1, "USD"))])
    shop.inventory.count("CUP", 4, location="attic")
    assert [level.on_hand for level in shop.inventory.list(sku="CUP").items] == [4]


def test_a_count_covers_what_is_promised(shop: Shop) -> None:
    shop.inventory.receive("MUG", 5)
    new = shop.carts.create()
    shop.carts.add_line(new.cart.id, new.token, sku="MUG", quantity=3)
    shop.carts.hold(new.cart.id, new.token)
    with pytest.raises(OutOfStockError):
        shop.inventory.count("MUG", 2)
    shop.inventory.count("MUG", 3)
    assert on_hand(shop) == {"main": 3}


@pytest.mark.parametrize(
    ("counted", "reason"), [(-1, "counted"), (2_000_000_000, "counted"), (1, " ")]
)
def test_only_a_sensible_count_counts(shop: Shop, counted: int, reason: str) -> None:
    shop.inventory.receive("MUG", 5)
    with pytest.raises(InvalidValueError):
        shop.inventory.count("MUG", counted, reason=reason)
    assert on_hand(shop) == {"main": 5}


def test_what_staff_repeat_with_its_key_has_one_effect(shop: Shop) -> None:
    for _ in range(2):
        shop.inventory.receive("MUG", 5, idempotency_key="k")
        shop.inventory.adjust("MUG", -1, reason="broken", idempotency_key="k")
    assert on_hand(shop) == {"main": 4}
    first = shop.inventory.count("MUG", 3, idempotency_key="k")
    shop.inventory.receive("MUG", 1)
    again = shop.inventory.count("MUG", 3, idempotency_key="k")
    assert (first.replayed, again.replayed, again.value) == (False, True, first.value)
    assert on_hand(shop) == {"main": 4}
    for other in (
        lambda: shop.inventory.receive("MUG", 6, idempotency_key="k"),
        lambda: shop.inventory.adjust("MUG", -2, reason="broken", idempotency_key="k"),
        lambda: shop.inventory.count("MUG", 4, idempotency_key="k"),
    ):
        with pytest.raises(IdempotencyMismatchError):
            other()


def test_a_level_is_configured(shop: Shop) -> None:
    shop.inventory.receive("MUG", 1)
    shop.inventory.configure("MUG", backorder_limit=4)
    shop.inventory.configure("MUG", low_stock_threshold=2)
    (level,) = shop.inventory.list(sku="MUG").items
    assert (level.available, level.low_stock_threshold) == (5, 2)
    shop.inventory.adjust("MUG", -3, reason="sold elsewhere")
    with pytest.raises(InvalidValueError):
        shop.inventory.configure("MUG", backorder_limit=1)
    for wrong in (-1, 2_000_000_000):
        with pytest.raises(InvalidValueError):
            shop.inventory.configure("MUG", backorder_limit=wrong)
        with pytest.raises(InvalidValueError):
            shop.inventory.configure("MUG", low_stock_threshold=wrong)


def test_reconciling_tells_what_is_wrong_and_repairs_only_when_told_to(shop: Shop) -> None:
    shop.inventory.receive("MUG", 5)
    spoil(shop, by=3)
    found = shop.inventory.reconcile()
    assert [str(wrong) for wrong in found] == ["MUG at main: on_hand is 8, expected 5"]
    assert on_hand(shop) == {"main": 8}
    assert not all(finding.ok for finding in shop.check())
    assert shop.inventory.reconcile(repair=True) == found
    assert on_hand(shop) == {"main": 5}
    assert shop.inventory.reconcile() == []
    assert all(finding.ok for finding in shop.check())


def test_the_fullest_cart_of_the_dearest_things_still_adds_up(shop: Shop) -> None:
    new = shop.carts.create()
    for n in range(100):
        variant = NewVariant(sku=f"PLANET-{n}", price=Money(10**12, "USD"))
        shop.products.create(title=f"Planet {n}", variants=[variant])
        shop.carts.add_line(new.cart.id, new.token, sku=variant.sku, quantity=999)
    assert shop.carts.get(new.cart.id, new.token).total == Money(999 * 100 * 10**12, "USD")


@pytest.mark.parametrize("code", ["EUR", "ZZZ"])
def test_nothing_is_priced_in_what_no_cart_of_the_shop_holds(shop: Shop, code: str) -> None:
    right = NewVariant(sku="CUP", price=Money(1, "USD"))
    wrong = NewVariant(sku="POT", price=Money(1, code))
    with pytest.raises(InvalidValueError, match="must be USD") as refused:
        shop.products.create(title="Cup", variants=[right, wrong])
    assert refused.value.field == "variants.1.price.currency"
    assert [product.handle for product in shop.products.list_all().items] == ["mug"]


def test_a_price_stays_in_its_currency_so_that_carts_stay_readable(shop: Shop) -> None:
    new = shop.carts.create()
    shop.carts.add_line(new.cart.id, new.token, sku="MUG")
    with pytest.raises(CurrencyMismatchError):
        shop.products.change_price("MUG", Money(500, "JPY"))
    assert shop.carts.get(new.cart.id, new.token).total == Money(1250, "USD")


def test_nothing_is_counted_in_fractions(shop: Shop) -> None:
    new = shop.carts.create()
    with pytest.raises(InvalidValueError):
        Money(12.5, "USD")  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError):
        shop.inventory.receive("MUG", 1.5)  # type: ignore[arg-type]
    for wrong in (1.5, True, "2"):
        with pytest.raises(InvalidValueError):
            shop.carts.add_line(new.cart.id, new.token, sku="MUG", quantity=wrong)  # type: ignore[arg-type]


def test_units_go_from_one_place_to_another_and_all_are_still_there(shop: Shop) -> None:
    shop.inventory.receive("MUG", 5)
    answer = shop.inventory.transfer("MUG", 2, to_location="attic", reason="more room")
    assert on_hand(shop) == {"attic": 2, "main": 3}
    assert (answer.value.from_location, answer.value.to_location) == ("main", "attic")
    shop.inventory.transfer("MUG", 1, from_location="attic", to_location="main")
    assert on_hand(shop) == {"attic": 1, "main": 4}
    assert not shop.inventory.reconcile()
    assert [(place.name) for place in shop.inventory.locations()] == ["attic", "main"]


def test_what_goes_away_and_what_comes_stand_in_the_ledger_as_a_transfer(shop: Shop) -> None:
    shop.inventory.receive("MUG", 5)
    shop.inventory.transfer("MUG", 2, to_location="attic", reason="more room")
    store = shop.inventory.adjust.unit_of_work.store  # type: ignore[attr-defined]
    moves = [(move.kind, move.on_hand, move.reason) for move in store.state.ledger[1:]]
    assert moves == [("transferred", -2, "more room"), ("transferred", 2, "more room")]


def test_units_that_were_promised_or_are_not_there_stay_where_they_are(shop: Shop) -> None:
    shop.inventory.receive("MUG", 5, backorder_limit=10)
    cart = shop.carts.create()
    shop.carts.add_line(cart.cart.id, cart.token, sku="MUG", quantity=3)
    shop.carts.hold(cart.cart.id, cart.token)
    with pytest.raises(OutOfStockError) as refused:
        shop.inventory.transfer("MUG", 3, to_location="attic")
    assert (refused.value.requested, refused.value.available) == (3, 2)
    assert on_hand(shop) == {"main": 5}
    shop.inventory.transfer("MUG", 2, to_location="attic")
    assert on_hand(shop) == {"attic": 2, "main": 3}


def test_only_a_sensible_transfer_is_made(shop: Shop) -> None:
    shop.inventory.receive("MUG", 5)
    for quantity, to, reason in (
        (0, "attic", "x"),
        (-1, "attic", "x"),
        (1, "main", "x"),
        (1, "", "x"),
        (1, "attic", ""),
    ):
        with pytest.raises(InvalidValueError):
            shop.inventory.transfer("MUG", quantity, to_location=to, reason=reason)
    with pytest.raises(NotFoundError):
        shop.inventory.transfer("CUP", 1, to_location="attic")
    with pytest.raises(NotFoundError):
        shop.inventory.transfer("MUG", 1, from_location="attic", to_location="main")
    with pytest.raises(NotFoundError):
        shop.inventory.transfer("MUG", 1, from_location="cellar", to_location="attic")
    assert on_hand(shop) == {"main": 5}


def test_one_key_of_one_person_moves_units_once(shop: Shop) -> None:
    shop.inventory.receive("MUG", 5)
    for by, replayed in (("ada", False), ("ada", True), ("eve", False)):
        answer = shop.inventory.transfer("MUG", 1, to_location="attic", idempotency_key="k", by=by)
        assert answer.replayed is replayed
    with pytest.raises(IdempotencyMismatchError):
        shop.inventory.transfer("MUG", 2, to_location="attic", idempotency_key="k", by="ada")
    assert on_hand(shop) == {"attic": 2, "main": 3}

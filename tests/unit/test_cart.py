"""What a cart lets its shopper do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quickshop.domain.cart import (
    Cart,
    CartCompleted,
    CartCreated,
    CartLineId,
    CartLineRemoved,
    CartLineSet,
    CartStatus,
)
from quickshop.domain.errors import (
    CartStateError,
    CurrencyMismatchError,
    EmptyCartError,
    InvalidValueError,
    NotForSaleError,
    NotFoundError,
)
from quickshop.domain.money import Money
from tests.builders import (
    NOW,
    a_cart,
    a_cart_with,
    a_product,
    a_rich_product,
    a_variant,
    an_offer,
    eur,
    new_id,
)


def put(cart: Cart, quantity: int = 1, **changes: object) -> CartLineId:
    line_id = CartLineId(new_id())
    offer = replace(an_offer(a_product()), **changes)
    cart.add(offer, quantity, line_id=line_id, now=NOW)
    return line_id


def test_a_new_cart_is_empty() -> None:
    cart = a_cart()
    assert (cart.lines, cart.subtotal, cart.status) == ((), eur(0), CartStatus.OPEN)
    assert cart.collect_events() == [CartCreated(cart_id=cart.id, occurred_at=NOW)]


def test_lines_add_up() -> None:
    cart = a_cart()
    put(cart, 2, unit_price=eur(150))
    put(cart, 3, unit_price=eur(7))
    assert cart.subtotal == eur(321)


def test_a_variant_that_is_there_already_gets_more_units() -> None:
    offer = an_offer(a_product())
    cart = a_cart()
    first = CartLineId(new_id())
    cart.add(offer, 2, line_id=first, now=NOW)
    cart.add(offer, 3, line_id=CartLineId(new_id()), now=NOW)
    assert [(line.id, line.quantity) for line in cart.lines] == [(first, 5)]
    assert cart.collect_events()[1:] == [
        CartLineSet(cart_id=cart.id, line_id=first, quantity=2, occurred_at=NOW),
        CartLineSet(cart_id=cart.id, line_id=first, quantity=5, occurred_at=NOW),
    ]


def test_a_line_is_changed_and_removed() -> None:
    cart = a_cart()
    one, two = put(cart), put(cart)
    cart.change(one, 9, now=NOW)
    cart.remove(two, now=NOW)
    assert [(line.id, line.quantity) for line in cart.lines] == [(one, 9)]
    assert cart.collect_events()[-1] == CartLineRemoved(
        cart_id=cart.id, line_id=two, occurred_at=NOW
    )


def test_a_line_that_is_not_there_is_not_found() -> None:
    cart = a_cart_with(a_product())
    with pytest.raises(NotFoundError):
        cart.change(CartLineId(new_id()), 1, now=NOW)
    with pytest.raises(NotFoundError):
        cart.remove(CartLineId(new_id()), now=NOW)


@pytest.mark.parametrize("quantity", [-1, 0, 1000])
def test_a_line_holds_1_to_999_units(quantity: int) -> None:
    cart = a_cart_with(a_product())
    with pytest.raises(InvalidValueError):
        put(cart, quantity)
    with pytest.raises(InvalidValueError):
        cart.change(cart.lines[0].id, quantity, now=NOW)
    assert [line.quantity for line in cart.lines] == [1]


def test_units_of_one_variant_stay_below_1000_in_sum() -> None:
    offer = an_offer(a_product())
    cart = a_cart()
    cart.add(offer, 999, line_id=CartLineId(new_id()), now=NOW)
    with pytest.raises(InvalidValueError):
        cart.add(offer, 1, line_id=CartLineId(new_id()), now=NOW)


def test_a_cart_holds_100_lines() -> None:
    cart = a_cart()
    for _ in range(100):
        put(cart)
    with pytest.raises(InvalidValueError, match="100 per cart"):
        put(cart)
    with pytest.raises(InvalidValueError):
        replace(cart, lines=(*cart.lines, *a_cart_with(a_product()).lines))


def test_a_stored_cart_with_a_variant_twice_is_refused() -> None:
    cart = a_cart_with(a_product())
    with pytest.raises(InvalidValueError):
        replace(cart, lines=cart.lines * 2)


def test_only_what_is_sold_is_put_in_a_cart() -> None:
    with pytest.raises(NotForSaleError):
        put(a_cart(), published=False)
    with pytest.raises(CurrencyMismatchError):
        put(a_cart(), unit_price=Money(1, "USD"))


def test_a_completed_cart_no_longer_changes() -> None:
    cart = a_cart_with(a_rich_product())
    line_id = cart.lines[0].id
    cart.complete(now=NOW)
    assert cart.status is CartStatus.COMPLETED
    assert cart.collect_events()[-1] == CartCompleted(cart_id=cart.id, occurred_at=NOW)
    for change in (
        lambda: put(cart),
        lambda: cart.change(line_id, 2, now=NOW),
        lambda: cart.remove(line_id, now=NOW),
        lambda: cart.complete(now=NOW),
    ):
        with pytest.raises(CartStateError):
            change()
    assert not cart.has_unsaved_events


def test_an_empty_cart_cannot_be_completed() -> None:
    with pytest.raises(EmptyCartError):
        a_cart().complete(now=NOW)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"published": False}, NotForSaleError),
        ({"unit_price": Money(1, "USD")}, CurrencyMismatchError),
    ],
)
def test_what_changed_since_it_was_put_in_is_noticed_on_completion(
    changes: dict[str, object], error: type[Exception]
) -> None:
    cart = a_cart_with(a_product(a_variant()))
    offer = replace(cart.lines[0].offer, **changes)
    stored = replace(cart, lines=(replace(cart.lines[0], offer=offer),))
    with pytest.raises(error):
        stored.complete(now=NOW)
    assert stored.status is CartStatus.OPEN

"""Who may open a cart or an order is stated once, by the cart and the order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quickshop.domain.cart import Cart
from quickshop.domain.customers import CustomerId
from quickshop.domain.orders import Order
from tests.builders import a_cart_with, a_product, an_order, new_id

MINE, ANOTHERS = CustomerId(new_id()), CustomerId(new_id())

CART = a_cart_with(a_product())
THINGS = [CART, an_order(CART)]


@pytest.mark.parametrize("thing", THINGS, ids=["cart", "order"])
def test_a_guests_opens_to_each_shopper_with_its_secret(thing: Cart | Order) -> None:
    secret = thing.token_digest
    assert thing.opens_to(token_digest=secret, customer_id=None)
    assert thing.opens_to(token_digest=secret, customer_id=MINE)
    assert not thing.opens_to(token_digest="f" * 64, customer_id=None)
    assert not thing.opens_to(token_digest="", customer_id=MINE)


@pytest.mark.parametrize("thing", THINGS, ids=["cart", "order"])
def test_a_customers_opens_to_them_alone(thing: Cart | Order) -> None:
    mine = replace(thing, customer_id=MINE)
    assert mine.opens_to(token_digest="", customer_id=MINE)
    assert not mine.opens_to(token_digest="", customer_id=ANOTHERS)
    assert not mine.opens_to(token_digest=mine.token_digest, customer_id=None)
    assert not mine.opens_to(token_digest=mine.token_digest, customer_id=ANOTHERS)

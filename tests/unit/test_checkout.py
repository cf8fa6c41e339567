"""From a cart to an order."""

from __future__ import annotations

import pytest

from quickshop.domain.catalog import Product
from quickshop.domain.customers import Address
from quickshop.domain.errors import (
    CartStateError,
    CurrencyMismatchError,
    EmptyCartError,
    IdempotencyMismatchError,
    InvalidValueError,
    NotForSaleError,
    NotFoundError,
    OrderStateError,
    OutOfStockError,
    PriceChangedError,
)
from quickshop.domain.money import Money
from quickshop.domain.orders import OrderStatus
from quickshop.domain.payments import PaymentSource
from tests.builders import NOW, a_variant, an_address, eur, revised
from tests.scripted import World


@pytest.fixture
def world() -> World:
    return World()


def withdraw(world: World, product: Product) -> None:
    with world.unit_of_work() as tx:
        stored = tx.products.get(product.id)
        stored.revise(*revised(stored, published=False), now=NOW)
        tx.products.save(stored)


def orders_of(world: World) -> int:
    return len(world.shop.orders.list().items)


def test_placing_an_order_takes_its_stock_and_no_money_yet(world: World) -> None:
    product = world.sell(units=5)
    placed = world.order(product, quantity=3)
    assert placed.order.status is OrderStatus.PENDING
    assert placed.order.total == eur(3 * 1999)
    assert placed.order.email == "ada@example.com"
    assert not placed.replayed
    assert world.available(product) == 2
    assert world.gateway.captured == {}
    assert world.problems() == []


def test_the_background_work_takes_the_money_and_confirms(world: World) -> None:
    placed = world.order(quantity=2)
    assert world.run() == 2
    assert world.status(placed.order.id) is OrderStatus.PAID
    assert world.gateway.captured == {f"{placed.order.id}:1": placed.order.total}
    (mail,) = world.notifier.sent
    assert (mail.kind, mail.recipient) == ("order_confirmation", "ada@example.com")
    assert mail.order.status is OrderStatus.PAID
    assert world.timeline(placed.order.id) == ["OrderPlaced", "OrderPaid"]
    assert world.problems() == []


def test_the_token_of_an_order_opens_it_and_no_other_does(world: World) -> None:
    placed = world.order()
    assert world.shop.orders.open(placed.order.id, placed.token) == placed.order
    with pytest.raises(NotFoundError):
        world.shop.orders.open(placed.order.id, "another")
    assert list(world.shop.orders.list_own(placed.token).items) == [placed.order]


def test_a_bill_goes_where_the_parcel_goes_unless_told_otherwise(world: World) -> None:
    elsewhere = Address(name="A", line1="B", city="C", postal_code="D", country="DE")
    same = world.order()
    other = world.check_out(world.fill_cart(world.sell()), billing_address=elsewhere)
    assert same.order.billing_address == same.order.shipping_address == an_address()
    assert other.order.billing_address == elsewhere


def test_a_cart_becomes_one_order(world: World) -> None:
    cart = world.fill_cart(world.sell())
    world.check_out(cart)
    with pytest.raises(CartStateError):
        world.check_out(cart)
    with pytest.raises(CartStateError):
        world.shop.carts.add_line(cart.cart.id, cart.token, sku=world.sell().variants[0].sku)
    assert orders_of(world) == 1


def test_an_empty_cart_is_not_ordered(world: World) -> None:
    with pytest.raises(EmptyCartError):
        world.check_out(world.shop.carts.create())


def test_a_cart_is_ordered_only_with_its_token(world: World) -> None:
    cart = world.fill_cart(world.sell())
    with pytest.raises(NotFoundError):
        world.shop.orders.place(
            cart.cart.id,
            "another",
            email="ada@example.com",
            shipping_address=an_address(),
            payment=PaymentSource("tok_ok"),
        )


def test_what_is_no_longer_sold_is_not_ordered(world: World) -> None:
    product = world.sell()
    cart = world.fill_cart(product)
    withdraw(world, product)
    with pytest.raises(NotForSaleError):
        world.check_out(cart)
    assert orders_of(world) == 0


def test_an_order_for_more_than_there_is_changes_nothing(world: World) -> None:
    product = world.sell(units=2)
    cart = world.fill_cart(product, quantity=3)
    with pytest.raises(OutOfStockError) as caught:
        world.check_out(cart)
    assert (caught.value.requested, caught.value.available) == (3, 2)
    assert (orders_of(world), world.available(product), world.run()) == (0, 2, 0)
    (line,) = world.shop.carts.get(cart.cart.id, cart.token).lines
    world.shop.carts.change_line(cart.cart.id, cart.token, line.id, quantity=2)
    assert world.check_out(cart).order.total == eur(2 * 1999)


def test_the_last_unit_is_sold_once(world: World) -> None:
    product = world.sell(units=1)
    carts = [world.fill_cart(product) for _ in range(3)]
    world.check_out(carts[0])
    for cart in carts[1:]:
        with pytest.raises(OutOfStockError):
            world.check_out(cart)
    assert world.available(product) == 0
    assert world.problems() == []


def test_an_e_mail_address_that_is_none_is_refused(world: World) -> None:
    with pytest.raises(InvalidValueError):
        world.check_out(world.fill_cart(world.sell()), email="not an address")


def test_nothing_is_ordered_at_a_price_the_shopper_did_not_see(world: World) -> None:
    product = world.sell()
    cart = world.fill_cart(product)
    sku = product.variants[0].sku
    world.shop.products.change_price(sku, eur(2500))
    with pytest.raises(PriceChangedError) as caught:
        world.check_out(cart, expected_total=eur(1999))
    assert (caught.value.expected_minor, caught.value.actual_minor) == (1999, 2500)
    with pytest.raises(CurrencyMismatchError):
        world.check_out(cart, expected_total=Money(2500, "USD"))
    assert orders_of(world) == 0
    assert world.check_out(cart, expected_total=eur(2500)).order.total == eur(2500)


def test_an_order_keeps_the_price_it_was_placed_at(world: World) -> None:
    product = world.sell()
    placed = world.order(product)
    world.shop.products.change_price(product.variants[0].sku, eur(1))
    world.run()
    assert world.shop.orders.get(placed.order.id).total == eur(1999)
    assert list(world.gateway.captured.values()) == [eur(1999)]


def test_an_order_that_costs_nothing_needs_no_gateway(world: World) -> None:
    gift = world.sell(variants=(a_variant(price=eur(0)),))
    placed = world.order(gift)
    world.gateway.is_down = True
    world.run()
    assert world.status(placed.order.id) is OrderStatus.PAID
    world.shop.orders.cancel(placed.order.id)
    world.run()
    assert world.payments(placed.order.id)[0].refundable == eur(0)
    assert not world.problems()
    assert world.gateway.asked == []
    assert world.problems() == []


def test_a_repeated_request_gets_the_first_answer(world: World) -> None:
    product = world.sell()
    cart = world.fill_cart(product)
    first = world.check_out(cart, idempotency_key="k-1 🚲")
    again = world.check_out(cart, idempotency_key="k-1 🚲")
    assert again.replayed
    assert (again.order, again.token) == (first.order, first.token)
    assert (orders_of(world), world.available(product)) == (1, 9)


def test_a_key_is_for_one_request(world: World) -> None:
    cart = world.fill_cart(world.sell())
    world.check_out(cart, idempotency_key="k")
    with pytest.raises(IdempotencyMismatchError):
        world.check_out(cart, idempotency_key="k", email="grace@example.com")


def test_carts_do_not_share_their_keys(world: World) -> None:
    product = world.sell()
    for _ in range(2):
        assert not world.check_out(world.fill_cart(product), idempotency_key="k").replayed
    assert orders_of(world) == 2


def test_a_refused_request_leaves_its_key_free(world: World) -> None:
    product = world.sell(units=0)
    cart = world.fill_cart(product)
    with pytest.raises(OutOfStockError):
        world.check_out(cart, idempotency_key="k")
    world.shop.inventory.receive(product.variants[0].sku, 1)
    assert not world.check_out(cart, idempotency_key="k").replayed


def test_a_key_is_forgotten_after_a_day(world: World) -> None:
    cart = world.fill_cart(world.sell())
    world.check_out(cart, idempotency_key="k")
    world.run(days=2)
    with pytest.raises(CartStateError):
        world.check_out(cart, idempotency_key="k")


def test_a_declined_order_is_paid_another_way(world: World) -> None:
    product = world.sell()
    placed = world.order(product, quantity=4, token="tok_declined")
    world.run()
    assert world.available(product) == 10
    again = world.shop.orders.pay_again(
        placed.order.id, placed.token, payment=PaymentSource("tok_ok")
    )
    assert (again.order.status, again.token) == (OrderStatus.PENDING, placed.token)
    assert world.available(product) == 6
    world.run()
    assert world.status(placed.order.id) is OrderStatus.PAID
    assert world.gateway.captured == {f"{placed.order.id}:2": placed.order.total}
    assert world.mails() == ["payment_failed", "order_confirmation"]
    assert world.problems() == []


def test_what_was_sold_meanwhile_is_not_paid_again(world: World) -> None:
    product = world.sell(units=1)
    placed = world.order(product, token="tok_declined")
    world.run()
    world.order(product)
    with pytest.raises(OutOfStockError):
        world.shop.orders.pay_again(placed.order.id, placed.token, payment=PaymentSource("tok_ok"))
    assert world.status(placed.order.id) is OrderStatus.PAYMENT_FAILED
    assert len(world.payments(placed.order.id)) == 1
    world.run()
    assert world.problems() == []


@pytest.mark.parametrize("jobs_have_run", [False, True])
def test_only_an_order_whose_payment_failed_is_paid_again(
    world: World, *, jobs_have_run: bool
) -> None:
    placed = world.order()
    if jobs_have_run:
        world.run()
    with pytest.raises(OrderStateError):
        world.shop.orders.pay_again(placed.order.id, placed.token, payment=PaymentSource("tok_ok"))


def test_only_the_token_of_an_order_pays_it_again(world: World) -> None:
    placed = world.order(token="tok_declined")
    world.run()
    with pytest.raises(NotFoundError):
        world.shop.orders.pay_again(placed.order.id, "x", payment=PaymentSource("tok_ok"))


def test_paying_again_is_repeated_without_effect(world: World) -> None:
    placed = world.order(token="tok_declined")
    world.run()
    card = PaymentSource("tok_ok")
    answers = [
        world.shop.orders.pay_again(
            placed.order.id, placed.token, payment=card, idempotency_key="k"
        )
        for _ in range(2)
    ]
    assert [answer.replayed for answer in answers] == [False, True]
    assert [answer.token for answer in answers] == [placed.token] * 2
    assert answers[0].order == answers[1].order
    with pytest.raises(IdempotencyMismatchError):
        world.shop.orders.pay_again(
            placed.order.id,
            placed.token,
            payment=PaymentSource("tok_other"),
            idempotency_key="k",
        )
    world.run()
    assert [payment.attempt for payment in world.payments(placed.order.id)] == [1, 2]
    assert len(world.gateway.captured) == 1


def test_each_attempt_has_a_key_of_its_own(world: World) -> None:
    placed = world.order(token="tok_declined")
    world.run()
    for _ in range(2):
        world.shop.orders.pay_again(
            placed.order.id, placed.token, payment=PaymentSource("tok_declined")
        )
        world.run()
    assert world.gateway.asked == [f"{placed.order.id}:{n}" for n in (1, 2, 3)]
    assert world.status(placed.order.id) is OrderStatus.PAYMENT_FAILED

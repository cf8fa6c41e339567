"""A customer who leaves personal data everywhere, and then is erased."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from quickshop.application.shopper import Shopper
from quickshop.domain.customers import Address
from quickshop.domain.money import Money
from quickshop.domain.orders import OrderId
from quickshop.domain.payments import PaymentSource
from tests.people import PASSWORD, Person, Scene, mailed_secret, signed_in

EMAIL: Final = "zenobia.q@example.com"
ORDERED_TO: Final = "office.of.zenobia@example.org"
TO_BE: Final = "zenobia.new@example.net"
DEVICE: Final = "Zenobias Telephone"
PLACE: Final = "203.0.113.77"
HOME: Final = Address(
    name="Zenobia Quux",
    line1="Palmyra Colonnade 17",
    line2="Backyard of the Tetrapylon",
    city="Tadmur-on-Sea",
    region="Homs-Quuxshire",
    postal_code="QX99 1ZZ",
    country="GB",
    phone="+44 7700 900 912",
)
TRACES: Final = (
    *("zenobia", "quux", "palmyra", "tetrapylon", "tadmur", "qx99", "900 912", "telephone"),
    PLACE,
)
"""Texts that identify the customer, in lower case."""


def live(scene: Scene, sku: str) -> tuple[Person, OrderId]:
    """Sign in, order the SKU, which must be in stock, and leave personal data everywhere."""
    shop = scene.shop
    person = signed_in(scene, EMAIL)
    me = person.customer_id
    shop.accounts.log_in(email=EMAIL, password=PASSWORD, device=DEVICE, address=PLACE)
    shop.customers.update(me, name=HOME.name, phone=HOME.phone, marketing_consent=True)
    shop.customers.save_address(me, HOME)
    shop.customers.save_address(me, replace(HOME, city="Tadmur Heights"))

    guest = shop.carts.create()
    shop.carts.add_line(guest.cart.id, guest.token, sku=sku, quantity=2)
    cart = shop.carts.claim(guest.cart.id, guest.token, me)
    shopper = Shopper(customer_id=me)
    shop.carts.hold(cart.id, shopper, idempotency_key="hold")
    order = shop.orders.place(
        cart.id,
        shopper,
        email=ORDERED_TO,
        shipping_address=HOME,
        billing_address=replace(HOME, line1="Accounts of Zenobia"),
        payment=PaymentSource("tok_ok"),
        idempotency_key="place",
    ).order
    shop.run_jobs()
    left = shop.carts.create(customer_id=me)
    shop.carts.add_line(left.cart.id, shopper, sku=sku)

    shop.accounts.request_password_reset(email=EMAIL)
    shop.accounts.request_email_change(person.id, email=TO_BE, password=PASSWORD)
    shop.accounts.register(email=EMAIL, password="of a stranger", name="Zenobia again")
    shop.run_jobs()
    assert mailed_secret(scene, TO_BE)
    return person, order.id


def be_looked_after(scene: Scene, person: Person, order_id: OrderId, sku: str) -> None:
    """Have staff write about the customer in every place, and finish all open work."""
    shop = scene.shop
    gate = "account:of staff"
    shop.orders.fulfill(
        order_id,
        lines={sku: 1},
        carrier="Snail",
        tracking_number="QX99-ZENOBIA",
        tracking_url="https://snail.example/?to=palmyra",
        by=gate,
        idempotency_key="ship",
    )
    shop.orders.refund(
        order_id,
        amount=Money(100, shop.policy.currency),
        reason="Zenobia found a scratch",
        by=gate,
        idempotency_key="refund",
    )
    shop.orders.add_note(order_id, "Ms Quux lives behind the Tetrapylon")
    shopper = Shopper(customer_id=person.customer_id)
    cart = shop.carts.create(customer_id=person.customer_id).cart
    shop.carts.add_line(cart.id, shopper, sku=sku)
    regretted = shop.orders.place(
        cart.id,
        shopper,
        email=ORDERED_TO,
        shipping_address=HOME,
        payment=PaymentSource("tok_ok"),
    ).order
    shop.orders.cancel_own(
        regretted.id, shopper, reason="moving away from Palmyra", idempotency_key="regret"
    )
    shop.run_jobs()
    shop.orders.fulfill(order_id, by=gate, idempotency_key="the rest")
    shop.run_jobs()


def traces_in(text: str) -> list[str]:
    """Return the texts that are still stored."""
    return [trace for trace in TRACES if trace in text.lower()]

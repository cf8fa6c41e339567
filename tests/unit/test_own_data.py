"""What the shop knows of somebody: all of it is handed out, and all of it is forgotten."""

from __future__ import annotations

import json

import pytest

from quickshop.domain.customers import CustomerId
from quickshop.domain.errors import (
    AccountHasRolesError,
    IdempotencyInProgressError,
    InvalidCredentialsError,
    NotFoundError,
    NotSignedInError,
    OrdersInProgressError,
)
from quickshop.domain.money import Money
from tests.builders import an_address, facts, new_id
from tests.http_client import assert_problem, order_form, serve
from tests.life_story import EMAIL, HOME, ORDERED_TO, be_looked_after, live, traces_in
from tests.people import (
    PASSWORD,
    log_in,
    mailed_secret,
    mails_to,
    open_town,
    registered,
    signed_in,
)
from tests.scripted import World


@pytest.fixture
def world() -> World:
    return World()


def a_sku(world: World) -> str:
    return world.sell().variants[0].sku


def everything(world: World) -> str:
    return repr(world.unit_of_work.store.state)


def test_nobody_can_tell_who_it_was_once_they_are_forgotten(world: World) -> None:
    person, order_id = live(world, a_sku(world))
    assert len(traces_in(everything(world))) == 9
    before = world.shop.orders.get(order_id)
    with pytest.raises(OrdersInProgressError) as refused:
        world.shop.customers.erase_own(person.customer_id, password=PASSWORD)
    assert before.number in str(refused.value)
    assert len(traces_in(everything(world))) == 9
    world.shop.orders.fulfill(order_id)
    world.run()
    with pytest.raises(InvalidCredentialsError):
        world.shop.customers.erase_own(person.customer_id, password="wrong horse")
    world.shop.customers.erase_own(person.customer_id, password=PASSWORD)
    assert traces_in(everything(world)) == []
    world.run(days=1)

    order = world.shop.orders.get(order_id)
    assert (order.number, order.total) == (before.number, before.total)
    assert facts(order.lines[0]) == facts(before.lines[0])
    assert order.shipping_address.country == HOME.country
    assert order.shipping_address.city == order.billing_address.line1 == "-"
    assert order.customer_id == person.id
    view = world.shop.customers.get(person.customer_id)
    assert (view.status, view.name, view.phone) == ("erased", "", None)
    assert (list(view.addresses), list(view.consents), list(view.roles)) == ([], [], [])
    with pytest.raises(NotFoundError):
        world.shop.customers.erase(person.customer_id)
    assert world.problems() == []


def test_nothing_that_was_written_about_them_tells_who_it_was(world: World) -> None:
    sku = a_sku(world)
    person, order_id = live(world, sku)
    be_looked_after(world, person, order_id, sku)
    told = world.timeline(order_id)
    world.shop.customers.erase(person.customer_id)
    assert traces_in(everything(world)) == []

    parcel, rest = world.shop.orders.get(order_id).fulfillments
    assert (parcel.carrier, parcel.tracking_number, parcel.tracking_url) == ("Snail", "", "")
    assert rest.tracking_number == ""
    facts_told = {each.kind: each.facts for each in world.shop.orders.timeline(order_id)}
    assert world.timeline(order_id) == told
    assert facts_told["OrderNoted"] == {"note": "erased"}
    assert facts_told["OrderRefunded"]["reason"] == "erased"
    assert facts_told["OrderRefunded"]["amount_minor"] == "100"
    assert world.run(days=1) == 0
    assert world.problems() == []


def test_staff_who_repeat_a_request_after_that_send_nothing_back_twice(world: World) -> None:
    sku = a_sku(world)
    person, order_id = live(world, sku)
    be_looked_after(world, person, order_id, sku)
    world.shop.customers.erase(person.customer_id)
    with pytest.raises(IdempotencyInProgressError):
        world.shop.orders.refund(
            order_id,
            amount=Money(100, "EUR"),
            reason="Zenobia found a scratch",
            by="account:of staff",
            idempotency_key="refund",
        )
    world.run()
    assert [refund.minor for refund in world.gateway.refunded.values()].count(100) == 1


def test_a_job_that_was_given_up_on_forgets_them_and_can_still_be_replayed(world: World) -> None:
    person, order_id = live(world, a_sku(world))
    world.shop.orders.fulfill(order_id)
    world.run()
    world.notifier.is_down = True
    world.shop.orders.refund(
        order_id, amount=Money(1, "EUR"), reason="for Zenobia", idempotency_key="r"
    )
    for _ in range(20):
        world.run(hours=1)
    (dead,) = world.shop.jobs.dead().items
    world.notifier.is_down = False
    world.shop.customers.erase(person.customer_id)
    assert traces_in(everything(world)) == []
    written = len(world.notifier.sent)
    world.shop.jobs.replay(dead.id)
    world.run()
    assert list(world.shop.jobs.dead().items) == []
    assert len(world.notifier.sent) == written


def test_an_address_that_was_changed_is_forgotten_at_once(
    world: World,
) -> None:
    person = signed_in(world, EMAIL)
    world.shop.accounts.request_email_change(
        person.id, email="plain@example.com", password=PASSWORD
    )
    world.run()
    world.shop.accounts.confirm_email_change(mailed_secret(world, "plain@example.com"))
    world.run()
    assert mails_to(world, EMAIL)[-1].kind == "email_changed"
    world.shop.customers.erase(person.customer_id)
    assert traces_in(everything(world)) == []
    assert "plain@example.com" not in everything(world)


def test_who_is_forgotten_may_come_back_as_somebody_new(world: World) -> None:
    person = signed_in(world, EMAIL)
    world.shop.customers.erase(person.customer_id)
    with pytest.raises(InvalidCredentialsError):
        log_in(world, EMAIL)
    assert registered(world, EMAIL) != person.id


def test_whoever_works_here_stops_to_before_they_are_forgotten(world: World) -> None:
    signed_in(world, roles=("admin",))
    person = signed_in(world, EMAIL, roles=("support",))
    with pytest.raises(AccountHasRolesError):
        world.shop.customers.erase_own(person.customer_id, password=PASSWORD)
    world.shop.staff.revoke(person.id, "support")
    world.shop.customers.erase_own(person.customer_id, password=PASSWORD)


def test_what_is_asked_for_in_the_moment_after_is_not_written_down(world: World) -> None:
    person, order_id = live(world, a_sku(world))
    world.shop.orders.fulfill(order_id)
    world.run()
    with serve(world.shop, world.notifier) as web:
        cart = web.client.get("/v1/me/export", headers=person.headers).json()["carts"][0]["id"]
        world.shop.customers.erase(person.customer_id)
        headers = {**person.headers, "Idempotency-Key": "late"}
        answers = [
            web.client.patch("/v1/me", json={"name": HOME.name}, headers=headers),
            web.client.post(
                "/v1/me/addresses",
                json={"address": order_form()["shipping_address"]},
                headers=headers,
            ),
        ]
        late = web.client.post(f"/v1/carts/{cart}/checkout", json=order_form(), headers=headers)
    # Its session is still believed for a moment, as in a process that was not told.
    for answer in answers:
        assert_problem(answer, 404, "not_found")
    assert_problem(late, 401, "not_signed_in")
    assert traces_in(everything(world)) == []
    assert order_form()["email"] not in everything(world)


def test_a_profile_is_not_written_for_whoever_is_not_there(world: World) -> None:
    nobody = CustomerId(new_id())
    for attempt in (
        lambda: world.shop.customers.update(nobody, name="x"),
        lambda: world.shop.customers.save_address(nobody, an_address()),
        lambda: world.shop.customers.profile(nobody),
        lambda: world.shop.customers.export(nobody),
        lambda: world.shop.customers.erase(nobody),
    ):
        with pytest.raises(NotFoundError):
            attempt()


def test_people_take_with_them_all_that_is_known_of_them() -> None:
    with open_town() as town:
        person, order_id = live(town.web, a_sku(town.world))
        other = signed_in(town.web)
        answer = town.web.client.get("/v1/me/export", headers=person.headers)
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-disposition"].startswith("attachment")
        told = answer.json()
        customer = told["customer"]
        assert (customer["email"], customer["name"]) == (EMAIL, HOME.name)
        assert len(customer["addresses"]) == 2
        assert customer["consents"][0]["purpose"] == "marketing"
        assert [each["device"] for each in told["sessions"]].count("Zenobias Telephone") == 1
        assert [each["id"] for each in told["orders"]] == [str(order_id)]
        assert told["orders"][0]["email"] == ORDERED_TO
        assert len(told["carts"][0]["lines"]) == 1
        mailed = [(each["kind"], each["order_id"]) for each in told["messages"]]
        assert mailed == [("order_confirmation", str(order_id))]
        assert told["roles"] == []
        assert len(traces_in(answer.text)) == 9
        nothing = town.web.client.get("/v1/me/export", headers=other.headers)
        assert traces_in(nothing.text) == []
        assert json.loads(nothing.text)["orders"] == []


def test_what_they_take_with_them_is_cut_nowhere(world: World) -> None:
    person = signed_in(world, roles=("support",))
    carts = {world.shop.carts.create(customer_id=person.customer_id).cart.id for _ in range(101)}
    out = log_in(world, person.email, device="an old telephone")
    world.shop.accounts.end_session(person.id, out.session_id)
    world.shop.accounts.change_password(
        person.id, current=PASSWORD, new="another horse battery", keep=person.session_id
    )
    world.run()
    told = world.shop.customers.export(person.customer_id)
    assert {cart.id for cart in told.carts} == carts
    ended = {each.id for each in told.sessions if each.revoked_at is not None}
    assert ended >= {out.session_id}
    assert person.session_id not in ended
    assert list(told.customer.roles) == ["support"]
    assert [each.kind for each in told.messages] == ["password_changed"]


def test_a_guests_order_is_nobodys_to_have_forgotten(world: World) -> None:
    placed = world.order()
    person = signed_in(world, placed.order.email)
    world.shop.customers.erase(person.customer_id)
    assert world.shop.orders.get(placed.order.id).email == placed.order.email
    with pytest.raises(NotSignedInError):
        world.shop.accounts.refresh(person.refresh_token)

"""What an embedder's own code hands in is checked, also by `python -O`, which drops assertions."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from quickshop import NewVariant, Shop, open_shop
from quickshop.adapters.security.tokens import JwtAccessTokens
from quickshop.domain.catalog import VariantId
from quickshop.domain.errors import InvalidValueError, SourcingPlanError
from quickshop.domain.identity import MAX_ACCESS_TOKEN_SECONDS, KeyRing
from quickshop.domain.inventory import Demand, LocationId, StockLevel, plan_allocation
from quickshop.domain.money import Money
from quickshop.domain.orders import OrderId, OrderStatus
from quickshop.domain.payments import PaymentSource, PaymentStatus
from quickshop.ports.limits import Limit
from quickshop.ports.payments import Charge, ChargeState
from tests.builders import an_address, new_id
from tests.scripted import ScriptedGateway

PRICE, NOTHING = Money(1250, "USD"), Money.zero("USD")


class Says(ScriptedGateway):
    """A gateway that answers every charge with the same."""

    def __init__(self, answer: Charge) -> None:
        super().__init__(lambda: False)
        self._answer = answer

    def charge(
        self, amount: Money, source: PaymentSource, *, key: str, capture: bool = True
    ) -> Charge:
        del amount, source, key, capture
        return self._answer


_PROGRAM = """
from quickshop import Address, Money, NewVariant, PaymentSource, open_shop
from quickshop.domain.errors import SourcingPlanError

assert False, "assertions are on"

def plan_too_little(demands, levels, destination):
    return []

with open_shop("memory://", sourcing=plan_too_little) as shop:
    shop.products.create(title="Mug", variants=[NewVariant(sku="MUG", price=Money(1250, "USD"))])
    shop.inventory.receive("MUG", 3)
    cart = shop.carts.create()
    shop.carts.add_line(cart.cart.id, cart.token, sku="MUG", quantity=2)
    try:
        shop.orders.place(
            cart.cart.id,
            cart.token,
            email="ada@example.com",
            shipping_address=Address(
                name="Ada", line1="1 Market Square", city="Berlin", postal_code="10115",
                country="DE",
            ),
            payment=PaymentSource("tok_ok"),
        )
    except SourcingPlanError as error:
        print("refused:", error.code)
    shop.run_jobs()
    print("orders:", len(shop.orders.list().items))
    print("allocated:", [level.allocated for level in shop.inventory.list().items])
"""


def test_without_assertions_a_faulty_plan_places_no_order(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-O", "-W", "ignore", "-c", _PROGRAM],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    said = run.stdout.splitlines()
    assert said == ["refused: sourcing_plan", "orders: 0", "allocated: [0]"], run.stderr


def test_with_assertions_the_same_program_does_not_even_start() -> None:
    with pytest.raises(AssertionError, match="assertions are on"):
        exec(compile(_PROGRAM, "program", "exec"), {})


def order_a_mug(shop: Shop) -> OrderId:
    """Sell a mug; the payment follows."""
    shop.products.create(title="Mug", variants=[NewVariant(sku="MUG", price=PRICE)])
    shop.inventory.receive("MUG", 3)
    cart = shop.carts.create()
    shop.carts.add_line(cart.cart.id, cart.token, sku="MUG")
    placed = shop.orders.place(
        cart.cart.id,
        cart.token,
        email="ada@example.com",
        shipping_address=an_address(),
        payment=PaymentSource("tok_ok"),
    )
    return placed.order.id


@pytest.mark.parametrize(
    "charge",
    [
        Charge(reference="", state=ChargeState.CAPTURED, captured=PRICE),
        Charge(reference="ch_1", state=ChargeState.CAPTURED, captured=Money(1250, "EUR")),
        Charge(reference="ch_1", state=ChargeState.CAPTURED, captured=Money(1251, "USD")),
        Charge(reference="ch_1", state=ChargeState.CAPTURED, captured=Money(-1, "USD")),
        Charge(reference="ch_1", state=ChargeState.CAPTURED, captured=NOTHING),
        Charge(reference="ch_1", state=ChargeState.CAPTURED, captured=Money(1249, "USD")),
        Charge(reference="ch_1", state="lost", captured=NOTHING),  # type: ignore[arg-type]
        None,
    ],
)
def test_an_answer_of_a_gateway_that_cannot_be_is_not_recorded(
    charge: Charge, caplog: pytest.LogCaptureFixture
) -> None:
    with open_shop("memory://", payment_gateway=Says(charge)) as shop:
        order_id = order_a_mug(shop)
        shop.run_jobs()
        assert shop.orders.get(order_id).status is OrderStatus.PENDING
        [payment] = shop.orders.payments(order_id)
        assert (payment.status, payment.captured) == (PaymentStatus.PROCESSING, NOTHING)
        assert "gateway_answer" in caplog.text or "GatewayAnswerError" in caplog.text


def test_a_state_may_be_given_as_text() -> None:
    charge = Charge(reference="ch_1", state="captured", captured=PRICE)  # type: ignore[arg-type]
    with open_shop("memory://", payment_gateway=Says(charge)) as shop:
        order_id = order_a_mug(shop)
        shop.run_jobs()
        assert shop.orders.get(order_id).status is OrderStatus.PAID


@pytest.mark.parametrize("plan", [[None], ["MUG"], [(1, 2, 3)]])
def test_a_plan_of_what_are_no_picks_is_refused(plan: Sequence[Any]) -> None:
    level = StockLevel(
        variant_id=VariantId(new_id()), sku="MUG", location_id=LocationId(new_id()), on_hand=3
    )
    demand = Demand(new_id(), level.variant_id, "MUG", 2)
    with pytest.raises(SourcingPlanError, match="must return picks"):
        plan_allocation([demand], [level], sourcing=lambda _wanted, _levels, _to: plan)


@pytest.mark.parametrize("seconds", [0, -1, MAX_ACCESS_TOKEN_SECONDS + 1])
def test_an_access_token_is_good_for_some_time_and_no_longer(seconds: int) -> None:
    with pytest.raises(InvalidValueError, match="lasts_seconds"):
        JwtAccessTokens(KeyRing.parse("1:" + "s3cr3t-k" * 5, "keys"), lasts_seconds=seconds)


@pytest.mark.parametrize(("count", "seconds"), [(0, 60), (1, 0), (-1, 60), (1, -1)])
def test_a_limit_allows_something_in_some_time(count: int, seconds: float) -> None:
    with pytest.raises(InvalidValueError):
        Limit("requests", count, seconds)

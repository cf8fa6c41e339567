"""The contract of payment gateways."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from quickshop.domain.errors import AdapterError, PaymentDeclinedError, PaymentUnknownError
from quickshop.domain.money import Money
from quickshop.domain.payments import PaymentSource
from quickshop.ports.payments import Charge, ChargeState, PaymentGateway
from quickshop.ports.services import CheckedService
from tests.builders import new_id

PRICE = Money(1999, "USD")
PART = Money(500, "USD")
NOTHING = Money.zero("USD")


def a_key() -> str:
    """As the shop makes them: an order's id and the number of the attempt."""
    return f"{new_id()}:1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Till:
    """A gateway, and cards that it is known to take and to refuse."""

    gateway: PaymentGateway
    good: PaymentSource
    refused: PaymentSource

    def authorize(self) -> tuple[str, str]:
        """Authorize an amount; return its key and reference."""
        key = a_key()
        charge = self.gateway.charge(PRICE, self.good, key=key, capture=False)
        assert (charge.state, charge.captured) == (ChargeState.AUTHORIZED, NOTHING)
        return key, charge.reference

    def pay(self) -> tuple[str, str]:
        """Money taken: its key and reference."""
        key = a_key()
        return key, self.gateway.charge(PRICE, self.good, key=key).reference


def captured(reference: str, amount: Money) -> Charge:
    return Charge(reference=reference, state=ChargeState.CAPTURED, captured=amount)


class PaymentGatewayContract:
    def test_its_connection_is_checked_without_a_payment(self, till: Till) -> None:
        assert isinstance(till.gateway, CheckedService)
        assert till.gateway.check_connection().isprintable()
        key, reference = till.authorize()
        till.gateway.check_connection()
        charge = till.gateway.capture(reference, PRICE, key=f"{key}:capture")
        assert charge == captured(reference, PRICE)

    def test_a_good_card_pays(self, till: Till) -> None:
        charge = till.gateway.charge(PRICE, till.good, key=a_key())
        assert charge == captured(charge.reference, PRICE)

    def test_a_refused_card_pays_nothing(self, till: Till) -> None:
        with pytest.raises(PaymentDeclinedError) as refusal:
            till.gateway.charge(PRICE, till.refused, key=a_key())
        assert refusal.value.reason == "card_declined"

    def test_what_is_set_aside_is_taken_once_however_often_that_is_asked(self, till: Till) -> None:
        key, reference = till.authorize()
        for _ in range(2):
            charge = till.gateway.capture(reference, PRICE, key=f"{key}:capture")
            assert charge == captured(reference, PRICE)

    def test_what_is_let_go_cannot_be_taken(self, till: Till) -> None:
        key, reference = till.authorize()
        for _ in range(2):
            charge = till.gateway.void(reference, key=f"{key}:void")
            assert (charge.state, charge.captured) == (ChargeState.CANCELED, NOTHING)
        with pytest.raises(PaymentDeclinedError):
            till.gateway.capture(reference, PRICE, key=f"{key}:capture")

    def test_what_was_taken_cannot_be_let_go(self, till: Till) -> None:
        key, reference = till.pay()
        assert till.gateway.void(reference, key=f"{key}:void") == captured(reference, PRICE)

    def test_what_was_taken_goes_back_in_parts(self, till: Till) -> None:
        key, reference = till.pay()
        till.gateway.refund(reference, PART, key=f"{key}:refund:1")
        till.gateway.refund(reference, PRICE - PART, key=f"{key}:refund:2")


class RememberedKeysContract:
    """What a gateway promises of its keys, and of parts."""

    def test_paying_twice_with_one_key_takes_the_money_once(self, till: Till) -> None:
        key, reference = till.pay()
        assert till.gateway.charge(PRICE, till.good, key=key) == captured(reference, PRICE)

    def test_a_refused_card_stays_refused(self, till: Till) -> None:
        key = a_key()
        for _ in range(3):
            with pytest.raises(PaymentDeclinedError, match="card_declined"):
                till.gateway.charge(PRICE, till.refused, key=key)

    def test_a_part_is_taken_and_the_rest_let_go(self, till: Till) -> None:
        key, reference = till.authorize()
        for _ in range(2):
            charge = till.gateway.capture(reference, PART, key=f"{key}:capture")
            assert charge == captured(reference, PART)
        assert till.gateway.find(PRICE, till.good, key=key, capture=False) == charge

    def test_asking_takes_no_money_and_hinders_none(self, till: Till) -> None:
        key = a_key()
        found = till.gateway.find(PRICE, till.good, key=key)
        assert found is None or found.state is ChargeState.UNCONFIRMED
        charge = till.gateway.charge(PRICE, till.good, key=key)
        assert till.gateway.find(PRICE, till.good, key=key) == captured(charge.reference, PRICE)

    def test_a_charge_that_was_let_go_before_it_came_takes_no_money(self, till: Till) -> None:
        key = a_key()
        found = till.gateway.find(PRICE, till.good, key=key)
        if found is not None:
            till.gateway.void(found.reference, key=f"{key}:void")
            late = till.gateway.charge(PRICE, till.good, key=key)
            assert (late.state, late.captured) == (ChargeState.CANCELED, NOTHING)

    def test_a_refund_asked_for_twice_goes_back_once(self, till: Till) -> None:
        key, reference = till.pay()
        for _ in range(3):
            till.gateway.refund(reference, PART, key=f"{key}:refund:1")
        till.gateway.refund(reference, PRICE - PART, key=f"{key}:refund:2")

    def test_no_more_goes_back_than_came(self, till: Till) -> None:
        key, reference = till.pay()
        till.gateway.refund(reference, PART, key=f"{key}:refund:1")
        with pytest.raises((PaymentDeclinedError, AdapterError)) as refusal:
            till.gateway.refund(reference, PRICE, key=f"{key}:refund:2")
        assert not isinstance(refusal.value, PaymentUnknownError)
        till.gateway.refund(reference, PRICE - PART, key=f"{key}:refund:3")

    def test_of_many_at_once_with_one_key_all_learn_of_the_one_charge(self, till: Till) -> None:
        key = a_key()

        def pay() -> str | None:
            try:
                return till.gateway.charge(PRICE, till.good, key=key).reference
            except PaymentUnknownError:
                return None  # the key is in use: it is asked again, and then there is one

        with ThreadPoolExecutor(6) as pool:
            learned = {*pool.map(lambda _: pay(), range(6))} - {None}
        charge = till.gateway.charge(PRICE, till.good, key=key)
        assert charge == captured(charge.reference, PRICE)
        assert learned <= {charge.reference}

"""Stripe's adapter: on our fake with lies, and on localstripe, which others wrote."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest

from quickshop.adapters.sandbox.payments import SandboxGateway
from quickshop.adapters.stripe.payments import StripeGateway
from quickshop.domain.errors import AdapterError, PaymentDeclinedError, PaymentUnknownError
from quickshop.domain.money import Money
from quickshop.domain.payments import PaymentSource
from quickshop.ports.payments import Charge, ChargeState
from tests import processes
from tests.contracts.payment_gateway import (
    PART,
    PRICE,
    PaymentGatewayContract,
    RememberedKeysContract,
    Till,
    a_key,
    captured,
)
from tests.servers import free_port
from tests.stripe_fake.running import API_KEY, StripeFake, running

VISA = PaymentSource("pm_card_visa")
DECLINED = PaymentSource("pm_card_visa_chargeDeclined")
SECURE = PaymentSource("pm_card_threeDSecure2Required")
LONG_AGO = UUID("017f0000-0000-7000-8000-000000000001")
"""An order of 2022."""
LIES = ["error_before", "error_after", "stored_error", "hang_before", "hang_after", "rate_limited"]


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeFake]:
    with running(str(tmp_path_factory.mktemp("stripe") / "book.db")) as fake:
        yield fake


@pytest.fixture
def stripe(fake: StripeFake) -> Iterator[StripeGateway]:
    with closing(StripeGateway(API_KEY, timeout_seconds=30, api_base=fake.url)) as gateway:
        yield gateway
        fake.press("heal")


@pytest.fixture
def hasty(fake: StripeFake) -> Iterator[StripeGateway]:
    """The same for calls that are to get no answer: it waits for less than a lie hangs."""
    with closing(StripeGateway(API_KEY, timeout_seconds=1, api_base=fake.url)) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def localstripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a localstripe process."""
    port, folder = free_port(), tmp_path_factory.mktemp("localstripe")
    program = "tests.integration.forgetful_localstripe"
    arguments = ("-m", program, "--port", str(port), "--from-scratch")
    with processes.running(*arguments, log=folder / "log") as process:
        assert processes.eventually(lambda: _answers(port) or process.poll() is not None)
        assert process.poll() is None, (folder / "log").read_text()
        yield f"http://127.0.0.1:{port}"


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


class TestStripe(PaymentGatewayContract, RememberedKeysContract):
    @pytest.fixture
    def till(self, stripe: StripeGateway) -> Till:
        return Till(gateway=stripe, good=VISA, refused=DECLINED)


class TestStripeOnLocalstripe(PaymentGatewayContract):
    """Localstripe knows no idempotency keys and does not keep what part was captured."""

    @pytest.fixture
    def till(self, localstripe: str) -> Iterator[Till]:
        refused = PaymentSource("pm_card_chargeCustomerFail")
        gateway = StripeGateway("sk_test_local", timeout_seconds=10, api_base=localstripe)
        with closing(gateway):
            yield Till(gateway=gateway, good=VISA, refused=refused)


class TestSandbox(PaymentGatewayContract, RememberedKeysContract):
    @pytest.fixture
    def till(self, tmp_path: Path) -> Iterator[Till]:
        with closing(SandboxGateway(str(tmp_path / "book.db"), slow_seconds=0)) as gateway:
            yield Till(
                gateway=gateway,
                good=PaymentSource("tok_ok"),
                refused=PaymentSource("tok_declined"),
            )


def taken(fake: StripeFake, key: str) -> list[int]:
    """What moved for a key, by intent: at most one, or it was charged twice."""
    return [row["captured"] for row in fake.intents if row["quickshop_key"] == key]


@pytest.mark.parametrize("step", ["payment_intents", "/confirm"])
@pytest.mark.parametrize("lie", LIES)
def test_an_answer_that_got_lost_is_found_and_the_money_taken_once(
    fake: StripeFake, stripe: StripeGateway, hasty: StripeGateway, lie: str, step: str
) -> None:
    key = a_key()
    fake.lie(lie, path=step, seconds=3)
    with pytest.raises(PaymentUnknownError):
        hasty.charge(PRICE, VISA, key=key)
    truth = sum(taken(fake, key))
    found = stripe.find(PRICE, VISA, key=key)
    assert found.captured.minor == truth
    assert stripe.charge(PRICE, VISA, key=key) == captured(found.reference, PRICE)
    assert taken(fake, key) == [PRICE.minor]


@pytest.mark.parametrize("lie", LIES)
def test_a_lost_answer_to_a_capture_or_a_void_is_found(
    fake: StripeFake, stripe: StripeGateway, hasty: StripeGateway, lie: str
) -> None:
    key = a_key()
    reference = stripe.charge(PRICE, VISA, key=key, capture=False).reference
    fake.lie(lie, path="/capture", seconds=3)
    with pytest.raises(PaymentUnknownError):
        hasty.capture(reference, PART, key=f"{key}:capture")
    assert stripe.capture(reference, PART, key=f"{key}:capture") == captured(reference, PART)

    other = a_key()
    reference = stripe.charge(PRICE, VISA, key=other, capture=False).reference
    fake.lie(lie, path="/cancel", seconds=3)
    with pytest.raises(PaymentUnknownError):
        hasty.void(reference, key=f"{other}:void")
    assert stripe.void(reference, key=f"{other}:void").state is ChargeState.CANCELED
    assert taken(fake, other) == [0]


@pytest.mark.parametrize("lie", LIES)
def test_a_lost_answer_to_a_refund_sends_nothing_twice(
    fake: StripeFake, stripe: StripeGateway, hasty: StripeGateway, lie: str
) -> None:
    key = a_key()
    reference = stripe.charge(PRICE, VISA, key=key).reference
    fake.lie("slow", path="/v1/refunds", seconds=0)  # the look at what was sent already
    fake.lie(lie, path="/v1/refunds", seconds=3)
    with pytest.raises(PaymentUnknownError):
        hasty.refund(reference, PART, key=f"{key}:refund:1")
    stripe.refund(reference, PART, key=f"{key}:refund:1")
    sent = [row["amount"] for row in fake.refunds if row["intent_id"] == reference]
    assert sent == [PART.minor]


def test_hours_later_when_stripe_forgot_the_key_nothing_is_charged_or_refunded_twice(
    fake: StripeFake, stripe: StripeGateway, hasty: StripeGateway
) -> None:
    key = f"{LONG_AGO}:1"
    fake.lie("hang_after", path="/confirm", seconds=3)
    with pytest.raises(PaymentUnknownError):
        hasty.charge(PRICE, VISA, key=key)
    for _ in range(3):
        fake.press("forget_keys")
        charge = stripe.charge(PRICE, VISA, key=key)
        assert stripe.charge(PRICE, VISA, key=key) == charge
        assert stripe.find(PRICE, VISA, key=key) == charge
        stripe.refund(charge.reference, PART, key=f"{key}:refund:1")
    assert sorted(taken(fake, key), reverse=True)[:2] == [PRICE.minor, 0]
    assert sum(taken(fake, key)) == PRICE.minor
    sent = [row["amount"] for row in fake.refunds if row["intent_id"] == charge.reference]
    assert sent == [PART.minor]


def test_a_new_attempt_for_an_old_order_is_charged(
    fake: StripeFake, stripe: StripeGateway
) -> None:
    key = f"{LONG_AGO}:2"
    charge = stripe.charge(PRICE, VISA, key=key)
    assert charge == captured(charge.reference, PRICE)
    assert taken(fake, key) == [PRICE.minor]


def told_by(charge: Callable[[], Charge]) -> str:
    """What came of it."""
    try:
        return charge().reference
    except PaymentUnknownError:
        return "unknown"


def test_a_key_that_is_in_use_leaves_the_outcome_unknown(fake: StripeFake) -> None:
    key, told_before = a_key(), fake.lies_told.get("slow", 0)
    fake.lie("slow", path="payment_intents", seconds=0.3)
    outcomes = set()
    patient = StripeGateway(API_KEY, timeout_seconds=30, api_base=fake.url)
    with closing(patient), ThreadPoolExecutor(1) as pool:
        first = pool.submit(patient.charge, PRICE, VISA, key=key)
        assert processes.eventually(lambda: fake.lies_told.get("slow", 0) > told_before)
        while not first.done():
            outcomes.add(told_by(lambda: patient.charge(PRICE, VISA, key=key)))
        outcomes.add(told_by(first.result))  # may be the one that found the key in use
        reference = patient.charge(PRICE, VISA, key=key).reference
    assert outcomes <= {"unknown", reference}
    assert taken(fake, key) == [PRICE.minor]


@pytest.mark.parametrize("proven", [True, False])
def test_a_shopper_proves_themselves_or_fails_to(
    fake: StripeFake, stripe: StripeGateway, proven: bool
) -> None:
    key = a_key()
    charge = stripe.charge(PRICE, SECURE, key=key)
    assert charge.state is ChargeState.ACTION_REQUIRED
    assert charge.action == f"{charge.reference}_secret_fake"
    assert stripe.charge(PRICE, SECURE, key=key) == charge, "repeating it changes nothing"

    fake.press(f"intents/{charge.reference}/authenticate", success=proven)

    if proven:
        assert stripe.find(PRICE, SECURE, key=key) == captured(charge.reference, PRICE)
    else:
        for ask in (stripe.find, stripe.charge):
            with pytest.raises(PaymentDeclinedError, match="authentication_failure"):
                ask(PRICE, SECURE, key=key)
    assert taken(fake, key) == [PRICE.minor if proven else 0]


def test_a_refused_charge_is_closed_so_that_no_browser_revives_it(
    fake: StripeFake, stripe: StripeGateway
) -> None:
    key = a_key()
    with pytest.raises(PaymentDeclinedError):
        stripe.charge(PRICE, DECLINED, key=key)
    assert [row["status"] for row in fake.intents if row["quickshop_key"] == key] == ["canceled"]


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error"),
        # Nobody who holds a stolen card is told that it is known to be stolen.
        ("pm_card_visa_chargeDeclinedStolenCard", "card_declined"),
        ("pm_missing", "resource_missing"),
    ],
)
def test_a_refusal_says_why_as_far_as_a_shopper_may_know(
    stripe: StripeGateway, token: str, reason: str
) -> None:
    key = a_key()
    for _ in range(2):
        with pytest.raises(PaymentDeclinedError) as refusal:
            stripe.charge(PRICE, PaymentSource(token), key=key)
        assert refusal.value.reason == reason


def test_a_refund_that_stripe_cannot_send_is_told_as_refused(stripe: StripeGateway) -> None:
    source = PaymentSource("pm_card_refundFail")
    reference = stripe.charge(PRICE, source, key=a_key()).reference
    for _ in range(2):
        with pytest.raises(PaymentDeclinedError, match="expired_or_canceled_card"):
            stripe.refund(reference, PART, key=f"{reference}:refund:1")


def test_a_wrong_secret_key_is_said_to_be_wrong_and_not_shown(fake: StripeFake) -> None:
    secret = "sk_live_a_secret_that_nobody_may_see"
    with closing(StripeGateway(secret, timeout_seconds=5, api_base=fake.url)) as gateway:
        with pytest.raises(AdapterError, match="QUICKSHOP_STRIPE_SECRET_KEY") as failure:
            gateway.charge(PRICE, VISA, key=a_key())
    assert not isinstance(failure.value, PaymentUnknownError)
    assert secret not in repr(failure.value)
    assert failure.value.__cause__ is None


def test_the_same_key_for_another_amount_is_an_error_of_the_shop(stripe: StripeGateway) -> None:
    key = a_key()
    stripe.charge(PRICE, VISA, key=key)
    with pytest.raises(AdapterError, match="another request") as failure:
        stripe.charge(PART, VISA, key=key)
    assert not isinstance(failure.value, PaymentUnknownError)


def test_nobody_at_the_other_end_leaves_the_outcome_unknown() -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    with closing(StripeGateway(API_KEY, timeout_seconds=5, api_base=nowhere)) as gateway:
        with pytest.raises(PaymentUnknownError):
            gateway.charge(PRICE, VISA, key=a_key())


@pytest.mark.parametrize(
    ("money", "sent"),
    [
        (Money(500, "JPY"), 500),
        (Money(5, "ISK"), 500),
        (Money(5, "UGX"), 500),
        (Money(5120, "KWD"), 5120),
        (Money(500, "MGA"), 5),
    ],
)
def test_amounts_arrive_as_stripe_counts_them(
    fake: StripeFake, stripe: StripeGateway, money: Money, sent: int
) -> None:
    key = a_key()
    assert stripe.charge(money, VISA, key=key).captured == money
    assert taken(fake, key) == [sent]


def test_the_check_finds_a_key_that_is_not_accepted(fake: StripeFake) -> None:
    wrong = StripeGateway("sk_test_hunter2", timeout_seconds=5, api_base=fake.url)
    with closing(wrong), pytest.raises(AdapterError, match="QUICKSHOP_STRIPE_SECRET_KEY") as found:
        wrong.check_connection()
    assert "hunter2" not in str(found.value)


@pytest.mark.parametrize("lie", ["error_before", "hang_before", "rate_limited"])
def test_the_check_ends_in_time_when_stripe_does_not_answer(
    fake: StripeFake, stripe: StripeGateway, hasty: StripeGateway, lie: str
) -> None:
    fake.lie(lie, path="payment_intents", seconds=3)
    with pytest.raises(PaymentUnknownError, match="must be reachable from here within 1 s"):
        hasty.check_connection()
    assert stripe.check_connection().endswith("in test mode, which moves no money")

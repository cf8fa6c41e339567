"""The sandbox gateway: what its tokens do, and that money moves once per key whatever happens."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from quickshop.adapters.sandbox.book import MEMORY
from quickshop.adapters.sandbox.payments import SandboxGateway
from quickshop.domain.errors import AdapterError, PaymentDeclinedError, PaymentUnknownError
from quickshop.domain.money import Money
from quickshop.domain.payments import PaymentSource

PRICE = Money(1999, "USD")
NOTHING = Money.zero("USD")
PROCESSES = multiprocessing.get_context("spawn")


@pytest.fixture(params=["file", "memory"])
def gateway(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SandboxGateway]:
    book = MEMORY if request.param == "memory" else str(tmp_path / "new folder" / "book.db")
    with closing(SandboxGateway(book, slow_seconds=0)) as gateway:
        yield gateway


def capture(gateway: SandboxGateway, token: str, *, key: str = "order:1") -> str:
    return gateway.charge(PRICE, PaymentSource(token), key=key).reference


def found(gateway: SandboxGateway) -> str | None:
    charge = gateway.find(PRICE, PaymentSource("tok_ok"), key="order:1")
    return charge.reference if charge else None


def test_a_good_card_pays(gateway: SandboxGateway) -> None:
    reference = capture(gateway, "tok_ok")

    assert found(gateway) == reference
    assert gateway.book().captured("USD") == PRICE


def test_paying_twice_takes_the_money_once(gateway: SandboxGateway) -> None:
    assert capture(gateway, "tok_ok") == capture(gateway, "tok_ok")

    assert gateway.book().captured("USD") == PRICE


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("tok_declined", "card_declined"),
        ("tok_insufficient_funds", "insufficient_funds"),
        ("tok_error", "processing_error"),
        ("tok_of_another_gateway", "unknown_token"),
    ],
)
def test_a_refused_card_moves_no_money_however_often_it_is_tried(
    gateway: SandboxGateway, token: str, reason: str
) -> None:
    for _ in range(2):
        with pytest.raises(PaymentDeclinedError) as refusal:
            capture(gateway, token)
        assert refusal.value.reason == reason

    assert gateway.find(PRICE, PaymentSource("tok_ok"), key="order:1") is None
    assert gateway.book().captured("USD") == NOTHING


def test_a_declined_key_stays_declined_when_another_card_is_shown(gateway: SandboxGateway) -> None:
    with pytest.raises(PaymentDeclinedError):
        capture(gateway, "tok_declined")
    with pytest.raises(PaymentDeclinedError):
        capture(gateway, "tok_ok")

    assert capture(gateway, "tok_ok", key="order:2")


def test_an_answer_that_got_lost_is_found_by_asking_again(gateway: SandboxGateway) -> None:
    with pytest.raises(PaymentUnknownError):
        capture(gateway, "tok_timeout_then_ok")
    assert gateway.book().captured("USD") == PRICE

    assert capture(gateway, "tok_timeout_then_ok") == found(gateway)
    assert gateway.book().captured("USD") == PRICE


def test_an_ask_that_got_lost_goes_through_the_next_time(gateway: SandboxGateway) -> None:
    with pytest.raises(PaymentUnknownError):
        capture(gateway, "tok_timeout_lost")
    assert gateway.find(PRICE, PaymentSource("tok_ok"), key="order:1") is None
    assert gateway.book().captured("USD") == NOTHING

    assert capture(gateway, "tok_timeout_lost") == capture(gateway, "tok_timeout_lost")
    assert gateway.book().captured("USD") == PRICE


def test_a_slow_payment_is_waited_for_once() -> None:
    waits: list[float] = []
    with closing(SandboxGateway(MEMORY, slow_seconds=3, wait=waits.append)) as gateway:
        assert capture(gateway, "tok_slow") == capture(gateway, "tok_slow")

        assert waits == [3]
        assert gateway.book().captured("USD") == PRICE


def test_a_key_is_good_for_one_amount_only(gateway: SandboxGateway) -> None:
    capture(gateway, "tok_ok")

    for other in (Money(2000, "USD"), Money(1999, "EUR")):
        with pytest.raises(AdapterError, match="another amount"):
            gateway.charge(other, PaymentSource("tok_ok"), key="order:1")
    assert gateway.book().captured("USD") == PRICE
    assert gateway.book().captured("EUR") == Money.zero("EUR")


def test_a_refund_sends_the_money_back_once(gateway: SandboxGateway) -> None:
    reference = capture(gateway, "tok_ok")

    for _ in range(2):
        gateway.refund(reference, PRICE, key="order:1:refund")

    assert gateway.book().refunded("USD") == PRICE


def test_refunds_never_exceed_what_was_captured(gateway: SandboxGateway) -> None:
    reference = capture(gateway, "tok_ok")
    gateway.refund(reference, Money(1500, "USD"), key="part")

    for amount in (Money(500, "USD"), Money(0, "USD"), Money(-1, "USD"), Money(1, "EUR")):
        with pytest.raises(AdapterError):
            gateway.refund(reference, amount, key="rest")
    gateway.refund(reference, Money(499, "USD"), key="rest")

    assert gateway.book().refunded("USD") == PRICE


def test_a_refund_key_is_good_for_one_refund_only(gateway: SandboxGateway) -> None:
    reference = capture(gateway, "tok_ok")
    gateway.refund(reference, Money(100, "USD"), key="part")

    with pytest.raises(AdapterError, match="another refund"):
        gateway.refund(reference, Money(200, "USD"), key="part")
    assert gateway.book().refunded("USD") == Money(100, "USD")


def test_what_was_never_captured_is_not_refunded(gateway: SandboxGateway) -> None:
    with pytest.raises(AdapterError, match="no such payment"):
        gateway.refund("sandbox_0", PRICE, key="refund")


@pytest.mark.parametrize("token", ["tok_ok", "tok_timeout_then_ok", "tok_timeout_lost"])
def test_asking_from_many_threads_at_once_takes_the_money_once(
    gateway: SandboxGateway, token: str
) -> None:
    def ask(_: int) -> str | None:
        try:
            return capture(gateway, token)
        except PaymentUnknownError:
            return None

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(ask, range(16)))

    assert answers - {None} == {found(gateway)}
    assert gateway.book().captured("USD") == PRICE


def test_ten_refunds_at_once_never_send_back_more_than_was_captured(
    gateway: SandboxGateway,
) -> None:
    reference = capture(gateway, "tok_ok")

    def refund(number: int) -> bool:
        try:
            gateway.refund(reference, Money(1200, "USD"), key=f"refund {number}")
        except AdapterError:
            return False
        return True

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(refund, range(10))) == 1
    assert gateway.book().refunded("USD") == Money(1200, "USD")


def test_a_book_that_cannot_be_opened_leaves_the_outcome_unknown(tmp_path: Path) -> None:
    gateway = SandboxGateway(str(tmp_path), slow_seconds=0)  # a folder is no book

    with pytest.raises(PaymentUnknownError, match="book"):
        capture(gateway, "tok_ok")
    with pytest.raises(PaymentUnknownError, match="book"):
        gateway.find(PRICE, PaymentSource("tok_ok"), key="order:1")


@pytest.mark.parametrize("name", ["", "in the way/book.db", "no book"])
def test_a_book_that_cannot_be_used_is_found_by_the_check(tmp_path: Path, name: str) -> None:
    (tmp_path / "in the way").touch()
    (tmp_path / "no book").write_text("this is no database, however long it is read " * 20)
    gateway = SandboxGateway(str(tmp_path / name), slow_seconds=0)

    with pytest.raises(AdapterError, match="QUICKSHOP_SANDBOX_BOOK must name") as found:
        gateway.check_connection()
    assert str(tmp_path / name) in str(found.value)


def test_the_check_creates_no_book(tmp_path: Path) -> None:
    gateway = SandboxGateway(str(tmp_path / "new folder" / "book.db"), slow_seconds=0)

    assert "does not exist yet" in gateway.check_connection()
    assert list(tmp_path.iterdir()) == []
    capture(gateway, "tok_ok")
    assert gateway.check_connection().endswith("book.db opens")


def _pay_and_say_so(book: str, line: Connection) -> None:
    gateway = SandboxGateway(book, slow_seconds=0)
    line.send(capture(gateway, "tok_ok"))
    line.recv()  # holds on until it is killed


def test_what_was_answered_survives_kill_9(tmp_path: Path) -> None:
    book = str(tmp_path / "book.db")
    line, other_end = PROCESSES.Pipe()
    payer = PROCESSES.Process(target=_pay_and_say_so, args=(book, other_end))
    payer.start()
    reference = line.recv()
    assert payer.pid is not None
    os.kill(payer.pid, signal.SIGKILL)
    payer.join()

    gateway = SandboxGateway(book, slow_seconds=0)
    assert found(gateway) == reference
    assert capture(gateway, "tok_ok") == reference
    assert gateway.book().captured("USD") == PRICE


def _pay_many(book: str) -> list[str]:
    gateway = SandboxGateway(book, slow_seconds=0)
    return [capture(gateway, "tok_ok", key=f"order:{n}") for n in range(20)]


def test_processes_that_share_a_book_take_each_payment_once(tmp_path: Path) -> None:
    book = str(tmp_path / "book.db")
    with PROCESSES.Pool(2) as pool:
        one, other = pool.map(_pay_many, [book] * 2, chunksize=1)

    assert one == other
    assert SandboxGateway(book, slow_seconds=0).book().captured("USD") == PRICE * 20

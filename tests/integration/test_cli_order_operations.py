"""Seeing orders through from the command line: shipping, refunding, noting."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from quickshop.ports.orders import OrderView
from tests.cli_runs import Outcome, Terminal, stocked_file, terminal_in

URL = "https://snail.example/SN-0042"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stocked_file(tmp_path_factory.mktemp("template"))


@pytest.fixture
def terminal(tmp_path: Path, template: Path) -> Iterator[Terminal]:
    shutil.copy(template, tmp_path / "quickshop.db")
    return terminal_in(tmp_path)


@pytest.fixture
def order(terminal: Terminal) -> OrderView:
    """Two MUG-NAVY and one TEA-SENCHA for $40.50, paid."""
    return terminal.buy()


def mails(terminal: Terminal) -> list[str]:
    """The subjects of all mails, once the work is done."""
    terminal.run("jobs", "run")
    return [
        line.removeprefix("Subject: ")
        for file in sorted((terminal.folder / "mail").glob("*.eml"))
        for line in file.read_text().splitlines()
        if line.startswith("Subject: ")
    ]


def shown(terminal: Terminal, order: OrderView) -> dict:
    return terminal.run("orders", "show", order.number, "--json").json


def test_an_order_ships_whole_with_its_tracking(terminal: Terminal, order: OrderView):
    words = ("--carrier", "Snail & Sons", "--tracking", "SN-0042", "--tracking-url", URL)
    done = terminal.run("orders", "fulfill", order.number, *words)
    assert (done.code, done.err) == (0, "")
    assert (
        f"Fulfillment 1 of order {order.number} was shipped: 2 of MUG-NAVY, 1 of TEA-SENCHA."
        in done.out
    )
    assert "The order is fulfilled; 0 units remain to be shipped." in done.out
    told = terminal.run("orders", "show", order.number).out
    for expected in ("Snail & Sons", "SN-0042", "OrderShipped", "2 of MUG-NAVY"):
        assert expected in told
    stock = terminal.run("stock", "show", "MUG-NAVY", "--json").json["items"][0]
    assert (stock["on_hand"], stock["allocated"]) == (78, 0)
    assert [subject for subject in mails(terminal) if "on its way" in subject] != []


def test_an_order_ships_in_parts(terminal: Terminal, order: OrderView):
    part = terminal.run("orders", "fulfill", order.number, "--line", "MUG-NAVY=1", "--json").json
    assert part["status"] == "partially_fulfilled"
    assert part["fulfillments"][0]["lines"] == [{"sku": "MUG-NAVY", "quantity": 1}]
    rest = terminal.run("orders", "fulfill", order.number)
    assert "Fulfillment 2" in rest.out
    assert len(shown(terminal, order)["fulfillments"]) == 2


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--line", "MUG-NAVY"), 2, "SKU=UNITS"),
        (("--line", "=1"), 2, "SKU=UNITS"),
        (("--line", "MUG-NAVY=two"), 2, "SKU=UNITS"),
        (("--line", "MUG-NAVY=-1"), 2, "SKU=UNITS"),
        (("--line", "MUG-NAVY=²"), 2, "SKU=UNITS"),
        (("--line", "MUG-NAVY=" + "9" * 30), 2, "SKU=UNITS"),
        (("--line", "MUG-NAVY=1", "--line", "MUG-NAVY=1"), 2, "twice"),
        (
            ("--line", "MUG-NAVY=3"),
            1,
            "quickshop: lines.0.quantity: must be at most 2 of MUG-NAVY",
        ),
        (("--line", "MUG-NAVY=0"), 1, "quickshop: lines.0.quantity: must be at least 1"),
        (("--line", "NOPE=1"), 1, "quickshop: lines: must be lines or SKUs of this order"),
        (("--location", "moon"), 1, "quickshop: there is no such location"),
        (("--tracking-url", "javascript:x"), 1, "quickshop: tracking_url: must be an http"),
        (("--tracking", "a\nb"), 1, "quickshop: tracking_number: must contain only printable"),
        (("--carrier", " "), 1, "quickshop: carrier: must not be blank"),
    ],
)
def test_a_shipment_that_makes_no_sense_is_refused(
    terminal: Terminal, order: OrderView, words: tuple[str, ...], code: int, message: str
):
    done = terminal.run("orders", "fulfill", order.number, *words)
    assert (done.code, done.out) == (code, "")
    assert message in done.err
    assert "Traceback" not in done.err
    assert shown(terminal, order)["status"] == "paid"


@pytest.mark.parametrize(
    "command", [("fulfill",), ("complete",), ("note", "x"), ("capture",), ("void",), ("refund",)]
)
def test_nothing_is_done_to_an_order_that_does_not_exist(
    terminal: Terminal, command: tuple[str, ...]
):
    name, *more = command
    done = terminal.run("orders", name, "4711", *more)
    assert (done.code, done.out) == (1, "")
    assert done.err == "quickshop: there is no order 4711\n"


def test_an_order_is_completed_when_it_has_shipped(terminal: Terminal, order: OrderView):
    early = terminal.run("orders", "complete", order.number)
    assert (early.code, early.out) == (1, "")
    assert early.err == f"quickshop: order {order.number} is paid and cannot be completed\n"
    terminal.run("orders", "fulfill", order.number)
    assert terminal.run("orders", "complete", order.number).out == (
        f"Order {order.number} is completed.\n"
    )
    assert shown(terminal, order)["status"] == "completed"


def test_a_note_stands_in_the_timeline(terminal: Terminal, order: OrderView):
    assert terminal.run("orders", "note", order.number, "called; [bold]will wait").code == 0
    assert "[bold]will wait" in terminal.run("orders", "show", order.number).out
    blank = terminal.run("orders", "note", order.number, " ")
    assert (blank.code, blank.err) == (1, "quickshop: note: must not be blank\n")
    told = terminal.run("orders", "note", f"#{order.number}", "again", "--json").json
    assert [entry["facts"].get("note") for entry in told["timeline"]][-1] == "again"


def test_money_goes_back_in_parts(terminal: Terminal, order: OrderView):
    part = terminal.run("orders", "refund", order.number, "10.50", "--reason", "a chip")
    assert (part.code, part.err) == (0, "")
    assert f"$10.50 of order {order.number} will be refunded; $30.00 remains" in part.out
    assert [subject for subject in mails(terminal) if subject.startswith("Refund")] != []
    told = terminal.run("orders", "show", order.number).out
    for expected in ("succeeded", "$10.50", "a chip", "OrderRefunded"):
        assert expected in told
    rest = terminal.run("orders", "refund", order.number, "--json").json
    assert rest["refunded"] == {"amount": 4050, "currency": "USD"}
    terminal.run("jobs", "run")
    assert shown(terminal, order)["status"] == "refunded"
    assert terminal.run("doctor").code == 0


@pytest.mark.parametrize(
    ("amount", "message"),
    [
        ("40.51", "40.51 USD is more than the 40.50 USD that can still be refunded"),
        ("0", "amount: must be more than 0, in USD"),
        ("1.005", "amount: must have at most 2 decimals in USD"),
        ("ten", "amount: must be a decimal number such as 36.00"),
        ("$10", "amount: must be a decimal number such as 36.00"),
        ("NaN", "amount: must be a decimal number such as 36.00"),
        ("", "amount: must be a decimal number such as 36.00"),
        ("9" * 40, ""),
    ],
)
def test_an_amount_that_makes_no_sense_is_refused(
    terminal: Terminal, order: OrderView, amount: str, message: str
):
    done = terminal.run("orders", "refund", order.number, amount)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"quickshop: {message}")
    assert len(done.err.splitlines()) == 1
    assert shown(terminal, order)["payments"][0]["refunds"] == []


def test_what_was_charged_at_once_is_neither_captured_nor_voided(
    terminal: Terminal, order: OrderView
):
    for command in ("capture", "void"):
        done = terminal.run("orders", command, order.number)
        assert (done.code, done.out) == (1, "")
        assert done.err.startswith("quickshop: the payment is captured and cannot be ")


@pytest.fixture
def authorized(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> OrderView:
    """The same, with the money only set aside."""
    monkeypatch.setenv("QUICKSHOP_CAPTURE", "manual")
    return terminal.buy()


def run_manually(terminal: Terminal, *words: str) -> Outcome:
    return terminal.run(*words, env={"QUICKSHOP_CAPTURE": "manual"})


def test_money_that_was_set_aside_is_taken_when_staff_say_so(
    terminal: Terminal, authorized: OrderView
):
    assert authorized.status == "pending"
    taken = run_manually(terminal, "orders", "capture", authorized.number, "40.50")
    assert (taken.code, taken.err) == (0, "")
    run_manually(terminal, "jobs", "run")
    told = shown(terminal, authorized)
    assert (told["status"], told["payments"][0]["captured"]["amount"]) == ("paid", 4050)
    assert "OrderAuthorized" in [entry["kind"] for entry in told["timeline"]]


def test_money_that_was_set_aside_can_be_let_go(terminal: Terminal, authorized: OrderView):
    let_go = run_manually(terminal, "orders", "void", authorized.number)
    assert (let_go.code, let_go.err) == (0, "")
    run_manually(terminal, "jobs", "run")
    told = shown(terminal, authorized)
    assert (told["status"], told["payments"][0]["status"]) == ("payment_failed", "canceled")

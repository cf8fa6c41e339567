"""Looking at the shop, and changing it, from the command line."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from quickshop import Money
from quickshop.adapters.stripe.webhooks import StripeWebhooks
from quickshop.application.catalog import NewVariant
from quickshop.domain.errors import WebhookRejectedError
from quickshop.entrypoints.cli.demo_story import BEN
from tests.cli_runs import Terminal, stocked_file, terminal_in


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stocked_file(tmp_path_factory.mktemp("template"))


@pytest.fixture
def terminal(tmp_path: Path, template: Path) -> Iterator[Terminal]:
    shutil.copy(template, tmp_path / "quickshop.db")
    return terminal_in(tmp_path)


def test_products_are_listed_with_price_and_availability(terminal: Terminal):
    listed = terminal.run("products")
    assert listed.code == 0
    assert "Enamel Mug" in listed.out
    assert "$19.00 to $26.00" in listed.out
    assert "unlimited" in listed.out
    assert "Winter Gift Box" not in listed.out, "it is not published"


def test_a_search_finds_what_has_the_words(terminal: Terminal):
    found = terminal.run("products", "--search", "enam mug", "--json").json
    assert [product["handle"] for product in found["items"]] == ["enamel-mug"]
    mug = found["items"][0]["variants"][0]
    assert (mug["sku"], mug["price"]) == ("MUG-WHITE", {"amount": 1400, "currency": "USD"})
    assert (mug["available"], found["more"]) == (120, False)
    assert (mug["title"], mug["options"]) == ("White", {"Color": "White"})
    assert found["items"][0]["options"] == ["Color"]


def test_a_search_for_nothing_there_says_so(terminal: Terminal):
    assert (
        "No published product matches 'zeppelin'"
        in terminal.run("products", "--search", "zeppelin").out
    )
    assert terminal.run("products", "--search", "zeppelin", "--json").json["items"] == []


def test_a_limit_says_that_there_are_more(terminal: Terminal):
    listed = terminal.run("products", "--limit", "3", "--json").json
    assert (len(listed["items"]), listed["more"]) == (3, True)
    assert "Only the first 3 are shown" in terminal.run("products", "--limit", "3").out


def test_a_limit_may_exceed_what_one_page_holds(terminal: Terminal):
    with terminal.shop() as shop:
        for n in range(120):
            variant = NewVariant(sku=f"N-{n}", price=Money(100, "USD"))
            shop.products.create(title=f"Thing {n}", variants=[variant])
    assert len(terminal.run("products", "--limit", "130", "--json").json["items"]) == 130


@pytest.mark.parametrize("limit", ["0", "-1", "many"])
def test_a_limit_that_is_none_is_a_usage_error(terminal: Terminal, limit: str):
    assert terminal.run("products", "--limit", limit).code == 2


def test_brackets_and_smileys_in_titles_are_text(terminal: Terminal):
    with terminal.shop() as shop:
        variant = NewVariant(sku="[red]X[/red]", price=Money(100, "USD"))
        shop.products.create(title="[bold]Box[/] :smiley:", variants=[variant])
    out = terminal.run("products", "--search", "smiley").out
    assert "[bold]Box[/] :smiley:" in out
    assert "[red]X[/red]" in out


def test_json_is_utf_8(terminal: Terminal):
    with terminal.shop() as shop:
        variant = NewVariant(sku="Ω", price=Money(100, "USD"))
        shop.products.create(title="Crème 🚲", variants=[variant])
    assert '"Crème 🚲"' in terminal.run("products", "--search", "creme", "--json").out


def test_without_orders_the_list_says_so(terminal: Terminal):
    assert "There are no orders yet." in terminal.run("orders").out
    assert terminal.run("orders", "--json").json == {"items": [], "more": False}


def test_orders_are_listed_newest_first(terminal: Terminal):
    first, second = terminal.buy(), terminal.buy(BEN)
    listed = terminal.run("orders", "--json").json["items"]
    assert [order["number"] for order in listed] == [second.number, first.number]
    assert listed[1]["total"] == {"amount": 4050, "currency": "USD"}
    shown = terminal.run("orders").out
    assert "payment_failed" in shown
    assert "$40.50" in shown


def test_orders_can_be_listed_by_status(terminal: Terminal):
    terminal.buy()
    failed = terminal.buy(BEN)
    listed = terminal.run("orders", "--status", "payment_failed", "--json").json["items"]
    assert [order["number"] for order in listed] == [failed.number]
    assert (
        "There are no orders with status canceled."
        in terminal.run("orders", "--status", "canceled").out
    )
    assert terminal.run("orders", "--status", "lost").code == 2


def test_an_order_is_shown_with_its_lines_payments_and_timeline(terminal: Terminal):
    order = terminal.buy()
    shown = terminal.run("orders", "show", order.number).out
    for expected in ("MUG-NAVY", "$40.50", "captured", "OrderPaid"):
        assert expected in shown
    told = terminal.run("orders", "show", order.number, "--json").json
    assert told["lines"][0]["unit_price"] == {"amount": 1400, "currency": "USD"}
    assert [each["status"] for each in told["payments"]] == ["captured"]
    assert [entry["kind"] for entry in told["timeline"]] == ["OrderPlaced", "OrderPaid"]


def test_how_a_payment_was_made_stays_with_the_gateway(terminal: Terminal):
    assert "tok_ok" not in terminal.run("orders", "show", terminal.buy().number, "--json").out


@pytest.mark.parametrize("number", ["4711", "abc", "", "1" * 40, "-1", "[bold]"])
def test_an_order_that_does_not_exist_is_said_in_one_line(terminal: Terminal, number: str):
    shown = terminal.run("orders", "show", "--", number)
    assert (shown.code, shown.out) == (1, "")
    assert shown.err == f"quickshop: there is no order {number}\n"


def test_a_canceled_order_gives_stock_and_money_back(terminal: Terminal):
    order = terminal.buy()
    canceled = terminal.run("orders", "cancel", order.number, "--reason", "changed my mind")
    assert (canceled.code, "its stock is released" in canceled.out) == (0, True)
    assert terminal.run("jobs", "run", "--json").json["ran"] > 0
    told = terminal.run("orders", "show", order.number, "--json").json
    assert (told["status"], told["payments"][0]["refunded"]["amount"]) == ("canceled", 4050)
    stock = terminal.run("stock", "show", "MUG-NAVY", "--json").json["items"]
    assert (stock[0]["available"], stock[0]["allocated"]) == (80, 0)


def test_an_order_is_not_canceled_twice(terminal: Terminal):
    number = terminal.buy().number
    assert terminal.run("orders", "cancel", number, "--json").json["status"] == "canceled"
    again = terminal.run("orders", "cancel", number)
    assert again.code == 1
    assert again.err == f"quickshop: order {number} is canceled and cannot be canceled\n"


def test_stock_is_shown_by_sku(terminal: Terminal):
    assert "TEA-ROOIBOS" in terminal.run("stock", "show").out
    shown = terminal.run("stock", "show", "THROW-SLATE", "--json").json["items"]
    assert [(level["location"], level["on_hand"]) for level in shown] == [("main", 4)]


def test_stock_of_an_unknown_sku_is_said_in_one_line(terminal: Terminal):
    shown = terminal.run("stock", "show", "NOPE")
    assert (shown.code, shown.out) == (1, "")
    assert shown.err == "quickshop: there is no stock of NOPE, or no such SKU\n"


def test_stock_is_adjusted_down_by_a_plain_negative_number(terminal: Terminal):
    done = terminal.run("stock", "adjust", "MUG-NAVY", "-3", "--reason", "broken", "--json")
    assert done.json["items"][0]["on_hand"] == 77
    assert "80" in terminal.run("stock", "adjust", "MUG-NAVY", "3", "--reason=found").out


def test_stock_is_not_adjusted_below_what_was_promised(terminal: Terminal):
    terminal.buy()
    done = terminal.run("stock", "adjust", "MUG-NAVY", "-79", "--reason", "broken")
    assert (done.code, done.err) == (1, "quickshop: MUG-NAVY: 79 requested, 78 available\n")
    shown = terminal.run("stock", "show", "MUG-NAVY", "--json").json["items"][0]
    assert shown["on_hand"] == 80


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("MUG-NAVY", "-3"), 2, "Missing option '--reason'"),
        (("MUG-NAVY", "-3", "--reson", "x"), 2, "No such option: --reson"),
        (("MUG-NAVY", "-x", "--reason", "x"), 2, "QUANTITY"),
        (("MUG-NAVY", "1.5", "--reason", "x"), 2, "QUANTITY"),
        (("MUG-NAVY", "0", "--reason", "x"), 1, "quickshop: quantity: must not be 0"),
        (("MUG-NAVY", "1", "--reason", " "), 1, "quickshop: reason: must not be blank"),
        (("NOPE", "1", "--reason", "x"), 1, "quickshop: there is no such"),
        (("MUG-NAVY", "1", "--reason", "x", "--location", "moon"), 1, "there is no such location"),
        (("MUG-NAVY", "9" * 30, "--reason", "x"), 1, "quickshop: "),
    ],
)
def test_an_adjustment_that_makes_no_sense_is_refused(
    terminal: Terminal, words: tuple[str, ...], code: int, message: str
):
    done = terminal.run("stock", "adjust", *words)
    assert done.code == code
    assert message in done.err
    assert "Traceback" not in done.err


def test_received_stock_may_open_a_location(terminal: Terminal):
    done = terminal.run("stock", "receive", "MUG-NAVY", "5", "--location", "cellar", "--json")
    levels = {level["location"]: level["on_hand"] for level in done.json["items"]}
    assert levels == {"cellar": 5, "main": 80}


def test_stock_is_moved_from_place_to_place(terminal: Terminal):
    done = terminal.run("stock", "transfer", "MUG-NAVY", "5", "--to", "cellar", "--json")
    levels = {level["location"]: level["on_hand"] for level in done.json["items"]}
    assert levels == {"cellar": 5, "main": 75}
    back = ("stock", "transfer", "MUG-NAVY", "6", "--from", "cellar", "--to", "main")
    done = terminal.run(*back)
    assert (done.code, done.err) == (1, "quickshop: MUG-NAVY: 6 requested, 5 available\n")


@pytest.mark.parametrize("quantity", ["0", "-1", "x"])
def test_only_whole_units_can_be_received(terminal: Terminal, quantity: str):
    assert terminal.run("stock", "receive", "MUG-NAVY", "--", quantity).code == 2


def test_what_was_counted_is_what_lies_there(terminal: Terminal):
    done = terminal.run("stock", "count", "MUG-NAVY", "77")
    assert (done.code, "-3 units." in done.out) == (0, True)
    assert "No difference." in terminal.run("stock", "count", "MUG-NAVY", "77").out
    (level,) = terminal.run("stock", "count", "MUG-NAVY", "80", "--json").json["items"]
    assert level["on_hand"] == 80
    assert terminal.run("stock", "reconcile").code == 0
    assert terminal.run("stock", "count", "MUG-NAVY", "--", "-1").code == 2
    nowhere = terminal.run("stock", "count", "MUG-NAVY", "1", "--location", "nowhere")
    assert (nowhere.code, nowhere.err) == (1, "quickshop: there is no such location\n")


def test_a_level_is_configured(terminal: Terminal):
    done = terminal.run(
        "stock", "configure", "MUG-NAVY", "--low-stock-threshold", "9",
        "--backorder-limit", "2", "--json",
    )  # fmt: skip
    (level,) = done.json["items"]
    assert (level["low_stock_threshold"], level["available"]) == (9, 82)
    assert terminal.run("stock", "configure", "MUG-NAVY").code == 2


def test_a_counter_that_left_its_ledger_is_found_and_set_right(terminal: Terminal):
    terminal.tamper("UPDATE stock_levels SET on_hand = on_hand + 1 WHERE on_hand = 80")
    dry = terminal.run("stock", "reconcile")
    assert dry.code == 1
    assert "MUG-NAVY at main: on_hand is 81, expected 80" in dry.out
    assert terminal.run("doctor").code == 1
    done = terminal.run("stock", "reconcile", "--repair", "--json")
    assert (done.code, done.json["remaining"]) == (0, [])
    assert [each["sku"] for each in done.json["discrepancies"]] == ["MUG-NAVY"]
    assert "Every counter equals" in terminal.run("stock", "reconcile").out
    assert terminal.run("doctor").code == 0


def _bury(terminal: Terminal, error: str) -> str:
    """Give a job up, as five failures would."""
    terminal.buy(work=False)
    with terminal.shop() as shop:
        run = shop.jobs.run
        job_id = run.queue.claim(run.clock.now(), limit=1, lease=run.lease)[0]
        run.queue.fail(job_id, error, attempt=0, retry_at=None)
    return str(job_id)


def test_a_dead_letter_is_listed_and_replayed(terminal: Terminal):
    job_id = _bury(terminal, "OSError: the \x1b[31mnetwork\x07 is down")
    listed = terminal.run("jobs", "list")
    assert job_id in listed.out
    assert "network" in listed.out
    assert not {"\x1b", "\x07"} & set(listed.out), "an error text controls no terminal"
    assert terminal.run("jobs", "list", "--json").json["items"][0]["effect"] == "process_order"
    assert terminal.run("doctor").code == 1
    assert terminal.run("jobs", "replay", job_id, "--json").json == {"replayed": [job_id]}
    assert terminal.run("jobs", "run", "--json").json["ran"] == 2, "payment and mail"
    assert terminal.run("orders", "--json").json["items"][0]["status"] == "paid"
    assert terminal.run("doctor").code == 0


def test_all_dead_letters_are_replayed_at_once(terminal: Terminal):
    for _ in range(3):
        _bury(terminal, "OSError")
    assert "3 jobs are due again." in terminal.run("jobs", "replay", "--all").out
    assert "There are no dead letters." in terminal.run("jobs", "list").out


def test_only_dead_letters_can_be_replayed(terminal: Terminal):
    unknown = "018f3c1e-7c1e-7c1e-8c1e-7c1e7c1e7c1e"
    done = terminal.run("jobs", "replay", unknown)
    assert (done.code, done.err) == (1, f"quickshop: there is no dead job {unknown}\n")
    assert terminal.run("jobs", "replay", "x").code == 2
    assert terminal.run("jobs", "replay").code == 2
    assert terminal.run("jobs", "replay", unknown, "--all").code == 2


def test_what_payment_gateways_told_is_listed(terminal: Terminal):
    assert "There are no webhooks yet." in terminal.run("payments", "webhooks").out
    with terminal.shop() as shop:
        webhooks = {"stripe": StripeWebhooks("whsec_of_the_tests")}
        receive = replace(shop.payments.receive_webhook, providers=webhooks)
        for _ in range(2):
            with pytest.raises(WebhookRejectedError):
                receive("stripe", b"{}", {"stripe-signature": "t=1,v1=guessed"})
    assert "forged" in terminal.run("payments", "webhooks").out
    (record,) = terminal.run("payments", "webhooks", "--json").json["items"]
    assert (record["provider"], record["verdict"], record["deliveries"]) == ("stripe", "forged", 2)


def test_more_than_can_be_counted_is_not_listed(terminal: Terminal):
    for words in (("jobs", "list"), ("payments", "webhooks"), ("orders",)):
        asked = terminal.run(*words, "--limit", "9" * 20)
        assert (asked.code, asked.out) == (2, "")
        assert "--limit" in asked.err

"""The fake of Stripe behaves as Stripe says that it does: other tests depend on that."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import httpx2 as httpx
import pytest

from tests import processes
from tests.servers import free_port
from tests.stripe_fake.running import API_KEY, StripeFake, running

AUTHORIZED = {"Authorization": f"Bearer {API_KEY}"}
INTENT = {"amount": "1250", "currency": "usd", "payment_method": "pm_card_visa"}


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[StripeFake]:
    with running(str(tmp_path / "book.db")) as fake:
        yield fake


def post(fake: StripeFake, path: str, key: str | None = None, **form: str) -> httpx.Response:
    headers = AUTHORIZED | ({"Idempotency-Key": key} if key else {})
    return httpx.post(
        f"{fake.url}/v1/{path}", data=form, headers=headers, timeout=processes.PATIENCE_SECONDS
    )


def code_of(answer: httpx.Response) -> tuple[int, str | None, str | None]:
    error = answer.json()["error"]
    return answer.status_code, error["type"], error.get("code")


def test_the_same_key_and_parameters_give_the_stored_answer(fake: StripeFake) -> None:
    first, again = (post(fake, "payment_intents", "k", **INTENT) for _ in range(2))
    assert first.json() == again.json()
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert len(fake.intents) == 1


def test_a_decline_is_stored_too(fake: StripeFake) -> None:
    form = INTENT | {"payment_method": "pm_card_visa_chargeDeclined"}
    intent = post(fake, "payment_intents", **form).json()["id"]
    first, again = (post(fake, f"payment_intents/{intent}/confirm", "k") for _ in range(2))
    assert code_of(first) == code_of(again) == (402, "card_error", "card_declined")
    assert again.headers["idempotent-replayed"] == "true"


def test_the_same_key_for_other_parameters_is_an_error(fake: StripeFake) -> None:
    post(fake, "payment_intents", "k", **INTENT)
    other = post(fake, "payment_intents", "k", **INTENT | {"amount": "1251"})
    assert code_of(other) == (400, "idempotency_error", None)


def test_a_key_that_is_in_use_is_refused(fake: StripeFake) -> None:
    fake.lie("slow", seconds=1)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(post, fake, "payment_intents", "k", **INTENT)
        assert processes.eventually(lambda: bool(fake.lies_told))
        found = []
        while not first.done():
            found.append(post(fake, "payment_intents", "k", **INTENT))
    assert (409, "idempotency_error", "idempotency_key_in_use") in {
        code_of(answer) for answer in found if answer.is_error
    }
    assert first.result().is_success
    assert len(fake.intents) == 1


def test_what_fails_validation_is_not_stored(fake: StripeFake) -> None:
    assert post(fake, "payment_intents", "k", currency="usd").status_code == 400
    assert post(fake, "payment_intents", "k", **INTENT).is_success


def test_nothing_is_answered_without_the_key_of_the_account(fake: StripeFake) -> None:
    answer = httpx.post(f"{fake.url}/v1/payment_intents", data=INTENT)
    assert code_of(answer) == (401, "invalid_request_error", None)
    assert not fake.intents


def test_an_intent_takes_its_money_once(fake: StripeFake) -> None:
    form = INTENT | {"capture_method": "manual"}
    intent = post(fake, "payment_intents", **form).json()["id"]
    assert post(fake, f"payment_intents/{intent}/confirm").json()["status"] == "requires_capture"
    assert post(fake, f"payment_intents/{intent}/capture", amount_to_capture="1000").is_success
    for verb in ("confirm", "capture", "cancel"):
        refused = post(fake, f"payment_intents/{intent}/{verb}")
        assert code_of(refused)[::2] == (400, "payment_intent_unexpected_state")
    assert post(fake, "refunds", payment_intent=intent, amount="1001").status_code == 400
    assert post(fake, "refunds", payment_intent=intent).json()["amount"] == 1000
    refused = post(fake, "refunds", payment_intent=intent, amount="1")
    assert code_of(refused)[2] == "charge_already_refunded"


@contextmanager
def process(book: Path, port: int) -> Iterator[StripeFake]:
    arguments = ("-m", "tests.stripe_fake", "--port", str(port), "--book", str(book))
    fake = StripeFake(f"http://127.0.0.1:{port}")
    with processes.running(*arguments, log=book.with_suffix(".log")):
        assert processes.eventually(lambda: _serves(fake)), book.with_suffix(".log").read_text()
        yield fake


def _serves(fake: StripeFake) -> bool:
    try:
        return not fake.lies_told
    except OSError:
        return False


def test_what_was_answered_survives_kill_9_of_its_process(tmp_path: Path) -> None:
    book, port = tmp_path / "book.db", free_port()
    with process(book, port) as fake:  # ends with kill -9
        intent = post(fake, "payment_intents", "k", **INTENT).json()
        assert post(fake, f"payment_intents/{intent['id']}/confirm").is_success
    with process(book, port) as fake:
        again = post(fake, "payment_intents", "k", **INTENT)
        assert again.json()["id"] == intent["id"]
    with closing(sqlite3.connect(book)) as db:
        assert db.execute("SELECT status, captured FROM intents").fetchall() == [
            ("succeeded", 1250)
        ]

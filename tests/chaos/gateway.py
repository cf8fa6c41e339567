"""The payment gateway of a run: a Stripe of our own, in a process of its own, behind a proxy."""

from __future__ import annotations

import json
import sqlite3
import urllib.request
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.chaos.shoppers import Wallet
from tests.fault_proxy import FaultProxy

Row = dict[str, Any]

API_KEY: Final = "sk_test_chaos"
WEBHOOK_SECRET: Final = "whsec_chaos"
ADMIN_SECONDS: Final = 10

STRIPE_CARDS: Final = Wallet(
    cards={
        "pm_card_visa": 80,
        "pm_card_visa_chargeDeclined": 12,
        "pm_card_visa_chargeDeclinedInsufficientFunds": 6,
    },
    declined=frozenset(
        {"pm_card_visa_chargeDeclined", "pm_card_visa_chargeDeclinedInsufficientFunds"}
    ),
    second=("pm_card_visa", "pm_card_mastercard"),
)


@dataclass(frozen=True, slots=True)
class Book:
    """The true state of a gateway, for all callers."""

    charges: list[Row]
    """One per payment that was tried: key, minor, currency, status, reference, refunded_minor."""
    refunds: list[Row]
    """One per refund: key, reference, minor."""


def read_stripe(path: Path) -> Book:
    """The file that our Stripe keeps; a key is `ORDER:ATTEMPT` there, too."""
    charges = _rows(
        path,
        """
        SELECT quickshop_key AS key, upper(currency) AS currency, id AS reference,
               CASE WHEN captured > 0 THEN captured ELSE amount END AS minor,
               CASE WHEN captured > 0 THEN 'captured' ELSE status END AS status,
               (SELECT coalesce(sum(amount), 0) FROM refunds
                WHERE intent_id = intents.id AND refunds.status <> 'failed') AS refunded_minor
        FROM intents
        """,
    )
    refunds = _rows(
        path,
        "SELECT quickshop_key AS key, intent_id AS reference, amount AS minor FROM refunds"
        " WHERE status <> 'failed'",
    )
    return Book(charges, refunds)


def _rows(path: Path, question: str) -> list[Row]:
    with closing(sqlite3.connect(path)) as book:
        book.row_factory = sqlite3.Row
        return [dict(row) for row in book.execute(question)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """How a shop pays in this run."""

    path: Path
    wallet: Wallet
    proxy: FaultProxy
    """Between it and the shop."""
    port: int
    settings: dict[str, object]
    """The result that the shop gets."""

    @property
    def book(self) -> Book:
        """What it did."""
        return read_stripe(self.path)

    def press(self, button: str, **given: object) -> None:
        """Have our Stripe behave in some way."""
        self._ask(button, json.dumps(given).encode())

    @property
    def answers(self) -> bool:
        """Whether our Stripe can be reached."""
        try:
            return self.lies is not None
        except OSError:
            return False

    @property
    def lies(self) -> dict[str, int]:
        """Return the number of lies of the Stripe fake, by kind."""
        lies: dict[str, int] = self._ask("lies", None)
        return lies

    def arguments(self, webhook_url: str) -> list[str]:
        """How our Stripe is started, as a Python program."""
        options = {
            "--port": str(self.port),
            "--book": str(self.path),
            "--api-key": API_KEY,
            "--webhook-url": webhook_url,
            "--webhook-secret": WEBHOOK_SECRET,
        }
        words = [word for option in options.items() for word in option]
        return ["-m", "tests.stripe_fake", *words]

    def _ask(self, button: str, body: bytes | None) -> Any:
        url = f"http://127.0.0.1:{self.port}/_admin/{button}"
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=ADMIN_SECONDS) as answer:
            return json.load(answer)


def stripe(folder: Path, proxy: FaultProxy, port: int) -> Gateway:
    """What the shop is to know of our Stripe, which is started elsewhere."""
    settings: dict[str, object] = {
        "payment_gateway": "stripe",
        "stripe_secret_key": API_KEY,
        "stripe_webhook_secret": WEBHOOK_SECRET,
        "stripe_api_base": f"http://127.0.0.1:{proxy.port}",
        "stripe_timeout_seconds": 1,
    }
    return Gateway(
        path=folder / "gateway.db",
        wallet=STRIPE_CARDS,
        proxy=proxy,
        port=port,
        settings=settings,
    )

"""Refunds: never more than was captured."""

from __future__ import annotations

import json
import sqlite3
import time
from secrets import token_hex
from typing import Any

from tests.stripe_fake import intents
from tests.stripe_fake.cards import REFUND_FAILS, is_chargeable
from tests.stripe_fake.errors import Refusal, invalid, missing
from tests.stripe_fake.intents import Params, Row


def create(db: sqlite3.Connection, params: Params) -> Row:
    """`POST /v1/refunds`."""
    intents.require_known(params, {"payment_intent", "amount", "metadata", "reason"})
    intent = intents.get(db, str(params.get("payment_intent")))
    left = intent["captured"] - _refunded(db, intent["id"])
    amount = intents.whole(params, "amount", left)
    if intent["status"] != "succeeded":
        raise invalid("This PaymentIntent does not have a successful charge to refund.")
    if amount < 1 or not is_chargeable(amount, intent["currency"]):
        raise invalid("Invalid amount for this currency.", param="amount")
    if left == 0:
        message = "The charge has already been refunded."
        raise Refusal(400, "invalid_request_error", message, "charge_already_refunded")
    if amount > left:
        message = f"Refund amount ({amount}) is greater than unrefunded amount ({left})."
        raise Refusal(400, "invalid_request_error", message, None, {"param": "amount"})
    return _insert(db, intent, amount, params.get("metadata", {}))


def get(db: sqlite3.Connection, id: str) -> Row:
    """`GET /v1/refunds/ID`."""
    row = db.execute("SELECT * FROM refunds WHERE id = ?", (id,)).fetchone()
    if row is None:
        raise missing("refund", id)
    return dict(row)


def shown(row: Row) -> dict[str, Any]:
    """As the API shows it."""
    failed = row["status"] == "failed"
    return {
        "id": row["id"],
        "object": "refund",
        "amount": row["amount"],
        "created": row["created"],
        "currency": row["currency"],
        "failure_reason": "expired_or_canceled_card" if failed else None,
        "metadata": json.loads(row["metadata"]),
        "payment_intent": row["intent_id"],
        "status": row["status"],
    }


def _refunded(db: sqlite3.Connection, intent_id: str) -> int:
    total = (
        "SELECT coalesce(sum(amount), 0) FROM refunds WHERE intent_id = ? AND status <> 'failed'"
    )
    return int(db.execute(total, (intent_id,)).fetchone()[0])


def _insert(db: sqlite3.Connection, intent: Row, amount: int, metadata: dict[str, str]) -> Row:
    row = {
        "id": f"re_{token_hex(12)}",
        "intent_id": intent["id"],
        "quickshop_key": metadata.get("quickshop_key"),
        "amount": amount,
        "currency": intent["currency"],
        "status": "failed" if intent["payment_method"] == REFUND_FAILS else "succeeded",
        "metadata": json.dumps(metadata),
        "created": int(time.time()),
    }
    marks = ", ".join(f":{name}" for name in row)
    db.execute(f"INSERT INTO refunds ({', '.join(row)}) VALUES ({marks})", row)
    return row

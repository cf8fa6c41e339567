"""PaymentIntents: how they move, and what is told of it."""

from __future__ import annotations

import json
import sqlite3
import time
from secrets import token_hex
from typing import Any, Final

from tests.stripe_fake.cards import DECLINES, MISSING, NEEDS_ACTION, Decline, is_chargeable
from tests.stripe_fake.errors import Refusal, invalid, missing

Params = dict[str, Any]
Row = dict[str, Any]

_CREATE: Final = frozenset(
    "amount currency payment_method capture_method metadata payment_method_types confirm"
    " return_url description off_session".split()
)
_CANCELABLE: Final = frozenset(
    "requires_payment_method requires_confirmation requires_action requires_capture".split()
)
_CONFIRMABLE: Final = frozenset("requires_payment_method requires_confirmation".split())


def create(db: sqlite3.Connection, params: Params) -> Row:
    """`POST /v1/payment_intents`: moves nothing unless `confirm` is true."""
    require_known(params, _CREATE)
    amount, currency = whole(params, "amount"), str(params.get("currency", "")).lower()
    if len(currency) != 3:
        raise invalid("Missing required param: currency.", param="currency")
    if amount < 1 or not is_chargeable(amount, currency):
        raise invalid("Invalid amount for this currency.", param="amount")
    if amount > 99_999_999:
        raise invalid("Amount is too large.", code="amount_too_large", param="amount")
    method = params.get("payment_method")
    if method == MISSING:
        raise missing("PaymentMethod", method, param="payment_method")
    metadata = params.get("metadata", {})
    row: Row = {
        "id": f"pi_{token_hex(12)}",
        "quickshop_key": metadata.get("quickshop_key"),
        "amount": amount,
        "currency": currency,
        "capture_method": params.get("capture_method", "automatic"),
        "status": "requires_confirmation" if method else "requires_payment_method",
        "captured": 0,
        "payment_method": method,
        "metadata": json.dumps(metadata),
        "return_url": params.get("return_url"),
        "error": None,
        "cancellation_reason": None,
        "created": int(time.time()),
    }
    marks = ", ".join(f":{name}" for name in row)
    db.execute(f"INSERT INTO intents ({', '.join(row)}) VALUES ({marks})", row)
    if params.get("confirm") == "true":
        return confirm(db, row["id"], {})
    return row


def get(db: sqlite3.Connection, id: str) -> Row:
    """`GET /v1/payment_intents/ID`."""
    row = db.execute("SELECT * FROM intents WHERE id = ?", (id,)).fetchone()
    if row is None:
        raise missing("payment_intent", id)
    return dict(row)


def confirm(db: sqlite3.Connection, id: str, params: Params) -> Row:
    """`POST /v1/payment_intents/ID/confirm`: sets the money aside, or takes it."""
    require_known(params, {"payment_method", "return_url"})
    row = get(db, id)
    method = params.get("payment_method") or row["payment_method"]
    if row["status"] not in _CONFIRMABLE or method is None:
        raise _unexpected(row, "confirm")
    row["payment_method"] = method
    row["return_url"] = params.get("return_url") or row["return_url"]
    if method in DECLINES:
        return _decline(db, row, DECLINES[method])
    if method in NEEDS_ACTION:
        return _move(db, row, "requires_action", tell="requires_action")
    return _succeed(db, row)


def authenticate(db: sqlite3.Connection, id: str, *, success: bool) -> Row:
    """The shopper has met their bank."""
    row = get(db, id)
    if row["status"] != "requires_action":
        raise _unexpected(row, "authenticate")
    if success:
        return _succeed(db, row)
    refusal = Decline("payment_intent_authentication_failure", None)
    return _fail(db, row, refusal)


def capture(db: sqlite3.Connection, id: str, params: Params) -> Row:
    """`POST /v1/payment_intents/ID/capture`: takes what was set aside, or a part of it."""
    require_known(params, {"amount_to_capture"})
    row = get(db, id)
    if row["status"] != "requires_capture":
        raise _unexpected(row, "capture")
    wanted = whole(params, "amount_to_capture", row["amount"])
    if not 0 < wanted <= row["amount"]:
        raise invalid("Amount to capture is too large.", code="amount_too_large")
    row["captured"] = wanted
    return _move(db, row, "succeeded", tell="succeeded")


def cancel(db: sqlite3.Connection, id: str, params: Params) -> Row:
    """`POST /v1/payment_intents/ID/cancel`: it takes no money any more."""
    require_known(params, {"cancellation_reason"})
    row = get(db, id)
    if row["status"] not in _CANCELABLE:
        raise _unexpected(row, "cancel")
    row["cancellation_reason"] = params.get("cancellation_reason")
    return _move(db, row, "canceled", tell="canceled")


def shown(row: Row) -> dict[str, Any]:
    """As the API shows it."""
    set_aside = row["amount"] if row["status"] == "requires_capture" else 0
    return {
        "id": row["id"],
        "object": "payment_intent",
        "amount": row["amount"],
        "amount_capturable": set_aside,
        "amount_received": row["captured"],
        "cancellation_reason": row["cancellation_reason"],
        "capture_method": row["capture_method"],
        "client_secret": f"{row['id']}_secret_fake",
        "created": row["created"],
        "currency": row["currency"],
        "last_payment_error": json.loads(row["error"]) if row["error"] else None,
        "livemode": False,
        "metadata": json.loads(row["metadata"]),
        "next_action": _next_action(row),
        "payment_method": row["payment_method"],
        "status": row["status"],
    }


def _next_action(row: Row) -> dict[str, Any] | None:
    if row["status"] != "requires_action":
        return None
    if row["return_url"]:
        url = f"https://hooks.stripe.test/3d_secure/{row['id']}"
        return {
            "type": "redirect_to_url",
            "redirect_to_url": {"url": url, "return_url": row["return_url"]},
        }
    return {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}


def _succeed(db: sqlite3.Connection, row: Row) -> Row:
    if row["capture_method"] == "manual":
        return _move(db, row, "requires_capture", tell="amount_capturable_updated")
    row["captured"] = row["amount"]
    return _move(db, row, "succeeded", tell="succeeded")


def _decline(db: sqlite3.Connection, row: Row, decline: Decline) -> Row:
    failed = _fail(db, row, decline)
    error = json.loads(failed["error"])
    more = error | {"payment_intent": shown(failed)}
    raise Refusal(402, "card_error", "Your card was declined.", decline.code, more)


def _fail(db: sqlite3.Connection, row: Row, decline: Decline) -> Row:
    error = {
        "type": "card_error",
        "code": decline.code,
        "message": "Your card was declined.",
    }
    if decline.decline_code:
        error["decline_code"] = decline.decline_code
    row |= {"payment_method": None, "error": json.dumps(error)}
    return _move(db, row, "requires_payment_method", tell="payment_failed")


def _move(db: sqlite3.Connection, row: Row, status: str, *, tell: str) -> Row:
    row["status"] = status
    db.execute(
        "UPDATE intents SET status = :status, captured = :captured, error = :error,"
        " payment_method = :payment_method, return_url = :return_url,"
        " cancellation_reason = :cancellation_reason WHERE id = :id",
        row,
    )
    event = {
        "id": f"evt_{token_hex(12)}",
        "object": "event",
        "api_version": "2026-01-01",
        "created": int(time.time()),
        "data": {"object": shown(row)},
        "livemode": False,
        "type": f"payment_intent.{tell}",
    }
    db.execute(
        "INSERT INTO events (id, type, intent_id, body, due_at) VALUES (?, ?, ?, ?, ?)",
        (event["id"], event["type"], row["id"], json.dumps(event), time.time()),
    )
    return row


def _unexpected(row: Row, verb: str) -> Refusal:
    return Refusal(
        400,
        "invalid_request_error",
        f"You cannot {verb} this PaymentIntent because it has a status of {row['status']}.",
        "payment_intent_unexpected_state",
        {"payment_intent": shown(row)},
    )


def require_known(params: Params, known: frozenset[str] | set[str]) -> None:
    """Refuse parameters that Stripe does not know."""
    for name in params:
        if name not in known:
            raise invalid(f"Received unknown parameter: {name}", code="parameter_unknown")


def whole(params: Params, name: str, default: int | None = None) -> int:
    """A number among the parameters."""
    value = params.get(name, default)
    try:
        return int(str(value))
    except ValueError:
        raise invalid(f"Invalid integer: {name}", param=name) from None

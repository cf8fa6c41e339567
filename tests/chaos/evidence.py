"""All that is known of an order, a shopper or a SKU, in one sequence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tests.chaos.records import Records

_TIMES: Final = ("occurred_at", "created_at", "placed_at")


MOST: Final = 60
"""Lines of each kind that are shown."""


def timeline(records: Records, subject: str) -> Iterator[str]:
    """Every row, line and mail that names it, by kind, in the order of time where it is known."""
    names = _names_of(records, subject)
    kinds = {
        **{table: sorted(rows, key=_time_of) for table, rows in sorted(records.tables.items())},
        "gateway's charges": records.charges,
        "gateway's refunds": records.refunds,
        "clients": records.answers,
        "mails": records.mails,
    }
    for kind, rows in kinds.items():
        for row in [row for row in rows if _names_any(row, names)][:MOST]:
            yield f"{kind}: {_in_short(row)}"


def _time_of(row: dict[str, Any]) -> str:
    return next((str(row[name]) for name in _TIMES if row.get(name)), "")


def _names_of(records: Records, subject: str) -> set[str]:
    names = {subject}
    order = records.orders.get(subject)
    if order is not None:
        names |= {str(order["cart_id"]), order["email"]}
        names |= {
            c["reference"] for c in records.charges if subject in c["key"] and c["reference"]
        }
        names |= {j["who"] for j in records.answers if j.get("cart") == str(order["cart_id"])}
    for variant in records.tables["variants"]:
        if subject in {variant["sku"], str(variant["id"])}:
            names |= {variant["sku"], str(variant["id"])}
    return names


def _names_any(row: dict[str, Any], names: set[str]) -> bool:
    return any(
        str(value) in names or any(len(name) > 20 and name in str(value) for name in names)
        for value in row.values()
    )


def _in_short(row: dict[str, Any]) -> str:
    short = {k: v for k, v in row.items() if k not in {"fingerprint", "token_digest"}}
    return ", ".join(f"{k}={str(v)[:200]}" for k, v in short.items() if v not in (None, "", []))

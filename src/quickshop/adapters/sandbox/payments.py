"""A payment gateway for tests: it moves no real money, and every outcome can be chosen.

The token decides the outcome (see `SandboxGateway`). Like a real gateway it keeps its own book,
apart from the shop's database: if the shop crashes, rolls back or asks twice, the book still says
what happened.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final
from uuid import uuid4

from typing_extensions import override

from quickshop.adapters.sandbox.book import (
    Book,
    BookFile,
    Entry,
    EntryStatus,
    entry_of,
    insert,
    known,
    require_refundable,
    update,
)
from quickshop.domain.errors import AdapterError, PaymentDeclinedError, PaymentUnknownError
from quickshop.domain.money import Money
from quickshop.domain.payments import PaymentSource
from quickshop.ports.payments import Charge, PaymentGateway
from quickshop.ports.services import CheckedService

_DECLINES: Final = {
    "tok_declined": "card_declined",
    "tok_insufficient_funds": "insufficient_funds",
    "tok_error": "processing_error",
}
_CAPTURES: Final = frozenset({"tok_ok", "tok_slow", "tok_timeout_then_ok"})
_SLOW: Final = "tok_slow"
_TIMEOUT_THEN_OK: Final = "tok_timeout_then_ok"
_TIMEOUT_LOST: Final = "tok_timeout_lost"


class SandboxGateway(PaymentGateway, CheckedService):
    """A `PaymentGateway` whose outcome depends on the token.

    - `tok_ok`: captured, or authorized if `capture` is false.
    - `tok_declined`, `tok_insufficient_funds`, `tok_error`: declined, as `card_declined`,
      `insufficient_funds` and `processing_error`.
    - `tok_timeout_then_ok`: the money moves, but the first request gets no answer.
    - `tok_timeout_lost`: the first request gets no answer and moves nothing; the next captures.
    - `tok_slow`: captured after `slow_seconds`.
    - any other token: declined, as `unknown_token`.

    `book` is the path of a SQLite file, shared by every process that uses the same path. Each step
    is committed before it is answered, so `kill -9` loses none. `:memory:` keeps the book as long
    as this object lives. Safe to share between threads, and to use after a fork.
    """

    def __init__(
        self,
        book: str,
        *,
        slow_seconds: float,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._book = BookFile(book)
        self._slow_seconds = slow_seconds
        self._wait = wait

    @override
    def charge(
        self, amount: Money, source: PaymentSource, *, key: str, capture: bool = True
    ) -> Charge:
        if source.token == _SLOW and self._book.find(key) is None:
            self._wait(self._slow_seconds)
        wanted = EntryStatus.CAPTURED if capture else EntryStatus.AUTHORIZED
        with self._book.transaction() as db:
            before = entry_of(db, key)
            entry = _repeated(before, amount, wanted) if before else None
            if entry is None:
                entry = _decide(source.token, amount, key, wanted)
                insert(db, entry)
            else:
                update(db, entry)
        return _answer(entry, source.token, first=before is None)

    @override
    def capture(self, reference: str, amount: Money, *, key: str) -> Charge:
        """Capture an authorized payment; the reference alone identifies a repeated call.

        Raises:
            PaymentDeclinedError: the authorization was voided.
            PaymentUnknownError: the book cannot be reached.
            AdapterError: no payment has this reference, or the amount differs from before.
        """
        with self._book.transaction() as db:
            entry = known(db, reference, amount.currency)
            if entry.status is EntryStatus.AUTHORIZED and 0 < amount.minor <= entry.amount.minor:
                entry = replace(entry, status=EntryStatus.CAPTURED, captured=amount)
                update(db, entry)
        if entry.status is EntryStatus.CANCELED:
            raise PaymentDeclinedError("authorization_expired")
        if entry.captured != amount:
            raise AdapterError(f"{key}: another amount was captured before, or authorized")
        return entry.as_charge()

    @override
    def void(self, reference: str, *, key: str) -> Charge:
        """Void an authorized payment; the reference alone identifies a repeated call.

        Raises:
            PaymentUnknownError: the book cannot be reached.
            AdapterError: no payment has this reference.
        """
        with self._book.transaction() as db:
            entry = known(db, reference, None)
            if entry.status is EntryStatus.AUTHORIZED:
                entry = replace(entry, status=EntryStatus.CANCELED)
                update(db, entry)
        return entry.as_charge()

    @override
    def find(
        self,
        amount: Money,
        source: PaymentSource,
        *,
        key: str,
        capture: bool = True,
    ) -> Charge | None:
        entry = self._book.find(key)
        return entry.as_charge() if entry and entry.reference else None

    @override
    def refund(self, reference: str, amount: Money, *, key: str) -> None:
        wanted = (reference, amount.minor, amount.currency)
        with self._book.transaction() as db:
            row = db.execute(
                "SELECT reference, minor, currency FROM refunds WHERE key = ?", (key,)
            ).fetchone()
            if row is None:
                require_refundable(db, reference, amount)
                db.execute("INSERT INTO refunds VALUES (?, ?, ?, ?)", (key, *wanted))
                db.execute(
                    "UPDATE charges SET refunded_minor = refunded_minor + ? WHERE reference = ?",
                    (amount.minor, reference),
                )
            elif tuple(row) != wanted:
                raise AdapterError("the refund key was used for another refund")

    @override
    def check_connection(self) -> str:
        try:
            found = self._book.try_opening()
        except PaymentUnknownError as error:
            raise AdapterError(
                f"{error}; QUICKSHOP_SANDBOX_BOOK must name a file that can be written to"
            ) from error
        state = "opens" if found else "does not exist yet: the first payment creates it"
        return f"sandbox, which moves no money; its book {self._book.path} {state}"

    def book(self) -> Book:
        """Return the record of what happened, for tests and demonstrations.

        Raises:
            PaymentUnknownError: the book cannot be reached.
        """
        return Book(self._book.entries())

    def close(self) -> None:
        """Close the book; a book in memory is lost."""
        self._book.close()


def _decide(token: str, amount: Money, key: str, wanted: EntryStatus) -> Entry:
    status, reference, reason = EntryStatus.DECLINED, None, ""
    if token in _CAPTURES:
        status, reference = wanted, _new_reference()
    elif token == _TIMEOUT_LOST:
        status = EntryStatus.LOST
    else:
        reason = _DECLINES.get(token, "unknown_token")
    nothing = Money.zero(amount.currency)
    return Entry(
        key=key,
        amount=amount,
        status=status,
        reference=reference,
        reason=reason,
        captured=amount if status is EntryStatus.CAPTURED else nothing,
        refunded=nothing,
    )


def _repeated(entry: Entry, amount: Money, wanted: EntryStatus) -> Entry:
    if entry.amount != amount:
        raise AdapterError("the payment key was used for another amount")
    if entry.status is not EntryStatus.LOST:
        return entry
    captured = amount if wanted is EntryStatus.CAPTURED else entry.captured
    return replace(entry, status=wanted, reference=_new_reference(), captured=captured)


def _new_reference() -> str:
    return f"sandbox_{uuid4().hex}"


def _answer(entry: Entry, token: str, *, first: bool) -> Charge:
    if entry.status is EntryStatus.DECLINED:
        raise PaymentDeclinedError(entry.reason)
    if entry.reference is None or (first and token == _TIMEOUT_THEN_OK):
        raise PaymentUnknownError("the payment gateway gave no answer in time")
    return entry.as_charge()

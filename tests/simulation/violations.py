"""The ways in which a simulated run can go wrong, each under a stable name."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from quickshop.domain.errors import QuickShopError


class Kind(StrEnum):
    """Names a broken rule. Planted bugs and `docs/mutants.md` refer to it, so it stays stable."""

    OVERSOLD = "oversold"
    """More units are promised than are there."""
    NEGATIVE_COUNTER = "negative counter"
    """A level promises less than nothing."""
    LEDGER = "ledger"
    """A level's counters are not the sums of its movements, or a movement was changed."""
    STOCK_CHANGES = "stock changes"
    """The ledger does not have what staff received and adjusted."""
    ALLOCATIONS = "allocations"
    """A level allocates other units than its orders were promised."""
    STOCK_MISSING = "stock missing"
    """A live order does not have the units that it was promised."""
    STOCK_NOT_RELEASED = "stock not released"
    """An order that has ended still has units allocated."""
    HOLDS = "holds"
    """A level holds other units than carts do."""
    HOLD_REPEATED = "hold repeated"
    """A cart holds the same level twice, or a hold came back."""
    HELD_TOO_LONG = "held too long"
    """A hold outlives its time."""
    LOW_STOCK_NOTICES = "low stock notices"
    """Staff are not notified exactly once of a level that runs low."""

    TWO_ORDERS = "two orders of a cart"
    ORDER_TOTAL = "order total"
    """An order's total is not the sum of its parts, or changed later."""
    ORDER_STATUS = "order status"
    """An order took a step that its life does not have."""
    SHIPPED_TWICE = "shipped twice"
    FULFILLMENTS = "fulfillments"
    """Other units left than the order's stock says."""

    PAYMENT_STATUS = "payment status"
    """A payment took a step that its life does not have."""
    CAPTURED_TOO_MUCH = "captured too much"
    REFUNDED_TOO_MUCH = "refunded too much"
    CHARGED_TWICE = "charged twice"
    WRONG_CHARGE = "wrong charge"
    """A paid order was not charged once, or the shop does not keep what it should of that."""
    MONEY_KEPT = "money kept"
    """The gateway keeps the money of an order that is not paid."""
    MONEY_SET_ASIDE = "money set aside"
    """An order was settled, and its money is still authorized."""
    GATEWAY_DIFFERS = "gateway and shop differ"
    """Payments say another amount than the gateway's own book."""
    KEY_REUSED = "gateway key reused"
    """One key of the gateway stands for two requests."""
    CALLED_IN_TRANSACTION = "call in a transaction"
    """The gateway or the mail server was called while a transaction was open."""

    TWO_ANSWERS = "two answers to a key"
    """Repeating a request gave another answer."""
    NO_ANSWER = "no answer"
    """A client retried in vain although nothing failed any more."""
    SOUND_REQUEST_REFUSED = "sound request refused"
    ACKNOWLEDGED_LOST = "acknowledged and lost"
    """Something that a client was promised is missing, another, or not canceled."""

    STUCK = "stuck"
    """An order or a payment waits for something that will not happen."""
    UNFINISHED = "unfinished"
    """Work is still due a day later."""
    JOB_FAILED = "job failed"
    """A job failed for another reason than a planned fault."""
    WRONG_MAILS = "wrong mails"
    """Other mails are due than the order's history asks for."""
    MAIL_COUNT = "mail count"
    """A mail did not go out exactly once."""
    SELF_CHECK = "self check"
    """The shop's own checks find something."""

    DOMAIN_REFUSED = "refused by the domain"
    """A rule of the domain stopped the shop's own work, not a client's request."""
    SCHEDULE = "schedule"
    """Actors wait for each other, nest transactions, or never come to rest."""
    DIED = "died"
    """An error that is no `QuickShopError` ended the run: the code is defective, no rule broke."""


class Violation(BaseException):
    """A run broke a rule."""

    def __init__(self, kind: Kind, detail: str) -> None:
        super().__init__(kind, detail)
        self.kind: Final = kind
        self.detail: Final = detail

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}"


def unexpected(error: BaseException | None, kind: Kind) -> Violation:
    """Judge an error that should not have come: of that kind if the shop raised it on purpose."""
    detail = f"{type(error).__name__}: {error}"
    return Violation(kind if isinstance(error, QuickShopError) else Kind.DIED, detail)

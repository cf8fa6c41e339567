"""Use cases for placed orders."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from quickshop.application.idempotency import Answer, Keep, Once
from quickshop.application.payments import PaymentOutcomes
from quickshop.application.permissions import needs
from quickshop.application.repeated_transactions import retried
from quickshop.application.shopper import Shopper, digest
from quickshop.domain.customers import CustomerId, normalize_email
from quickshop.domain.errors import InvalidValueError, TransientError
from quickshop.domain.identity import Permission
from quickshop.domain.orders import Order, OrderId, OrderStatus
from quickshop.domain.payments import CAN_EXPIRE
from quickshop.ports.clock import Clock
from quickshop.ports.orders import OrderQuery, OrderReader, OrderView, TimelineEntry
from quickshop.ports.paging import DEFAULT_LIMIT, Page
from quickshop.ports.unit_of_work import Transaction, UnitOfWork

logger: Final = logging.getLogger("quickshop.orders")


@needs(Permission.ORDERS_READ)
@dataclass(frozen=True, slots=True)
class GetOrder:
    """Return an order for staff."""

    orders: OrderReader

    def __call__(self, order_id: OrderId) -> OrderView:
        """Return the order.

        Raises:
            NotFoundError: no order has this id.
        """
        return self.orders.get(order_id)


@needs(Permission.ORDERS_READ)
@dataclass(frozen=True, slots=True)
class FindOrder:
    """Find an order by its number."""

    orders: OrderReader

    def __call__(self, number: str) -> OrderView | None:
        """Return the order, or None if no order has this number."""
        return self.orders.find_by_number(number)


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """Return an order to the shopper who placed it."""

    orders: OrderReader

    def __call__(self, order_id: OrderId, opener: str | Shopper) -> OrderView:
        """Return the order. `opener` is the token of a guest's order, or the shopper who owns it.

        Raises:
            NotFoundError: no order has this id, or it belongs to another shopper.
        """
        shopper = Shopper.of(opener)
        return self.orders.get_own(
            order_id, token_digest=shopper.token_digest, customer_id=shopper.customer_id
        )


@needs(Permission.ORDERS_READ)
@dataclass(frozen=True, slots=True)
class ListOrders:
    """List and search the orders of all shoppers for staff, newest first."""

    orders: OrderReader

    def __call__(
        self,
        *,
        number: str | None = None,
        email: str | None = None,
        customer_id: CustomerId | None = None,
        status: OrderStatus | None = None,
        placed_from: datetime | None = None,
        placed_before: datetime | None = None,
        limit: int = DEFAULT_LIMIT,
        cursor: str | None = None,
    ) -> Page[OrderView]:
        """Return a page of orders that match all given criteria. `email` ignores case.

        Raises:
            InvalidValueError: limit, cursor or email is invalid, or a time has no time zone.
        """
        for name, moment in (("placed_from", placed_from), ("placed_before", placed_before)):
            if moment is not None and moment.tzinfo is None:
                raise InvalidValueError(name, "must have a time zone, such as UTC")
        query = OrderQuery(
            number=number,
            email=None if email is None else normalize_email(email),
            customer_id=customer_id,
            status=status,
            placed_from=placed_from,
            placed_before=placed_before,
            limit=limit,
            cursor=cursor,
        )
        return self.orders.list(query)


@dataclass(frozen=True, slots=True)
class ListOwnOrders:
    """List the orders of a customer, or the order of a guest's token."""

    orders: OrderReader

    def __call__(
        self, opener: str | Shopper, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[OrderView]:
        """Return a page of orders; an unknown token has none.

        Raises:
            InvalidValueError: limit or cursor is invalid.
        """
        shopper = Shopper.of(opener)
        customer_id = shopper.customer_id
        return self.orders.list(
            OrderQuery(
                token_digest=shopper.token_digest if customer_id is None else None,
                customer_id=customer_id,
                limit=limit,
                cursor=cursor,
            )
        )


MAX_TIMELINE: Final = 200
"""Timeline entries returned by default."""


@needs(Permission.ORDERS_READ)
@dataclass(frozen=True, slots=True)
class GetTimeline:
    """Return the timeline of an order for staff."""

    orders: OrderReader

    def __call__(
        self, order_id: OrderId, *, newest: int = MAX_TIMELINE
    ) -> Sequence[TimelineEntry]:
        """Return the `newest` entries, oldest first; empty if the order does not exist."""
        return self.orders.timeline(order_id, newest=newest)


@needs(Permission.ORDERS_WRITE)
@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Cancel an order as staff. Its stock is released, and its payments are refunded."""

    unit_of_work: UnitOfWork
    clock: Clock
    outcomes: PaymentOutcomes

    @retried
    def __call__(
        self,
        order_id: OrderId,
        *,
        reason: str = "",
        idempotency_key: str | None = None,
        by: str = "staff",
    ) -> Answer[OrderView]:
        """Cancel the order. Of concurrent calls, one succeeds.

        A repeated call with the same `idempotency_key` and `by` returns the first call's answer.

        Raises:
            NotFoundError: no order has this id.
            OrderStateError: a unit has shipped, or the order is already closed.
            InvalidValueError: the reason is too long.
            IdempotencyMismatchError: the key was used for another request.
            IdempotencyInProgressError: the same request is still running.
        """
        once = Once(f"{by}:cancel_order", idempotency_key, digest(f"{order_id}:{reason}"))

        def cancel(tx: Transaction, keep: Keep[OrderView]) -> None:
            order = tx.orders.get(order_id)
            _cancel(tx, order, reason, self.outcomes, keep, now=self.clock.now())

        return once.run(self.unit_of_work, OrderView, self.clock.now(), cancel)


@dataclass(frozen=True, slots=True)
class CancelOwnOrder:
    """Cancel an order as the shopper who placed it."""

    unit_of_work: UnitOfWork
    clock: Clock
    outcomes: PaymentOutcomes

    @retried
    def __call__(
        self,
        order_id: OrderId,
        opener: str | Shopper,
        *,
        reason: str = "",
        idempotency_key: str | None = None,
    ) -> Answer[OrderView]:
        """Cancel the order, as `CancelOrder` does.

        A repeated call with the same `idempotency_key` returns the first call's answer.

        Raises:
            NotFoundError: no order has this id, or it belongs to another shopper.
            OrderStateError: a unit has shipped, or the order is already closed.
            InvalidValueError: the reason is too long.
            IdempotencyMismatchError: the key was used for another request.
            IdempotencyInProgressError: the same request is still running.
        """
        shopper = Shopper.of(opener)
        fingerprint = digest(f"{order_id}:{reason}")
        once = Once(f"cancel_order:{shopper.scope}", idempotency_key, fingerprint)

        def cancel(tx: Transaction, keep: Keep[OrderView]) -> None:
            order = tx.orders.get_own(
                order_id, token_digest=shopper.token_digest, customer_id=shopper.customer_id
            )
            _cancel(tx, order, reason, self.outcomes, keep, now=self.clock.now())

        return once.run(self.unit_of_work, OrderView, self.clock.now(), cancel)


def _cancel(
    tx: Transaction,
    order: Order,
    reason: str,
    outcomes: PaymentOutcomes,
    keep: Keep[OrderView],
    *,
    now: datetime,
) -> None:
    order.cancel(reason, now=now)
    _stop_payments(tx, order, outcomes)
    tx.orders.save(order)
    keep(OrderView.of(order))
    tx.stock.release(order.id, now=now)


def _stop_payments(tx: Transaction, order: Order, outcomes: PaymentOutcomes) -> None:
    for payment in tx.payments.of_order(order.id):
        outcomes.stop(payment)
        if payment.has_unsaved_events:
            tx.payments.save(payment)


@dataclass(frozen=True, slots=True)
class ExpireOrders:
    """The sweeper: expire the orders that were not paid in time, and release their stock."""

    unit_of_work: UnitOfWork
    clock: Clock
    outcomes: PaymentOutcomes

    def __call__(self, *, limit: int = 100) -> int:
        """Return how many overdue orders were checked.

        Each order has its own transaction. An order that fails to expire is logged, and tried
        again by the next sweep. An order does not expire while the gateway's answer is missing,
        because the payment may still arrive.

        Raises:
            TransientError: the database is unreachable.
        """
        late = self._late(limit)
        for order_id in late:
            try:
                self._expire(order_id)
            except TransientError:
                raise
            except Exception:  # one broken order must not block the others
                logger.exception("order %s could not expire", order_id)
        return len(late)

    @retried
    def _late(self, limit: int) -> Sequence[OrderId]:
        with self.unit_of_work() as tx:
            late = tx.orders.unpaid_since(self.clock.now(), limit=limit)
            return [order.id for order in late]

    @retried
    def _expire(self, order_id: OrderId) -> None:
        now = self.clock.now()
        with self.unit_of_work() as tx:
            order = tx.orders.get(order_id)
            if not order.is_overdue(now):
                return
            if any(p.status not in CAN_EXPIRE for p in tx.payments.of_order(order.id)):
                order.wait_until(now + self.outcomes.order_lifetime, now=now)
                tx.orders.save(order)
                return
            order.expire(now=now)
            _stop_payments(tx, order, self.outcomes)
            tx.orders.save(order)
            tx.stock.release(order.id, now=now)

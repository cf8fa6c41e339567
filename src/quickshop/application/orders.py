"""Use cases about orders that have been placed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from quickshop.application.idempotency import Answer, Keep, Once
from quickshop.application.payments import PaymentOutcomes
from quickshop.application.permissions import needs
from quickshop.application.retries import retried
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
    """Show an order to staff."""

    orders: OrderReader

    def __call__(self, order_id: OrderId) -> OrderView:
        """Read only.

        Raises:
            NotFoundError: no such order.
        """
        return self.orders.get(order_id)


@needs(Permission.ORDERS_READ)
@dataclass(frozen=True, slots=True)
class FindOrder:
    """Look an order up by the number that people know it by."""

    orders: OrderReader

    def __call__(self, number: str) -> OrderView | None:
        """None when no order has this number."""
        return self.orders.find_by_number(number)


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """Show an order to whoever placed it."""

    orders: OrderReader

    def __call__(self, order_id: OrderId, opener: str | Shopper) -> OrderView:
        """Read only. `opener` is the secret of a guest's order, or the shopper whose it is.

        Raises:
            NotFoundError: no such order, or it is another's.
        """
        shopper = Shopper.of(opener)
        return self.orders.get_own(
            order_id, token_digest=shopper.token_digest, customer_id=shopper.customer_id
        )


@needs(Permission.ORDERS_READ)
@dataclass(frozen=True, slots=True)
class ListOrders:
    """List orders, newest first."""

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
        """For staff: everybody's. Every criterion given must hold; `email` in whatever case.

        Raises:
            InvalidValueError: `limit` or `cursor` is not valid, a time has no zone, or
                what is given as an e-mail address is none.
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
    """List the orders of a customer, or what a guest's token opens."""

    orders: OrderReader

    def __call__(
        self, opener: str | Shopper, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[OrderView]:
        """Nothing for a token that opens nothing.

        Raises:
            InvalidValueError: `limit` or `cursor` is not valid.
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
"""Things that are told of one order, unless more are asked for."""


@needs(Permission.ORDERS_READ)
@dataclass(frozen=True, slots=True)
class GetTimeline:
    """Tell what happened to an order."""

    orders: OrderReader

    def __call__(
        self, order_id: OrderId, *, newest: int = MAX_TIMELINE
    ) -> Sequence[TimelineEntry]:
        """So many of the newest, oldest first; empty for an order that does not exist."""
        return self.orders.timeline(order_id, newest=newest)


@needs(Permission.ORDERS_WRITE)
@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Stop an order, as staff, and give its stock back. Money that moved is sent back."""

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
        """Of several who cancel at once one succeeds.

        With an `idempotency_key` a repeated call of the same `by` gives the first one's answer.

        Raises:
            NotFoundError: no such order.
            OrderStateError: something of it has shipped, or it has ended already.
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
    """Stop an order, as whoever placed it."""

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
        """As `CancelOrder`; with a key, a repeated call gives the first one's answer.

        Raises:
            NotFoundError: no such order, or it is another's.
            OrderStateError: something of it has shipped, or it has ended already.
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
    _call_off_payments(tx, order, outcomes)
    tx.orders.save(order)
    keep(OrderView.of(order))
    tx.stock.release(order.id, now=now)


def _call_off_payments(tx: Transaction, order: Order, outcomes: PaymentOutcomes) -> None:
    for payment in tx.payments.of_order(order.id):
        outcomes.stop(payment)
        if payment.has_unsaved_events:
            tx.payments.save(payment)


@dataclass(frozen=True, slots=True)
class ExpireOrders:
    """The sweeper: give up the orders that nobody paid in time, and their stock with them."""

    unit_of_work: UnitOfWork
    clock: Clock
    outcomes: PaymentOutcomes

    def __call__(self, *, limit: int = 100) -> int:
        """Tell how many were looked at.

        One transaction each, so that none holds up another: one that cannot be given up is
        logged, and tried again with the next sweep. While the gateway owes an answer an order is
        waited for: its money may be on the way.

        Raises:
            TransientError: the database cannot be reached.
        """
        late = self._late(limit)
        for order_id in late:
            try:
                self._fail_for_good(order_id)
            except TransientError:
                raise
            except Exception:  # whatever is wrong with it, the others go on
                logger.exception("order %s could not expire", order_id)
        return len(late)

    @retried
    def _late(self, limit: int) -> Sequence[OrderId]:
        with self.unit_of_work() as tx:
            late = tx.orders.unpaid_since(self.clock.now(), limit=limit)
            return [order.id for order in late]

    @retried
    def _fail_for_good(self, order_id: OrderId) -> None:
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
            _call_off_payments(tx, order, self.outcomes)
            tx.orders.save(order)
            tx.stock.release(order.id, now=now)

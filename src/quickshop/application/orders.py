"""Use cases about orders that have been placed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quickshop.application.access import digest
from quickshop.application.idempotency import Once
from quickshop.application.retries import retried
from quickshop.domain.orders import Order, OrderId, OrderStatus
from quickshop.domain.payments import PaymentStatus
from quickshop.ports.clock import Clock
from quickshop.ports.orders import OrderQuery, OrderReader, OrderView, TimelineEntry
from quickshop.ports.paging import DEFAULT_LIMIT, Page
from quickshop.ports.unit_of_work import Transaction, UnitOfWork


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


@dataclass(frozen=True, slots=True)
class FindOrder:
    """Look an order up by the number that people know it by."""

    orders: OrderReader

    def __call__(self, number: str) -> OrderView | None:
        """None when no order has this number."""
        return self.orders.find_by_number(number)


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """Show an order to the guest who placed it."""

    orders: OrderReader

    def __call__(self, order_id: OrderId, token: str) -> OrderView:
        """Read only.

        Raises:
            NotFoundError: no such order, or the token is another's.
        """
        return self.orders.get_with_token(order_id, token_digest=digest(token))


@dataclass(frozen=True, slots=True)
class ListOrders:
    """List orders, newest first."""

    orders: OrderReader

    def __call__(
        self,
        *,
        status: OrderStatus | None = None,
        limit: int = DEFAULT_LIMIT,
        cursor: str | None = None,
    ) -> Page[OrderView]:
        """For staff: everybody's.

        Raises:
            InvalidValueError: limit or cursor is not what it should be.
        """
        return self.orders.list(OrderQuery(status=status, limit=limit, cursor=cursor))


@dataclass(frozen=True, slots=True)
class ListOwnOrders:
    """List what a guest's token opens."""

    orders: OrderReader

    def __call__(
        self, token: str, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[OrderView]:
        """Nothing for a token that opens nothing.

        Raises:
            InvalidValueError: limit or cursor is not what it should be.
        """
        query = OrderQuery(token_digest=digest(token), limit=limit, cursor=cursor)
        return self.orders.list(query)


@dataclass(frozen=True, slots=True)
class GetTimeline:
    """Tell what happened to an order."""

    orders: OrderReader

    def __call__(self, order_id: OrderId) -> Sequence[TimelineEntry]:
        """Oldest first; empty for an order that does not exist."""
        return self.orders.timeline(order_id)


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Stop an order, as staff, and give its stock back. Money that moved is sent back."""

    unit_of_work: UnitOfWork
    clock: Clock

    @retried
    def __call__(self, order_id: OrderId, *, reason: str = "") -> OrderView:
        """Of several who cancel at once one succeeds.

        Raises:
            NotFoundError: no such order.
            OrderStateError: it is canceled already.
        """
        with self.unit_of_work() as tx:
            return _cancel(tx, tx.orders.get(order_id), reason, self.clock)


@dataclass(frozen=True, slots=True)
class CanceledOrder:
    """An order as it was when it had just been canceled."""

    order: OrderView
    replayed: bool = False
    """Whether this is the stored answer to an earlier request with the same key."""


@dataclass(frozen=True, slots=True)
class CancelOwnOrder:
    """Stop an order, as the guest who placed it."""

    unit_of_work: UnitOfWork
    clock: Clock

    @retried
    def __call__(
        self,
        order_id: OrderId,
        token: str,
        *,
        reason: str = "",
        idempotency_key: str | None = None,
    ) -> CanceledOrder:
        """As `CancelOrder`; with a key, a repeated call gives the first one's answer.

        Raises:
            NotFoundError: no such order, or the token is another's.
            OrderStateError: it is canceled already.
            IdempotencyMismatchError: the key was used for another request.
            IdempotencyInProgressError: the same request is still running.
        """
        fingerprint = digest(f"{order_id}:{reason}")
        once = Once(f"cancel_order:{digest(token)}", idempotency_key, fingerprint)
        with self.unit_of_work() as tx:
            if earlier := once.earlier(tx, OrderView, self.clock.now()):
                return CanceledOrder(earlier, replayed=True)
            order = tx.orders.get_with_token(order_id, token_digest=digest(token))
            canceled = _cancel(tx, order, reason, self.clock)
            once.keep(tx, canceled)
        return CanceledOrder(canceled)


def _cancel(tx: Transaction, order: Order, reason: str, clock: Clock) -> OrderView:
    now = clock.now()
    order.cancel(reason, now=now)
    for payment in tx.payments.of_order(order.id):
        # One that the gateway may have heard of is settled in the background instead.
        if payment.status is PaymentStatus.PENDING:
            payment.cancel(now=now)
            tx.payments.save(payment)
    tx.orders.save(order)
    tx.stock.release(order.id, now=now)
    return OrderView.of(order)

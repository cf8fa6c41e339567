"""Personal data of customers in tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import bindparam, delete, or_, select, update
from typing_extensions import override

from quickshop.adapters.sql.column_types import Json
from quickshop.adapters.sql.connection import BatchingConnection
from quickshop.adapters.sql.tables import (
    fulfillments,
    idempotency_keys,
    jobs,
    order_events,
    orders,
    payments,
    refunds,
)
from quickshop.domain.customers import CustomerId
from quickshop.domain.erasure import ERASED, PERSONAL_FACTS, impersonal_facts
from quickshop.ports.personal_data import PersonalDataRepository

_AT_ONCE: Final = 50
"""The number of ids that one statement searches for."""
_ORDERS: Final = (
    select(orders.c.id).where(orders.c.customer_id == bindparam("customer")).order_by(orders.c.id)
)
_KINDS: Final = sorted(kind.__name__ for kind in PERSONAL_FACTS)
_TOLD: Final = (
    select(order_events.c.id, order_events.c.kind, order_events.c.facts)
    .where(order_events.c.order_id.in_(_ORDERS), order_events.c.kind.in_(_KINDS))
    .order_by(order_events.c.id)
)
_TELL: Final = (
    update(order_events)
    .where(order_events.c.id == bindparam("this"))
    .values(facts=bindparam("instead", type_=Json))
)
_PARCELS: Final = (
    update(fulfillments)
    .where(fulfillments.c.order_id.in_(_ORDERS))
    .values(tracking_number="", tracking_url="")
)
_REFUNDS: Final = (
    update(refunds)
    .where(
        refunds.c.payment_id.in_(select(payments.c.id).where(payments.c.order_id.in_(_ORDERS))),
        refunds.c.reason != "",
    )
    .values(reason=ERASED)
)
_ABOUT: Final = jobs.c.subject.in_(bindparam("about", expanding=True))
_FORGET_DONE: Final = delete(jobs).where(jobs.c.status == "done", _ABOUT)
_JOBS: Final = (
    select(jobs.c.id, jobs.c.event_kind, jobs.c.event, jobs.c.error)
    .where(_ABOUT)
    .order_by(jobs.c.id)
    .with_for_update()
)
_REWRITE: Final = (
    update(jobs)
    .where(jobs.c.id == bindparam("this"))
    .values(event=bindparam("instead", type_=Json), error=bindparam("why"))
)


class SqlPersonalData(PersonalDataRepository):
    """Personal data of a customer outside the customer record. It may read whole tables."""

    def __init__(self, connection: BatchingConnection) -> None:
        self._connection = connection

    @override
    def erase(self, customer_id: CustomerId) -> None:
        who = {"customer": customer_id}
        theirs = self._connection.execute(_ORDERS, who).scalars().all()
        self._connection.execute(_PARCELS, who)
        self._connection.execute(_REFUNDS, who)
        for row in self._connection.execute(_TOLD, who).all():
            instead = impersonal_facts(row.kind, row.facts)
            self._connection.later(_TELL, {"this": row.id, "instead": instead})
        for about in _some_at_once([str(customer_id), *map(str, theirs)]):
            self._erase_jobs(about)
            self._erase_answers(about)

    def _erase_jobs(self, about: Sequence[str]) -> None:
        self._connection.execute(_FORGET_DONE, {"about": about})
        for row in self._connection.execute(_JOBS, {"about": about}).all():
            changed = {
                "this": row.id,
                "instead": impersonal_facts(row.event_kind, row.event),
                "why": ERASED if row.error else "",
            }
            self._connection.later(_REWRITE, changed)

    def _erase_answers(self, about: Sequence[str]) -> None:
        names_customer = or_(*(idempotency_keys.c.answer.contains(each) for each in about))
        self._connection.execute(
            update(idempotency_keys).where(names_customer).values(answer=None)
        )


def _some_at_once(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE))

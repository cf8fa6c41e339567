"""Personal data of customers in memory."""

from __future__ import annotations

from dataclasses import replace

from typing_extensions import override

from quickshop.adapters.memory.session import MemorySession
from quickshop.adapters.memory.state import JobStatus, MemoryState
from quickshop.domain.customers import CustomerId
from quickshop.domain.erasure import ERASED, impersonal
from quickshop.domain.fulfillment import Tracking
from quickshop.domain.orders import OrderId
from quickshop.ports.personal_data import PersonalDataRepository


class MemoryPersonalData(PersonalDataRepository):
    """Personal data of a customer outside the customer record."""

    def __init__(self, session: MemorySession) -> None:
        self._state = session.state

    @override
    def erase(self, customer_id: CustomerId) -> None:
        state = self._state
        theirs = [each.id for each in state.orders.values() if each.customer_id == customer_id]
        for order_id in theirs:
            _erase_order(state, order_id)
        about = {str(customer_id), *map(str, theirs)}
        _erase_jobs(state, about)
        for key, claim in state.keys.items():
            answer = repr(claim.answer)
            if any(each in answer for each in about):
                state.keys[key] = replace(claim, answer=None)


def _erase_order(state: MemoryState, order_id: OrderId) -> None:
    state.timelines[order_id] = tuple(impersonal(each) for each in state.timelines[order_id])
    state.fulfillments[order_id] = tuple(
        replace(parcel, tracking=Tracking(carrier=parcel.tracking.carrier))
        for parcel in state.fulfillments.get(order_id, ())
    )
    for payment_id in state.attempts.get(order_id, ()):
        payment = state.payments[payment_id]
        refunds = tuple(
            replace(refund, reason=ERASED) if refund.reason else refund
            for refund in payment.refunds
        )
        state.payments[payment_id] = replace(payment, refunds=refunds)


def _erase_jobs(state: MemoryState, about: set[str]) -> None:
    for job in [job for job in state.jobs.values() if job.event.subject in about]:
        if job.status is JobStatus.DONE:
            del state.jobs[job.id]
        else:
            error = ERASED if job.error else ""
            state.jobs[job.id] = replace(job, event=impersonal(job.event), error=error)

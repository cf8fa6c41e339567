"""The use cases of payment webhooks, and how they are wired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from quickshop.application.payments import (
    ListPaymentWebhooks,
    PaymentOutcomes,
    ReceivePaymentWebhook,
)
from quickshop.ports.clock import Clock
from quickshop.ports.payments import PaymentWebhooks
from quickshop.ports.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Payments:
    """Webhooks of payment gateways."""

    receive_webhook: ReceivePaymentWebhook
    webhooks: ListPaymentWebhooks


def build_payments(
    unit_of_work: UnitOfWork,
    clock: Clock,
    outcomes: PaymentOutcomes,
    webhooks: Mapping[str, PaymentWebhooks],
) -> Payments:
    """Connect the use cases to the ports; `webhooks` are verifiers by provider."""
    return Payments(
        receive_webhook=ReceivePaymentWebhook(unit_of_work, clock, outcomes, webhooks),
        webhooks=ListPaymentWebhooks(unit_of_work),
    )

"""Use cases for payments."""

from quickshop.application.payments.outcomes import PaymentOutcomes
from quickshop.application.payments.process import ProcessOrder
from quickshop.application.payments.settle import AskAgainAboutPayments, SettlePayments
from quickshop.application.payments.staff import (
    CapturePayment,
    ListPayments,
    RefundOrder,
    VoidPayment,
)
from quickshop.application.payments.webhooks import ListPaymentWebhooks, ReceivePaymentWebhook

__all__ = [
    "AskAgainAboutPayments",
    "CapturePayment",
    "ListPaymentWebhooks",
    "ListPayments",
    "PaymentOutcomes",
    "ProcessOrder",
    "ReceivePaymentWebhook",
    "RefundOrder",
    "SettlePayments",
    "VoidPayment",
]

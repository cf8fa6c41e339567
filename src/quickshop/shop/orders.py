"""The use cases of orders, payments and fulfillments, and how they are wired."""

from __future__ import annotations

from dataclasses import dataclass

from quickshop.application import checkout, fulfillment, holds, orders
from quickshop.application.cart_cache import CartInvalidation
from quickshop.application.payments import (
    CapturePayment,
    ListPayments,
    PaymentOutcomes,
    RefundOrder,
    VoidPayment,
)
from quickshop.ports.cache import CartCache
from quickshop.ports.orders import OrderReader
from quickshop.shop.policy import Policy
from quickshop.shop.wiring import Core


@dataclass(frozen=True, slots=True)
class Orders:
    """Orders. Calls that take a token are for shoppers, the others for staff."""

    place: checkout.PlaceOrder
    pay_again: checkout.PayOrderAgain
    open: orders.OpenOrder
    list_own: orders.ListOwnOrders
    cancel_own: orders.CancelOwnOrder
    get: orders.GetOrder
    find: orders.FindOrder
    list: orders.ListOrders
    timeline: orders.GetTimeline
    cancel: orders.CancelOrder
    payments: ListPayments
    capture: CapturePayment
    void: VoidPayment
    refund: RefundOrder
    fulfill: fulfillment.FulfillOrder
    complete: fulfillment.CompleteOrder
    add_note: fulfillment.AddNote


def build_orders(
    policy: Policy,
    core: Core,
    outcomes: PaymentOutcomes,
    order_reader: OrderReader,
    cart_cache: CartCache,
    release: holds.ReleaseExpiredHolds,
) -> Orders:
    """Connect the use cases to the ports."""
    unit_of_work, clock, identifiers = core.unit_of_work, core.clock, core.identifiers
    terms = checkout.PaymentTerms(policy.capture, policy.order_lifetime)
    return Orders(
        place=checkout.PlaceOrder(
            unit_of_work,
            clock,
            identifiers,
            terms,
            policy.sourcing,
            release,
            CartInvalidation(cart_cache),
        ),
        pay_again=checkout.PayOrderAgain(
            unit_of_work, clock, identifiers, terms, policy.sourcing, release
        ),
        open=orders.OpenOrder(order_reader),
        list_own=orders.ListOwnOrders(order_reader),
        cancel_own=orders.CancelOwnOrder(unit_of_work, clock, outcomes),
        get=orders.GetOrder(order_reader),
        find=orders.FindOrder(order_reader),
        list=orders.ListOrders(order_reader),
        timeline=orders.GetTimeline(order_reader),
        cancel=orders.CancelOrder(unit_of_work, clock, outcomes),
        payments=ListPayments(unit_of_work),
        capture=CapturePayment(unit_of_work, clock, outcomes),
        void=VoidPayment(unit_of_work, clock, outcomes),
        refund=RefundOrder(unit_of_work, clock, outcomes),
        fulfill=fulfillment.FulfillOrder(unit_of_work, clock, identifiers),
        complete=fulfillment.CompleteOrder(unit_of_work, clock),
        add_note=fulfillment.AddNote(unit_of_work, clock),
    )

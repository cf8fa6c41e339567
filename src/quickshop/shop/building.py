"""The assembly of a shop: its use cases connected to the ports."""

from __future__ import annotations

from quickshop.application import holds
from quickshop.application.health import CheckInvariants, CheckServices
from quickshop.application.payments import PaymentOutcomes
from quickshop.ports.readers import Readers
from quickshop.shop.accounts import build_accounts, build_staff
from quickshop.shop.cart import build_carts
from quickshop.shop.catalog import build_products
from quickshop.shop.customers import build_customers
from quickshop.shop.front import Shop
from quickshop.shop.imports import build_imports
from quickshop.shop.inventory import build_inventory
from quickshop.shop.jobs import build_jobs
from quickshop.shop.orders import build_orders
from quickshop.shop.payments import build_payments
from quickshop.shop.policy import Policy
from quickshop.shop.wiring import Caches, Core, Outside, Queueing, Security


def build_shop(
    *,
    policy: Policy,
    core: Core,
    readers: Readers,
    caches: Caches,
    security: Security,
    outside: Outside,
    queueing: Queueing,
) -> Shop:
    """Connect the use cases to the ports. Plain calls, so mypy checks every connection."""
    outcomes = PaymentOutcomes(
        core.clock, core.identifiers, policy.payment_patience, policy.order_lifetime
    )
    release = holds.ReleaseExpiredHolds(core.unit_of_work, core.clock)
    products = build_products(policy, core, readers.products, caches.products, outside)
    load, hasher = products.import_file, security.passwords
    return Shop(
        policy=policy,
        products=products,
        imports=build_imports(policy, core, outside.product_feed, readers.imports),
        inventory=build_inventory(policy, core, readers.stock, release),
        carts=build_carts(policy, core, readers.carts, caches.carts, release),
        orders=build_orders(policy, core, outcomes, readers.orders, caches.carts, release),
        payments=build_payments(core.unit_of_work, core.clock, outcomes, outside.webhooks),
        jobs=build_jobs(policy, core, readers, outside, queueing, outcomes, release, load),
        accounts=build_accounts(policy, core, security, readers.identity, caches.sessions),
        customers=build_customers(core, hasher, readers, caches.sessions),
        staff=build_staff(core, hasher, readers, caches.sessions),
        check=CheckInvariants(readers.stock, queueing.queue, core.clock, policy.stuck_after),
        check_services=CheckServices(outside.gateway, outside.notifier),
    )

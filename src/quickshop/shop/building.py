"""How use cases meet ports."""

from __future__ import annotations

from collections.abc import Mapping

from quickshop.application import holds
from quickshop.application.health import CheckInvariants
from quickshop.application.payments import PaymentOutcomes
from quickshop.ports.cache import ProductCache
from quickshop.ports.cart import CartReader
from quickshop.ports.catalog import ProductReader
from quickshop.ports.clock import Clock
from quickshop.ports.credentials import AccessTokens, PasswordHasher
from quickshop.ports.customers import CustomerReader
from quickshop.ports.hot_copies import CartCopies, SessionCopies
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.identity import IdentityReader
from quickshop.ports.imports import ImportReader, ProductFeedReader
from quickshop.ports.inventory import StockReader
from quickshop.ports.jobs import JobPublisher, JobQueue, JobSignal, ScheduleRepository
from quickshop.ports.notifications import Notifier
from quickshop.ports.orders import OrderReader
from quickshop.ports.payments import PaymentGateway, PaymentWebhooks
from quickshop.ports.rich_text import HtmlSanitizer
from quickshop.ports.unit_of_work import UnitOfWork
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


def build_shop(
    *,
    policy: Policy,
    unit_of_work: UnitOfWork,
    clock: Clock,
    identifiers: Identifiers,
    product_reader: ProductReader,
    product_cache: ProductCache,
    cart_reader: CartReader,
    cart_copies: CartCopies,
    order_reader: OrderReader,
    stock_reader: StockReader,
    import_reader: ImportReader,
    product_feed: ProductFeedReader,
    sanitizer: HtmlSanitizer,
    payment_gateway: PaymentGateway,
    payment_webhooks: Mapping[str, PaymentWebhooks],
    notifier: Notifier,
    job_queue: JobQueue,
    job_publisher: JobPublisher,
    job_signal: JobSignal,
    schedules: ScheduleRepository,
    customer_reader: CustomerReader,
    identity_reader: IdentityReader,
    password_hasher: PasswordHasher,
    access_tokens: AccessTokens,
    session_copies: SessionCopies,
) -> Shop:
    """Connect use cases to ports. Plain calls, so mypy checks every connection."""
    outcomes = PaymentOutcomes(clock, identifiers, policy.payment_patience, policy.order_lifetime)
    release = holds.ReleaseExpiredHolds(unit_of_work, clock)
    products = build_products(
        policy,
        unit_of_work,
        clock,
        identifiers,
        product_reader,
        product_cache,
        product_feed,
        sanitizer,
    )
    return Shop(
        policy=policy,
        products=products,
        imports=build_imports(
            policy, unit_of_work, clock, identifiers, product_feed, import_reader
        ),
        inventory=build_inventory(policy, unit_of_work, clock, identifiers, stock_reader, release),
        carts=build_carts(
            policy, unit_of_work, clock, identifiers, cart_reader, cart_copies, release
        ),
        orders=build_orders(
            policy, unit_of_work, clock, identifiers, outcomes, order_reader, cart_copies, release
        ),
        payments=build_payments(unit_of_work, outcomes, payment_webhooks),
        jobs=build_jobs(
            policy,
            unit_of_work,
            clock,
            identifiers,
            outcomes,
            order_reader,
            stock_reader,
            payment_gateway,
            notifier,
            job_queue,
            job_publisher,
            job_signal,
            schedules,
            release,
            import_reader,
            products.import_file,
        ),
        accounts=build_accounts(
            policy,
            unit_of_work,
            clock,
            identifiers,
            password_hasher,
            access_tokens,
            identity_reader,
            session_copies,
        ),
        customers=build_customers(
            unit_of_work,
            clock,
            identifiers,
            password_hasher,
            customer_reader,
            identity_reader,
            cart_reader,
            order_reader,
            session_copies,
        ),
        staff=build_staff(
            unit_of_work,
            clock,
            identifiers,
            password_hasher,
            identity_reader,
            customer_reader,
            session_copies,
        ),
        check=CheckInvariants(stock_reader, job_queue, clock, policy.stuck_after),
    )

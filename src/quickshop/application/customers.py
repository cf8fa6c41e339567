"""Use cases about customers: their profile, what is known of them, and having it forgotten."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from quickshop.application.identity.passwords import CheckPassword, require_proven
from quickshop.application.identity.staff import require_above
from quickshop.application.permissions import needs
from quickshop.application.retries import retried
from quickshop.domain.customers import (
    Address,
    ConsentPurpose,
    Customer,
    CustomerId,
    SavedAddress,
    SavedAddressId,
    erased_email,
    normalize_email,
)
from quickshop.domain.errors import NotFoundError, OrdersInProgressError
from quickshop.domain.identity import AccountId, AccountStatus, Permission, SessionId
from quickshop.ports.cache import SessionCache
from quickshop.ports.cart import CartReader, CartView
from quickshop.ports.clock import Clock
from quickshop.ports.customers import CustomerQuery, CustomerReader, CustomerView, SentMessage
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.identity import Caller, IdentityReader, SessionView
from quickshop.ports.orders import OrderQuery, OrderReader, OrderView
from quickshop.ports.paging import DEFAULT_LIMIT, MAX_LIMIT, Page
from quickshop.ports.unit_of_work import UnitOfWork

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class GetProfile:
    """Show a customer what the shop knows of them."""

    customers: CustomerReader

    def __call__(self, customer_id: CustomerId) -> CustomerView:
        """Read only.

        Raises:
            NotFoundError: no such customer.
        """
        return self.customers.get(customer_id)


@dataclass(frozen=True, slots=True)
class Editing:
    """How a customer is changed: read, decided, saved and shown in one transaction."""

    unit_of_work: UnitOfWork
    clock: Clock

    @retried
    def __call__(
        self, customer_id: CustomerId, change: Callable[[Customer], None]
    ) -> CustomerView:
        """The customer afterwards.

        Raises:
            NotFoundError: no such customer.
        """
        with self.unit_of_work() as tx:
            account = tx.accounts.get(AccountId(customer_id))
            if account.status is AccountStatus.ERASED:  # its session may be believed for a moment
                raise NotFoundError("customer")
            customer = tx.customers.get(customer_id)
            change(customer)
            if customer.has_unsaved_events:
                tx.customers.save(customer)
            return CustomerView.of(account, customer)


@dataclass(frozen=True, slots=True)
class UpdateProfile:
    """Change a customer's name, phone, or consent to be written to."""

    clock: Clock
    edit: Editing

    def __call__(
        self,
        customer_id: CustomerId,
        *,
        name: str | None = None,
        phone: str | None = None,
        marketing_consent: bool | None = None,
    ) -> CustomerView:
        """What is None stays as it is; an empty text clears it. When consent was given is kept.

        Raises:
            NotFoundError: no such customer.
            InvalidValueError: with the field that is wrong.
        """
        now = self.clock.now()

        def change(customer: Customer) -> None:
            if name is not None or phone is not None:
                customer.update_profile(name=name, phone=phone, now=now)
            if marketing_consent is not None:
                customer.record_consent(
                    ConsentPurpose.MARKETING, granted=marketing_consent, now=now
                )

        return self.edit(customer_id, change)


@dataclass(frozen=True, slots=True)
class SaveAddress:
    """Put an address into a customer's book, or replace one."""

    clock: Clock
    edit: Editing
    identifiers: Identifiers

    def __call__(
        self,
        customer_id: CustomerId,
        address: Address,
        *,
        address_id: SavedAddressId | None = None,
        is_default: bool = False,
    ) -> SavedAddress:
        """Without an `address_id` it is a new one.

        Raises:
            NotFoundError: no such customer, or no address of that id in their book.
            InvalidValueError: the book is full.
        """
        now = self.clock.now()
        saved = SavedAddress(
            id=address_id or SavedAddressId(self.identifiers.new()),
            address=address,
            is_default=is_default,
        )

        def change(customer: Customer) -> None:
            if address_id is not None:
                customer.require_address(address_id)
            customer.save_address(saved, now=now)

        view = self.edit(customer_id, change)
        return next(each for each in view.addresses if each.id == saved.id)


@dataclass(frozen=True, slots=True)
class RemoveAddress:
    """Take an address out of a customer's book."""

    clock: Clock
    edit: Editing

    def __call__(self, customer_id: CustomerId, address_id: SavedAddressId) -> None:
        """Orders keep the address that they were placed with.

        Raises:
            NotFoundError: no such customer, or no such address in their book.
        """
        now = self.clock.now()
        self.edit(customer_id, lambda customer: customer.remove_address(address_id, now=now))


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnData:
    """What the shop knows of a customer, all of each.

    Left out is what is not theirs to read: hashes and digests of secrets; what staff wrote about
    orders, and the ledgers behind them (payments, stock). API keys that they made at work belong
    to the shop, and keys of requests with their answers repeat what stands here. Which mails with
    a secret were theirs is not recorded.
    """

    customer: CustomerView
    """With the roles that they work in, and all that they consented to or no longer do."""
    sessions: Sequence[SessionView]
    """Also those that ended, as long as they are kept."""
    carts: Sequence[CartView]
    orders: Sequence[OrderView]
    messages: Sequence[SentMessage]


@dataclass(frozen=True, slots=True)
class ExportOwnData:
    """Hand somebody all that the shop knows of them (article 15 of the GDPR)."""

    customers: CustomerReader
    identity: IdentityReader
    carts: CartReader
    orders: OrderReader

    def __call__(self, customer_id: CustomerId) -> OwnData:
        """Read only.

        Raises:
            NotFoundError: no such customer.
        """
        return OwnData(
            customer=self.customers.get(customer_id),
            sessions=self.identity.kept_sessions(AccountId(customer_id)),
            carts=_all(
                lambda cursor: self.carts.of_customer(customer_id, limit=MAX_LIMIT, cursor=cursor)
            ),
            orders=_all(
                lambda cursor: self.orders.list(
                    OrderQuery(customer_id=customer_id, limit=MAX_LIMIT, cursor=cursor)
                )
            ),
            messages=self.customers.messages(customer_id),
        )


def _all(page_after: Callable[[str | None], Page[T]]) -> Sequence[T]:
    page = page_after(None)
    found = list(page.items)
    while page.next_cursor is not None:
        page = page_after(page.next_cursor)
        found.extend(page.items)
    return found


@dataclass(frozen=True, slots=True)
class Erasing:
    """How somebody is forgotten (article 17 of the GDPR)."""

    unit_of_work: UnitOfWork
    clock: Clock
    cache: SessionCache

    def __call__(
        self, customer_id: CustomerId, by: Caller | None, *, proven: str | None = None
    ) -> None:
        """Orders stay, and neither they nor what was written about them tell who placed them.

        Orders that a guest placed with the same address are not this customer's, and stay as
        they are: whoever holds their secret may still ask where the parcel is.

        `proven` is what was kept of the password when its owner proved to know it.

        Raises:
            InvalidCredentialsError: another password was chosen since.
            NotFoundError: no such customer, or erased before.
            AccountHasRolesError: they work here: take them out of their roles first.
            OrdersInProgressError: orders on their way need the address.
            PrivilegeEscalationError: the account holds more than `by` does.
        """
        self.cache.forget(*map(str, self._erase(customer_id, by, proven)))

    @retried
    def _erase(
        self, customer_id: CustomerId, by: Caller | None, proven: str | None
    ) -> Sequence[SessionId]:
        now = self.clock.now()
        with self.unit_of_work() as tx:
            if proven is not None:
                require_proven(tx, AccountId(customer_id), proven)
            account = tx.accounts.get(AccountId(customer_id))
            require_above(tx, by, account)
            if under_way := tx.orders.under_way(customer_id):
                raise OrdersInProgressError(under_way[:5])
            email, nobody = account.email, erased_email(customer_id)
            account.erase(now=now)
            tx.accounts.save(account)
            customer = tx.customers.get(customer_id)
            customer.erase(now=now)
            tx.customers.save(customer)
            ended = tx.sessions.forget_of(account.id)
            tx.orders.anonymize(customer_id, email=nobody)
            tx.notifications.forget_recipient(customer_id, instead=nobody)
            tx.one_time_tokens.forget_of(account.id, email)
            tx.idempotency.forget_of(f"account:{customer_id}")
            tx.personal_data.erase(customer_id)
            return ended


@dataclass(frozen=True, slots=True)
class EraseOwnAccount:
    """Have the shop forget who one is, for good."""

    erase: Erasing
    check: CheckPassword

    def __call__(self, customer_id: CustomerId, *, password: str) -> None:
        """Whoever asks proves once more who they are.

        Raises:
            InvalidCredentialsError: it is not the password.
            AccountHasRolesError: one works here: that ends first.
            OrdersInProgressError: orders on their way need the address.
            OverloadedError: too many are signing in right now.
        """
        proven = self.check(AccountId(customer_id), password)
        self.erase(customer_id, None, proven=proven)


@needs(Permission.CUSTOMERS_WRITE)
@dataclass(frozen=True, slots=True)
class EraseCustomer:
    """Forget who a customer is, because they asked for it."""

    erase: Erasing

    def __call__(self, customer_id: CustomerId, *, by: Caller | None = None) -> None:
        """There is no way back.

        Raises:
            NotFoundError: no such customer, or erased before.
            AccountHasRolesError: they work here: take them out of their roles first.
            OrdersInProgressError: orders on their way need the address.
            PrivilegeEscalationError: the account holds more than `by` does.
        """
        self.erase(customer_id, by)


@needs(Permission.CUSTOMERS_READ)
@dataclass(frozen=True, slots=True)
class GetCustomer:
    """Show a customer to staff."""

    customers: CustomerReader

    def __call__(self, customer_id: CustomerId) -> CustomerView:
        """Read only.

        Raises:
            NotFoundError: no such customer.
        """
        return self.customers.get(customer_id)


@needs(Permission.CUSTOMERS_READ)
@dataclass(frozen=True, slots=True)
class ListCustomers:
    """List and find customers."""

    customers: CustomerReader

    def __call__(
        self, *, email: str | None = None, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[CustomerView]:
        """The newest first; with an `email` whoever has it.

        Raises:
            InvalidValueError: the address is none, or limit or cursor is not what it should be.
        """
        wanted = None if email is None else normalize_email(email)
        return self.customers.list(CustomerQuery(email=wanted, limit=limit, cursor=cursor))

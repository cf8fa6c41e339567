"""Use cases for customers: profile, export and erasure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from quickshop.application.identity.passwords import CheckPassword, require_proven
from quickshop.application.identity.staff import require_above
from quickshop.application.permissions import needs
from quickshop.application.repeated_transactions import retried
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
    """Return a customer's own profile."""

    customers: CustomerReader

    def __call__(self, customer_id: CustomerId) -> CustomerView:
        """Return the profile. Read only.

        Raises:
            NotFoundError: no customer has this id.
        """
        return self.customers.get(customer_id)


@dataclass(frozen=True, slots=True)
class Editing:
    """Changes a customer: loads, decides, saves and returns it in one transaction."""

    unit_of_work: UnitOfWork

    @retried
    def __call__(
        self, customer_id: CustomerId, change: Callable[[Customer], None]
    ) -> CustomerView:
        """Apply the change, and return the changed customer.

        Raises:
            NotFoundError: no customer has this id.
        """
        with self.unit_of_work() as tx:
            account = tx.accounts.get(AccountId(customer_id))
            if account.status is AccountStatus.ERASED:  # a cached session may be live for a moment
                raise NotFoundError("customer")
            customer = tx.customers.get(customer_id)
            change(customer)
            if customer.has_unsaved_events:
                tx.customers.save(customer)
            return CustomerView.of(account, customer)


@dataclass(frozen=True, slots=True)
class UpdateProfile:
    """Change a customer's name, phone, or consent to marketing emails."""

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
        """Change the given fields. None leaves a field as it is; an empty text clears it.

        The time of each consent is recorded.

        Raises:
            NotFoundError: no customer has this id.
            InvalidValueError: a value is invalid; the error names the field.
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
    """Add an address to a customer's address book, or replace one."""

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
        """Save the address. Without an `address_id` it is added.

        Raises:
            NotFoundError: no customer, or no address in their book, has this id.
            InvalidValueError: the address book is full.
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
    """Remove an address from a customer's address book."""

    clock: Clock
    edit: Editing

    def __call__(self, customer_id: CustomerId, address_id: SavedAddressId) -> None:
        """Remove the address. Orders keep the address they were placed with.

        Raises:
            NotFoundError: no customer, or no address in their book, has this id.
        """
        now = self.clock.now()
        self.edit(customer_id, lambda customer: customer.remove_address(address_id, now=now))


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnData:
    """All data about a customer.

    It excludes hashes and digests of secrets, notes of staff on orders, and the ledgers behind the
    orders (payments, stock). API keys made as staff belong to the shop. Idempotency records repeat
    data from here. The recipients of emails with a secret are not recorded.
    """

    customer: CustomerView
    """The profile, with staff roles and all consents given and withdrawn."""
    sessions: Sequence[SessionView]
    """Includes ended sessions while they are kept."""
    carts: Sequence[CartView]
    orders: Sequence[OrderView]
    messages: Sequence[SentMessage]


@dataclass(frozen=True, slots=True)
class ExportOwnData:
    """Export all data about a customer (GDPR, article 15)."""

    customers: CustomerReader
    identity: IdentityReader
    carts: CartReader
    orders: OrderReader

    def __call__(self, customer_id: CustomerId) -> OwnData:
        """Return the data. Read only.

        Raises:
            NotFoundError: no customer has this id.
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
    """Erases the personal data of a customer (GDPR, article 17)."""

    unit_of_work: UnitOfWork
    clock: Clock
    cache: SessionCache

    def __call__(
        self, customer_id: CustomerId, by: Caller | None, *, proven: str | None = None
    ) -> None:
        """Erase the customer. Their orders and the records about them stay, without personal data.

        Guest orders with the same email address do not belong to this customer and stay unchanged,
        because the guest may still need to track them.

        `proven` is the stored hash of the password that the owner proved.

        Raises:
            InvalidCredentialsError: the password has changed since.
            NotFoundError: no customer has this id, or it was erased.
            AccountHasRolesError: the account has staff roles; revoke them first.
            OrdersInProgressError: orders in progress need the address.
            PrivilegeEscalationError: the account has permissions that `by` lacks.
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
            email, anonymous = account.email, erased_email(customer_id)
            account.erase(now=now)
            tx.accounts.save(account)
            customer = tx.customers.get(customer_id)
            customer.erase(now=now)
            tx.customers.save(customer)
            ended = tx.sessions.delete_of(account.id)
            tx.orders.anonymize(customer_id, email=anonymous)
            tx.notifications.replace_recipient(customer_id, instead=anonymous)
            tx.one_time_tokens.delete_of(account.id, email)
            tx.idempotency.delete_of(f"account:{customer_id}")
            tx.personal_data.erase(customer_id)
            return ended


@dataclass(frozen=True, slots=True)
class EraseOwnAccount:
    """Erase an account permanently at its owner's request."""

    erase: Erasing
    check: CheckPassword

    def __call__(self, customer_id: CustomerId, *, password: str) -> None:
        """Verify the password, then erase the account.

        Raises:
            InvalidCredentialsError: the password is wrong.
            AccountHasRolesError: the account has staff roles, which must be revoked first.
            OrdersInProgressError: orders in progress need the address.
            OverloadedError: too many passwords are being hashed.
        """
        proven = self.check(AccountId(customer_id), password)
        self.erase(customer_id, None, proven=proven)


@needs(Permission.CUSTOMERS_WRITE)
@dataclass(frozen=True, slots=True)
class EraseCustomer:
    """Erase a customer at their request."""

    erase: Erasing

    def __call__(self, customer_id: CustomerId, *, by: Caller | None = None) -> None:
        """Erase the customer. This cannot be undone.

        Raises:
            NotFoundError: no customer has this id, or it was erased.
            AccountHasRolesError: the account has staff roles; revoke them first.
            OrdersInProgressError: orders in progress need the address.
            PrivilegeEscalationError: the account has permissions that `by` lacks.
        """
        self.erase(customer_id, by)


@needs(Permission.CUSTOMERS_READ)
@dataclass(frozen=True, slots=True)
class GetCustomer:
    """Return a customer for staff."""

    customers: CustomerReader

    def __call__(self, customer_id: CustomerId) -> CustomerView:
        """Return the customer. Read only.

        Raises:
            NotFoundError: no customer has this id.
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
        """Return customers, newest first; with `email`, only the one with this address.

        Raises:
            InvalidValueError: email, limit or cursor is invalid.
        """
        wanted = None if email is None else normalize_email(email)
        return self.customers.list(CustomerQuery(email=wanted, limit=limit, cursor=cursor))

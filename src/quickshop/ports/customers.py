"""What the shop needs from whoever keeps its customers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Self

from quickshop.domain.customers import Consent, Customer, CustomerId, SavedAddress
from quickshop.domain.identity import Account, AccountStatus
from quickshop.domain.notifications import MessageKind
from quickshop.domain.orders import OrderId
from quickshop.ports.paging import DEFAULT_LIMIT, Page


class CustomerRepository(Protocol):
    """The customers, as seen from inside one transaction."""

    def get(self, customer_id: CustomerId) -> Customer:
        """The customer, locked until the transaction ends.

        Raises:
            NotFoundError: there is none with this id.
        """
        ...

    def add(self, customer: Customer) -> None:
        """Store a new customer, whose account was stored before."""
        ...

    def save(self, customer: Customer) -> None:
        """Store the changes of a customer got from here.

        Raises:
            ConflictError: it was saved by someone else since it was got.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerView:
    """A customer as they and staff see them."""

    id: CustomerId
    email: str
    status: AccountStatus
    name: str
    phone: str | None
    addresses: Sequence[SavedAddress]
    consents: Sequence[Consent]
    created_at: datetime
    roles: Sequence[str] = ()

    @classmethod
    def of(cls, account: Account, customer: Customer) -> Self:
        """The customer, with the account."""
        return cls(
            id=customer.id,
            email=account.email,
            status=account.status,
            name=customer.name,
            phone=customer.phone,
            addresses=customer.addresses,
            consents=customer.consents,
            created_at=customer.created_at,
            roles=sorted(account.roles),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerQuery:
    """Which customers to list, newest first. Every criterion given must hold."""

    email: str | None = None
    """Exactly this address, case-folded."""
    staff: bool = False
    """Only those who are in a role."""
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """That the shop wrote to somebody."""

    kind: MessageKind
    order_id: OrderId | None
    """None when it was about their account."""
    sent_at: datetime


class CustomerReader(Protocol):
    """Customers as people read them; no transaction needed."""

    def get(self, customer_id: CustomerId) -> CustomerView:
        """The customer.

        Raises:
            NotFoundError: there is none with this id.
        """
        ...

    def list(self, query: CustomerQuery) -> Page[CustomerView]:
        """One page of customers.

        Raises:
            InvalidValueError: limit or cursor is not what it should be.
        """
        ...

    def messages(self, customer_id: CustomerId) -> Sequence[SentMessage]:
        """What was sent about a customer's orders and account, the first first.

        Not the mails with a secret in them: it is not recorded whose account those were about.
        """
        ...

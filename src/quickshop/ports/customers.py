"""Ports that store and read customers."""

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
    """The customers in one transaction."""

    def get(self, customer_id: CustomerId) -> Customer:
        """Return the customer, locked until the transaction ends.

        Raises:
            NotFoundError: no customer has this id.
        """
        ...

    def add(self, customer: Customer) -> None:
        """Store a new customer. Store the account first."""
        ...

    def save(self, customer: Customer) -> None:
        """Store the changes of a customer read in this transaction.

        Raises:
            ConflictError: another transaction saved the customer since it was read.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerView:
    """A customer as the customer and staff see it."""

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
        """Return the view of a customer and their account."""
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
    """Criteria for a list of customers, newest first. All given criteria must match."""

    email: str | None = None
    """The whole email address, case-folded."""
    staff: bool = False
    """Only customers with roles."""
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """A message that the shop sent to a customer."""

    kind: MessageKind
    order_id: OrderId | None
    """None if the message was about the account."""
    sent_at: datetime


class CustomerReader(Protocol):
    """Reads customers without a transaction."""

    def get(self, customer_id: CustomerId) -> CustomerView:
        """Return the customer with this id.

        Raises:
            NotFoundError: no customer has this id.
        """
        ...

    def list(self, query: CustomerQuery) -> Page[CustomerView]:
        """Return one page of customers.

        Raises:
            InvalidValueError: limit or cursor is invalid.
        """
        ...

    def messages(self, customer_id: CustomerId) -> Sequence[SentMessage]:
        """Return the messages about a customer's orders and account, oldest first.

        Emails with a secret are not included, because their records do not name the account.
        """
        ...

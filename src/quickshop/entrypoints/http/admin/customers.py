"""Admin routes for customers and active carts."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, Field

from quickshop.application.cart import ListActiveCarts
from quickshop.application.customers import EraseCustomer, GetCustomer, ListCustomers
from quickshop.application.identity.staff import DisableAccount, EnableAccount
from quickshop.domain.customers import MAX_EMAIL_LENGTH, CustomerId
from quickshop.domain.identity import AccountId, AccountStatus
from quickshop.entrypoints.http.account import ProfileOut, profile_facts
from quickshop.entrypoints.http.admin.shared import staff_problems
from quickshop.entrypoints.http.dependencies import (
    WHOLE_NUMBER,
    Cursor,
    Limit,
    QueryText,
    ShopDependency,
    SignedInCaller,
)
from quickshop.entrypoints.http.edge.audience import open_to, staff
from quickshop.entrypoints.http.edge.guard import GuardedRoute
from quickshop.entrypoints.http.models import Output, nothing, private
from quickshop.entrypoints.http.texts import EMAIL
from quickshop.ports.customers import CustomerView
from quickshop.ports.paging import DEFAULT_LIMIT

router = APIRouter(prefix="/v1/admin", tags=["admin: customers"], route_class=GuardedRoute)

MAX_HOURS = 24 * 365


class AdminCustomerOut(ProfileOut):
    """A customer with the fields for staff."""

    status: AccountStatus
    roles: tuple[str, ...]
    """Staff roles; empty for customers."""


class CustomerPage(Output):
    """A page of customers, newest first, and the cursor of the next page."""

    items: tuple[AdminCustomerOut, ...]
    next_cursor: str | None


class ActiveCartOut(Output):
    """A cart that can still be checked out."""

    id: UUID
    customer_id: UUID | None
    """Null for a guest's cart."""
    lines: int
    units: int
    changed_at: AwareDatetime


class ActiveCartPage(Output):
    """A page of carts, newest first, and the cursor of the next page."""

    items: tuple[ActiveCartOut, ...]
    next_cursor: str | None


def customer_of(view: CustomerView) -> AdminCustomerOut:
    """Return the customer with the fields for staff."""
    return AdminCustomerOut.of(view, **profile_facts(view))


@router.get(
    "/customers",
    operation_id="list_customers",
    response_model=CustomerPage,
    responses=staff_problems(422),
)
@open_to(staff(ListCustomers))
def list_customers(
    shop: ShopDependency,
    email: Annotated[
        Annotated[QueryText, EMAIL] | None,
        Query(max_length=MAX_EMAIL_LENGTH, description="The exact email address."),
    ] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """List customers, or find one by email address."""
    page = shop.customers.list(email=email, limit=limit, cursor=cursor)
    items = tuple(customer_of(view) for view in page.items)
    return private(CustomerPage(items=items, next_cursor=page.next_cursor))


@router.get(
    "/customers/{customer_id}",
    operation_id="get_customer",
    response_model=AdminCustomerOut,
    responses=staff_problems(404, 422),
)
@open_to(staff(GetCustomer))
def get_customer(shop: ShopDependency, customer_id: UUID) -> Response:
    """Return a customer. Their orders: `GET /v1/admin/orders?customer_id=…`."""
    return private(customer_of(shop.customers.get(CustomerId(customer_id))))


@router.post(
    "/customers/{customer_id}/disable",
    operation_id="disable_account",
    status_code=204,
    responses=staff_problems(404, 409, 413, 422),
)
@open_to(staff(DisableAccount))
def disable_account(shop: ShopDependency, caller: SignedInCaller, customer_id: UUID) -> Response:
    """Disable an account. Its sessions end in every process within 5 s."""
    shop.staff.disable(AccountId(customer_id), by=caller)
    return nothing()


@router.post(
    "/customers/{customer_id}/enable",
    operation_id="enable_account",
    status_code=204,
    responses=staff_problems(404, 409, 413, 422),
)
@open_to(staff(EnableAccount))
def enable_account(shop: ShopDependency, caller: SignedInCaller, customer_id: UUID) -> Response:
    """Enable an account."""
    shop.staff.enable(AccountId(customer_id), by=caller)
    return nothing()


@router.post(
    "/customers/{customer_id}/erase",
    operation_id="erase_customer",
    status_code=204,
    responses=staff_problems(404, 409, 413, 422),
)
@open_to(staff(EraseCustomer))
def erase_customer(shop: ShopDependency, caller: SignedInCaller, customer_id: UUID) -> Response:
    """Erase a customer's personal data at their request. This cannot be undone."""
    shop.customers.erase(CustomerId(customer_id), by=caller)
    return nothing()


@router.get(
    "/carts",
    operation_id="list_active_carts",
    response_model=ActiveCartPage,
    responses=staff_problems(422),
)
@open_to(staff(ListActiveCarts))
def list_active_carts(
    shop: ShopDependency,
    hours: Annotated[
        int,
        Field(ge=1, le=MAX_HOURS),
        WHOLE_NUMBER,
        Query(description="Changed within this number of hours."),
    ] = 24,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """List the active carts: open, and not empty."""
    within = timedelta(hours=hours)
    return private(ActiveCartPage.of(shop.carts.active(within, limit=limit, cursor=cursor)))

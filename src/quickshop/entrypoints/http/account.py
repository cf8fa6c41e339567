"""Routes for signed-in customers to manage their own account and data."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import anyio.to_thread
from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, Field

from quickshop.domain.customers import (
    MAX_FIELD_LENGTH,
    ConsentPurpose,
    SavedAddress,
    SavedAddressId,
)
from quickshop.domain.identity import Permission, SessionId
from quickshop.domain.notifications import MessageKind
from quickshop.entrypoints.http.auth import Asked, Email, GivenPassword, NewPassword, take
from quickshop.entrypoints.http.cart import CartOut
from quickshop.entrypoints.http.customers import AddressIn, AddressOut
from quickshop.entrypoints.http.dependencies import (
    OwnCustomerId,
    ShopDependency,
    SignedInCaller,
)
from quickshop.entrypoints.http.edge.audience import ACCOUNT, open_to
from quickshop.entrypoints.http.edge.credentials import clear_cookies
from quickshop.entrypoints.http.edge.guard import GuardedRoute, guard_of
from quickshop.entrypoints.http.edge.hashing import hashing
from quickshop.entrypoints.http.edge.problems import problems
from quickshop.entrypoints.http.models import Input, Output, nothing, private
from quickshop.entrypoints.http.orders import OrderOut
from quickshop.entrypoints.http.texts import EMPTY_OR_NOT_BLANK
from quickshop.ports.customers import CustomerView
from quickshop.ports.identity import Caller

router = APIRouter(prefix="/v1/me", tags=["me"], route_class=GuardedRoute)


class SavedAddressOut(Output):
    """A saved address."""

    id: UUID
    address: AddressOut
    is_default: bool


class ConsentOut(Output):
    """A consent given or withdrawn, and its time."""

    purpose: ConsentPurpose
    granted: bool
    at: AwareDatetime


class ProfileOut(Output):
    """The profile of a customer."""

    id: UUID
    email: str
    name: str
    phone: str | None
    marketing_consent: bool
    addresses: tuple[SavedAddressOut, ...]
    consents: tuple[ConsentOut, ...]
    """All consents given and withdrawn, oldest first."""
    created_at: AwareDatetime


class OwnProfileOut(ProfileOut):
    """Your own profile and permissions."""

    roles: tuple[str, ...]
    """Your staff roles; empty for shoppers."""
    permissions: tuple[Permission, ...]
    """All permissions of these roles, including implied ones."""


_ClearableLine = Annotated[str, Field(max_length=MAX_FIELD_LENGTH), EMPTY_OR_NOT_BLANK]


class ProfileChange(Input):
    """The fields to change. Absent fields stay. An empty text clears a field."""

    name: _ClearableLine | None = None
    phone: _ClearableLine | None = None
    marketing_consent: bool | None = None


class SavedAddressIn(Input):
    """An address to save."""

    address: AddressIn
    is_default: bool = False


class SessionOut(Output):
    """A signed-in device."""

    id: UUID
    device: str
    """The device's description of itself."""
    address: str
    """The IP address it signed in from."""
    created_at: AwareDatetime
    last_used_at: AwareDatetime
    expires_at: AwareDatetime
    current: bool = False
    """Whether this request uses the session."""


class Sessions(Output):
    """Your sessions, the most recently used first."""

    items: tuple[SessionOut, ...]


class PasswordChange(Input):
    """The current password and the new one."""

    current_password: GivenPassword
    new_password: NewPassword


class EmailChange(Input):
    """The new address and the current password."""

    email: Email
    password: GivenPassword


class Proof(Input):
    """The current password."""

    password: GivenPassword


class OwnSessionOut(SessionOut):
    """A device that is or was signed in."""

    revoked_at: AwareDatetime | None
    """When the session ended."""


class SentMessageOut(Output):
    """A record of an email that the shop sent."""

    kind: MessageKind
    order_id: UUID | None
    """Null for emails about the account."""
    sent_at: AwareDatetime


class OwnDataOut(Output):
    """All data about a customer, except hashes of secrets."""

    customer: ProfileOut
    roles: tuple[str, ...]
    """Staff roles."""
    sessions: tuple[OwnSessionOut, ...]
    """Includes ended sessions while they are kept."""
    carts: tuple[CartOut, ...]
    """Carts that were not checked out."""
    orders: tuple[OrderOut, ...]
    messages: tuple[SentMessageOut, ...]
    """Emails about orders and the account, except links with a secret."""


def profile_facts(view: CustomerView) -> dict[str, bool]:
    """Return the derived fields of a customer."""
    said = {consent.purpose: consent.granted for consent in view.consents}
    return {"marketing_consent": said.get(ConsentPurpose.MARKETING, False)}


def profile_of(view: CustomerView) -> ProfileOut:
    """Return the profile that a customer sees."""
    return ProfileOut.of(view, **profile_facts(view))


def _own_profile(view: CustomerView, caller: Caller) -> Response:
    may = tuple(sorted(caller.permissions))
    return private(OwnProfileOut.of(view, **profile_facts(view), permissions=may))


def _saved(saved: SavedAddress) -> SavedAddressOut:
    return SavedAddressOut.of(saved)


@router.get("", operation_id="get_profile", response_model=OwnProfileOut, responses=problems(503))
@open_to(ACCOUNT)
def get_profile(shop: ShopDependency, me: OwnCustomerId, caller: SignedInCaller) -> Response:
    """Return your profile and your permissions."""
    return _own_profile(shop.customers.profile(me), caller)


@router.patch(
    "",
    operation_id="update_profile",
    response_model=OwnProfileOut,
    responses=problems(400, 409, 413, 415, 422, 503),
)
@open_to(ACCOUNT)
async def update_profile(
    request: Request,
    shop: ShopDependency,
    me: OwnCustomerId,
    caller: SignedInCaller,
    body: ProfileChange,
) -> Response:
    """Change your name, phone, or consent to marketing emails."""
    if body.marketing_consent is not None:  # each change is recorded permanently
        await take(request, guard_of(request.scope).limits.of_own_data(me))
    view = await anyio.to_thread.run_sync(
        lambda: shop.customers.update(
            me, name=body.name, phone=body.phone, marketing_consent=body.marketing_consent
        )
    )
    return _own_profile(view, caller)


@router.post(
    "/addresses",
    operation_id="save_address",
    status_code=201,
    response_model=SavedAddressOut,
    responses=problems(400, 409, 413, 415, 422, 503),
)
@open_to(ACCOUNT)
def save_address(shop: ShopDependency, me: OwnCustomerId, body: SavedAddressIn) -> Response:
    """Save an address."""
    address = body.address.to_domain("address")
    saved = shop.customers.save_address(me, address, is_default=body.is_default)
    return private(_saved(saved), status=201)


@router.put(
    "/addresses/{address_id}",
    operation_id="replace_address",
    response_model=SavedAddressOut,
    responses=problems(400, 404, 409, 413, 415, 422, 503),
)
@open_to(ACCOUNT)
def replace_address(
    shop: ShopDependency, me: OwnCustomerId, address_id: UUID, body: SavedAddressIn
) -> Response:
    """Replace a saved address."""
    saved = shop.customers.save_address(
        me,
        body.address.to_domain("address"),
        address_id=SavedAddressId(address_id),
        is_default=body.is_default,
    )
    return private(_saved(saved))


@router.delete(
    "/addresses/{address_id}",
    operation_id="remove_address",
    status_code=204,
    responses=problems(404, 409, 413, 422, 503),
)
@open_to(ACCOUNT)
def remove_address(shop: ShopDependency, me: OwnCustomerId, address_id: UUID) -> Response:
    """Remove a saved address. Orders keep theirs."""
    shop.customers.remove_address(me, SavedAddressId(address_id))
    return nothing()


@router.get(
    "/sessions", operation_id="list_sessions", response_model=Sessions, responses=problems(503)
)
@open_to(ACCOUNT)
def list_sessions(shop: ShopDependency, caller: SignedInCaller) -> Response:
    """List your sessions."""
    views = shop.accounts.sessions(caller.account_id)
    items = tuple(SessionOut.of(view, current=view.id == caller.session_id) for view in views)
    return private(Sessions(items=items))


@router.delete(
    "/sessions/{session_id}",
    operation_id="end_session",
    status_code=204,
    responses=problems(404, 413, 422, 503),
)
@open_to(ACCOUNT)
def end_session(
    request: Request, shop: ShopDependency, caller: SignedInCaller, session_id: UUID
) -> Response:
    """Sign a device out."""
    shop.accounts.end_session(caller.account_id, SessionId(session_id))
    guard_of(request.scope).forget(str(session_id))
    return nothing()


@router.post(
    "/password",
    operation_id="change_password",
    status_code=204,
    responses=problems(400, 401, 413, 415, 422, 503),
)
@open_to(ACCOUNT)
async def change_password(
    request: Request, shop: ShopDependency, caller: SignedInCaller, body: PasswordChange
) -> Response:
    """Change your password. Every other device is signed out, and you are notified by email."""
    limits = guard_of(request.scope).limits
    await take(request, limits.of_own_data(caller.account_id))
    await hashing(
        request,
        lambda: shop.accounts.change_password(
            caller.account_id,
            current=body.current_password,
            new=body.new_password,
            keep=caller.session_id,
        ),
    )
    return nothing()


@router.post(
    "/email",
    operation_id="request_email_change",
    status_code=202,
    response_model=Asked,
    responses=problems(400, 401, 413, 415, 422, 503),
)
@open_to(ACCOUNT)
async def request_email_change(
    request: Request, shop: ShopDependency, caller: SignedInCaller, body: EmailChange
) -> Response:
    """Request a change of your email address. Confirm it with the link sent to the new address."""
    limits = guard_of(request.scope).limits
    await take(request, limits.of_own_data(caller.account_id))
    await hashing(
        request,
        lambda: shop.accounts.request_email_change(
            caller.account_id, email=body.email, password=body.password
        ),
    )
    return private(Asked(detail="Check the inbox of the new address."), status=202)


@router.get(
    "/export", operation_id="export_own_data", response_model=OwnDataOut, responses=problems(503)
)
@open_to(ACCOUNT)
async def export_own_data(
    request: Request, shop: ShopDependency, me: OwnCustomerId, caller: SignedInCaller
) -> Response:
    """Export all data about you."""
    await take(request, guard_of(request.scope).limits.of_own_data(me))
    data = await anyio.to_thread.run_sync(shop.customers.export, me)
    return private(
        OwnDataOut(
            customer=profile_of(data.customer),
            roles=tuple(data.customer.roles),
            sessions=tuple(
                OwnSessionOut.of(each, current=each.id == caller.session_id)
                for each in data.sessions
            ),
            carts=tuple(CartOut.of(each) for each in data.carts),
            orders=tuple(OrderOut.of(each) for each in data.orders),
            messages=tuple(SentMessageOut.of(each) for each in data.messages),
        ),
        headers={"Content-Disposition": 'attachment; filename="my-data.json"'},
    )


@router.post(
    "/erase",
    operation_id="erase_own_account",
    status_code=204,
    responses=problems(400, 401, 409, 413, 415, 422, 503),
)
@open_to(ACCOUNT)
async def erase_own_account(
    request: Request, shop: ShopDependency, caller: SignedInCaller, me: OwnCustomerId, body: Proof
) -> Response:
    """Erase your account permanently. Your orders stay, without your personal data."""
    limits = guard_of(request.scope).limits
    await take(request, limits.of_own_data(caller.account_id))
    await hashing(request, lambda: shop.customers.erase_own(me, password=body.password))
    guard_of(request.scope).forget(str(caller.session_id))
    answer = nothing()
    clear_cookies(answer)
    return answer

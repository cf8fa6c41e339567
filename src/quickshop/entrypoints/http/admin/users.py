"""Admin routes for staff users, roles and API keys."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, AwareDatetime, Field

from quickshop.application.identity.roles import (
    ListApiKeys,
    ListRoles,
    MakeApiKey,
    RemoveRole,
    RevokeApiKey,
    SetRole,
)
from quickshop.application.identity.staff import GrantRole, InviteUser, ListUsers, RevokeRole
from quickshop.domain.identity import (
    BUILT_IN_ROLES,
    MAX_API_KEY_NAME_LENGTH,
    MAX_ROLE_NAME_LENGTH,
    MAX_ROLES,
    AccountId,
    AccountStatus,
    ApiKeyId,
    Permission,
)
from quickshop.entrypoints.http.admin.shared import staff_problems
from quickshop.entrypoints.http.auth import Email, GivenPassword, take
from quickshop.entrypoints.http.dependencies import (
    Cursor,
    Limit,
    ShopDependency,
    SignedInCaller,
    require_printable,
)
from quickshop.entrypoints.http.edge.audience import open_to, staff
from quickshop.entrypoints.http.edge.guard import GuardedRoute, guard_of
from quickshop.entrypoints.http.edge.hashing import hashing
from quickshop.entrypoints.http.models import Input, Line, Output, nothing, private
from quickshop.entrypoints.http.texts import NOT_BLANK, ROLE
from quickshop.ports.paging import DEFAULT_LIMIT

router = APIRouter(prefix="/v1/admin", tags=["admin: users"], route_class=GuardedRoute)

RoleName = Annotated[
    str, Field(min_length=1, max_length=MAX_ROLE_NAME_LENGTH, examples=["order_manager"]), ROLE
]
Permissions = Annotated[
    list[Annotated[Permission, Field(strict=False)]], Field(max_length=len(Permission))
]


class UserOut(Output):
    """A staff user, without addresses."""

    id: UUID
    email: str
    name: str
    status: AccountStatus
    roles: tuple[str, ...]
    created_at: AwareDatetime


class UserPage(Output):
    """A page of staff users, newest account first, and the cursor of the next page."""

    items: tuple[UserOut, ...]
    next_cursor: str | None


class Invitation(Input):
    """An invitation of a staff user."""

    email: Email
    name: Line | None = None
    roles: Annotated[list[RoleName], Field(min_length=1, max_length=MAX_ROLES)]


class InvitedOut(Output):
    """The invited user."""

    id: UUID


class RoleOut(Output):
    """A role."""

    name: str
    permissions: tuple[Permission, ...]
    built_in: bool
    """Whether every shop has the role. Such roles cannot be changed."""


class Roles(Output):
    """All roles."""

    items: tuple[RoleOut, ...]


class RoleIn(Input):
    """The permissions of a role."""

    permissions: Permissions


class ApiKeyIn(Input):
    """An API key for another program."""

    name: Annotated[
        str,
        Field(min_length=1, max_length=MAX_API_KEY_NAME_LENGTH, examples=["warehouse"]),
        AfterValidator(require_printable),
        NOT_BLANK,
    ]
    scopes: Annotated[Permissions, Field(min_length=1)]
    expires_at: Annotated[AwareDatetime | None, Field(strict=False)] = None
    """When the key expires; never by default."""
    password: GivenPassword | None = None
    """Required from signed-in users, because a key outlives a session. API keys need none."""


class NewApiKeyOut(Output):
    """A new API key."""

    id: UUID
    secret: Annotated[
        str, Field(description="Shown only once. Send it as `Authorization: Bearer …`.")
    ]


class ApiKeyOut(Output):
    """An API key and its permissions."""

    id: UUID
    account_id: UUID
    """The account whose permissions limit the key."""
    name: str
    scopes: tuple[Permission, ...]
    created_at: AwareDatetime
    expires_at: AwareDatetime | None
    revoked_at: AwareDatetime | None


class ApiKeyPage(Output):
    """A page of API keys, newest first, and the cursor of the next page."""

    items: tuple[ApiKeyOut, ...]
    next_cursor: str | None


@router.get(
    "/users",
    operation_id="list_users",
    response_model=UserPage,
    responses=staff_problems(422),
)
@open_to(staff(ListUsers))
def list_users(
    shop: ShopDependency, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Response:
    """List the staff users."""
    page = shop.staff.list(limit=limit, cursor=cursor)
    items = tuple(UserOut.of(view) for view in page.items)
    return private(UserPage(items=items, next_cursor=page.next_cursor))


@router.post(
    "/users",
    operation_id="invite_user",
    status_code=201,
    response_model=InvitedOut,
    responses=staff_problems(400, 409, 413, 415, 422),
)
@open_to(staff(InviteUser))
def invite_user(shop: ShopDependency, caller: SignedInCaller, body: Invitation) -> Response:
    """Invite a staff user. They set a password with a link sent by email."""
    account_id = shop.staff.invite(
        email=body.email, name=body.name or "", roles=body.roles, by=caller
    )
    return private(InvitedOut(id=account_id), status=201)


@router.put(
    "/users/{user_id}/roles/{role}",
    operation_id="grant_role",
    status_code=204,
    responses=staff_problems(404, 409, 413, 422),
)
@open_to(staff(GrantRole))
def grant_role(
    shop: ShopDependency, caller: SignedInCaller, user_id: UUID, role: RoleName
) -> Response:
    """Grant a role. You cannot grant permissions that you do not have.

    It takes effect in every process within 5 s.
    """
    shop.staff.grant(AccountId(user_id), role, by=caller)
    return nothing()


@router.delete(
    "/users/{user_id}/roles/{role}",
    operation_id="revoke_role",
    status_code=204,
    responses=staff_problems(404, 409, 413, 422),
)
@open_to(staff(RevokeRole))
def revoke_role(
    shop: ShopDependency, caller: SignedInCaller, user_id: UUID, role: RoleName
) -> Response:
    """Revoke a role. The last admin cannot be removed.

    It takes effect in every process within 5 s.
    """
    shop.staff.revoke(AccountId(user_id), role, by=caller)
    return nothing()


@router.get("/roles", operation_id="list_roles", response_model=Roles, responses=staff_problems())
@open_to(staff(ListRoles))
def list_roles(shop: ShopDependency) -> Response:
    """List all roles and their permissions."""
    items = tuple(
        RoleOut(name=name, permissions=tuple(sorted(held)), built_in=name in BUILT_IN_ROLES)
        for name, held in shop.staff.roles().items()
    )
    return private(Roles(items=items))


@router.put(
    "/roles/{role}",
    operation_id="set_role",
    status_code=204,
    responses=staff_problems(400, 409, 413, 415, 422),
)
@open_to(staff(SetRole))
def set_role(
    shop: ShopDependency, caller: SignedInCaller, role: RoleName, body: RoleIn
) -> Response:
    """Create a role, or replace its permissions.

    It takes effect for all its users, in every process within 5 s.
    """
    shop.staff.set_role(role, body.permissions, by=caller)
    return nothing()


@router.delete(
    "/roles/{role}",
    operation_id="remove_role",
    status_code=204,
    responses=staff_problems(404, 409, 413, 422),
)
@open_to(staff(RemoveRole))
def remove_role(shop: ShopDependency, caller: SignedInCaller, role: RoleName) -> Response:
    """Delete a role that no account has."""
    shop.staff.remove_role(role, by=caller)
    return nothing()


@router.get(
    "/api-keys",
    operation_id="list_api_keys",
    response_model=ApiKeyPage,
    responses=staff_problems(422),
)
@open_to(staff(ListApiKeys))
def list_api_keys(
    shop: ShopDependency, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Response:
    """List the API keys and their permissions, without the secrets."""
    return private(ApiKeyPage.of(shop.staff.api_keys(limit=limit, cursor=cursor)))


@router.post(
    "/api-keys",
    operation_id="make_api_key",
    status_code=201,
    response_model=NewApiKeyOut,
    responses=staff_problems(400, 404, 413, 415, 422),
)
@open_to(staff(MakeApiKey))
async def make_api_key(
    request: Request, shop: ShopDependency, caller: SignedInCaller, body: ApiKeyIn
) -> Response:
    """Create an API key with some of your permissions. Keep the secret: it is shown only once."""
    await take(request, guard_of(request.scope).limits.of_own_data(caller.account_id))
    new = await hashing(
        request,
        lambda: shop.staff.make_api_key(
            caller.account_id,
            name=body.name,
            scopes=body.scopes,
            expires_at=body.expires_at,
            password=body.password,
            by=caller,
        ),
    )
    return private(NewApiKeyOut(id=new.id, secret=new.secret), status=201)


@router.delete(
    "/api-keys/{api_key_id}",
    operation_id="revoke_api_key",
    status_code=204,
    responses=staff_problems(404, 413, 422),
)
@open_to(staff(RevokeApiKey))
def revoke_api_key(shop: ShopDependency, caller: SignedInCaller, api_key_id: UUID) -> Response:
    """Revoke an API key. It takes effect in every process within 5 s."""
    shop.staff.revoke_api_key(ApiKeyId(api_key_id), by=caller)
    return nothing()

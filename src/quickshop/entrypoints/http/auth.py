"""Routes for registration, sign-in, sessions and password reset.

Neither the response nor its duration reveals whether an address has an account.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated
from uuid import UUID

import anyio.to_thread
from fastapi import APIRouter, Request, Response
from pydantic import Field

from quickshop.application.identity.tokens import MAX_SECRET_LENGTH, SignedIn
from quickshop.domain.cart import CartId
from quickshop.domain.customers import (
    MAX_EMAIL_LENGTH,
    MIN_EMAIL_LENGTH,
    CustomerId,
    normalize_email,
)
from quickshop.domain.errors import CartStateError, NotFoundError, NotSignedInError
from quickshop.domain.identity import (
    MAX_PASSWORD_LENGTH,
    MIN_PASSWORD_LENGTH,
    AccountId,
    SessionId,
)
from quickshop.entrypoints.http.customers import Line
from quickshop.entrypoints.http.dependencies import ShopDependency, SignedInCaller
from quickshop.entrypoints.http.edge.audience import ACCOUNT, PUBLIC, open_to
from quickshop.entrypoints.http.edge.credentials import (
    clear_cookies,
    credentials_of,
    require_own_origin,
    set_cookies,
)
from quickshop.entrypoints.http.edge.guard import GuardedRoute, guard_of
from quickshop.entrypoints.http.edge.hashing import hash_threads_of, hashing
from quickshop.entrypoints.http.edge.middleware import facts_of
from quickshop.entrypoints.http.edge.problems import ProblemError, default_reason, problems
from quickshop.entrypoints.http.edge.rate_limits import refusal, retry_after
from quickshop.entrypoints.http.errors import answer_shop_error
from quickshop.entrypoints.http.models import Input, Output, nothing, private
from quickshop.entrypoints.http.texts import EMAIL, STORABLE, VARIED
from quickshop.ports.limits import Bucket
from quickshop.shop import Shop

router = APIRouter(prefix="/v1/auth", tags=["auth"], route_class=GuardedRoute)

Email = Annotated[
    str,
    Field(min_length=MIN_EMAIL_LENGTH, max_length=MAX_EMAIL_LENGTH, examples=["ada@example.com"]),
    EMAIL,
]
NewPassword = Annotated[
    str,
    VARIED,
    Field(
        min_length=MIN_PASSWORD_LENGTH,
        max_length=MAX_PASSWORD_LENGTH,
        json_schema_extra={"format": "password"},
        examples=["correct horse battery"],
    ),
]
GivenPassword = Annotated[
    str,
    STORABLE,
    Field(
        min_length=1,
        max_length=MAX_PASSWORD_LENGTH,
        json_schema_extra={"format": "password"},
        examples=["correct horse battery"],
    ),
]
_Secret = Annotated[str, Field(min_length=1, max_length=MAX_SECRET_LENGTH), STORABLE]
Secret = Annotated[_Secret, Field(description="From the email.", examples=["…"])]


class Registration(Input):
    """A request for an account."""

    email: Email
    password: NewPassword
    name: Line | None = None


class Asked(Output):
    """The request was accepted. An email with the next step follows."""

    detail: str


class GuestCart(Input):
    """A cart that was filled before signing in."""

    id: Annotated[UUID, Field(strict=False)]  # JSON has no UUID type
    token: _Secret


class Login(Input):
    """Credentials for signing in."""

    email: Email
    password: GivenPassword
    cart: GuestCart | None = None
    """Merged into the account's cart, with all its lines."""
    cookies: bool = False
    """Whether to put the tokens into cookies, which scripts cannot read. Signing in then needs an
    `Origin` header."""


class Tokens(Output):
    """The tokens of a new or refreshed session."""

    token_type: str = "Bearer"  # noqa: S105 - a token type, no secret
    expires_in: int
    """Seconds until the access token expires."""
    access_token: str | None = None
    """Send it as `Authorization: Bearer …`. Null if it is in a cookie."""
    refresh_token: str | None = None
    """Exchange it once for the next pair of tokens. Null if it is in a cookie."""
    cart_id: UUID | None = None
    """The cart that contains the guest's lines."""


class Refresh(Input):
    """The refresh token, unless it is in a cookie."""

    refresh_token: _Secret | None = None


class Confirmation(Input):
    """The secret from an email."""

    token: Secret


class ResetRequest(Input):
    """The address of an account whose password is lost."""

    email: Email


class NewPasswordByMail(Input):
    """The secret from an email, and the new password."""

    token: Secret
    password: NewPassword


async def take(request: Request, buckets: Sequence[Bucket]) -> None:
    """Count an attempt against its rate limits.

    Raises:
        ProblemError: 429: a limit is exceeded.
    """
    if buckets and (refused := refusal(await guard_of(request.scope).gate.take(buckets))):
        code, detail = default_reason(429)
        raise ProblemError(429, code, detail, headers=retry_after(refused))


def _address(request: Request) -> str:
    return facts_of(request.scope).client.limit_subject


@router.post(
    "/register",
    operation_id="register",
    status_code=202,
    response_model=Asked,
    responses=problems(400, 413, 415, 422, 503),
)
@open_to(PUBLIC)
async def register(request: Request, shop: ShopDependency, body: Registration) -> Response:
    """Request an account. Confirm it with the link that you receive by email, then sign in."""
    email, limits = normalize_email(body.email), guard_of(request.scope).limits
    await take(request, limits.of_registration(_address(request), email))
    await hashing(
        request,
        lambda: shop.accounts.register(email=email, password=body.password, name=body.name or ""),
    )
    return private(Asked(detail="Check your inbox."), status=202)


@router.post(
    "/confirm",
    operation_id="confirm_account",
    status_code=204,
    responses=problems(400, 413, 415, 422, 503),
)
@open_to(PUBLIC)
def confirm_account(shop: ShopDependency, body: Confirmation) -> Response:
    """Confirm the account with the secret from the email. Sign in next."""
    shop.accounts.confirm(body.token)
    return nothing()


@router.post(
    "/login",
    operation_id="log_in",
    response_model=Tokens,
    responses=problems(400, 401, 403, 413, 415, 422, 503),
)
@open_to(PUBLIC)
async def log_in(request: Request, shop: ShopDependency, body: Login) -> Response:
    """Sign in."""
    if body.cookies:
        require_own_origin(request.scope)
    guard, email = guard_of(request.scope), normalize_email(body.email)
    address = facts_of(request.scope).client.limit_subject
    threads = hash_threads_of(request)
    with threads.place():  # first, so that refused requests cost no lookup
        known = await anyio.to_thread.run_sync(shop.accounts.log_in.is_known, email, address)
        await take(request, guard.limits.of_login(address, email, known=known))
        signed_in = await threads.run(
            lambda: shop.accounts.log_in(
                email=email,
                password=body.password,
                device=request.headers.get("user-agent", ""),
                address=address,
            )
        )
    await guard.gate.clear(guard.limits.of_failures(address, email))
    cart_id = None
    if body.cart is not None:
        cart_id = await anyio.to_thread.run_sync(_claim, shop, body.cart, signed_in)
    return _tokens_response(shop, signed_in, cookies=body.cookies, cart_id=cart_id)


def _claim(shop: Shop, cart: GuestCart, signed_in: SignedIn) -> UUID | None:
    # A missing or expired cart must not prevent the sign-in.
    with suppress(NotFoundError, CartStateError):
        customer_id = CustomerId(signed_in.account_id)
        return shop.carts.claim(CartId(cart.id), cart.token, customer_id).id
    return None


def _tokens_response(
    shop: Shop, signed_in: SignedIn, *, cookies: bool, cart_id: UUID | None = None
) -> Response:
    if not cookies:
        return private(
            Tokens(
                expires_in=signed_in.expires_in,
                access_token=signed_in.access_token,
                refresh_token=signed_in.refresh_token,
                cart_id=cart_id,
            )
        )
    tokens = Tokens(token_type="Cookie", expires_in=signed_in.expires_in, cart_id=cart_id)  # noqa: S106 - as above
    answer = private(tokens)
    lasts = int(shop.policy.session_lasts.total_seconds())
    set_cookies(answer, signed_in, session_seconds=lasts)
    return answer


@router.post(
    "/refresh",
    operation_id="refresh_session",
    response_model=Tokens,
    responses=problems(400, 401, 403, 413, 415, 422, 503),
)
@open_to(PUBLIC)
async def refresh_session(
    request: Request, shop: ShopDependency, body: Refresh | None = None
) -> Response:
    """Exchange a refresh token for the next pair of tokens.

    A refresh token works once. If the response is lost, sending the same token again within 10 s
    returns the same new token. Any other reuse ends the session.
    """
    given = body.refresh_token if body else None
    cookie = None if given else credentials_of(request.scope).refresh_token
    token = given or cookie
    limits = guard_of(request.scope).limits
    await take(request, limits.of_refresh(_address(request)))
    if token is None:
        raise NotSignedInError
    try:
        signed_in = await anyio.to_thread.run_sync(shop.accounts.refresh, token)
    except NotSignedInError as error:
        answer = await answer_shop_error(request, error)
        if cookie is not None:
            # Scripts cannot delete cookies, which would keep the browser from shopping as a guest.
            clear_cookies(answer)
        return answer
    return _tokens_response(shop, signed_in, cookies=cookie is not None)


@router.post(
    "/logout",
    operation_id="log_out",
    status_code=204,
    responses=problems(400, 401, 403, 413, 503),
    openapi_extra={"security": [{"bearer": []}, {"cookie": []}]},
)
@open_to(PUBLIC)
def log_out(request: Request, shop: ShopDependency) -> Response:
    """Sign out this device. The access token may be expired if a cookie holds the refresh token.

    Safe to repeat. A session that has ended stays ended.
    """
    brought = credentials_of(request.scope)
    if brought.access_token is not None:
        claims = shop.accounts.authenticate.claims(brought.access_token)
        _end(request, shop, claims.account_id, claims.session_id)
    elif brought.refresh_token is not None:
        with suppress(NotSignedInError):
            found = shop.accounts.refresh(brought.refresh_token)
            _end(request, shop, found.account_id, found.session_id)
    else:
        raise NotSignedInError
    answer = nothing()
    clear_cookies(answer)
    return answer


def _end(request: Request, shop: Shop, account_id: AccountId, session_id: SessionId) -> None:
    with suppress(NotFoundError):
        shop.accounts.end_session(account_id, session_id)
    guard_of(request.scope).forget(str(session_id))


@router.post(
    "/logout-everywhere",
    operation_id="log_out_everywhere",
    status_code=204,
    responses=problems(413, 503),
)
@open_to(ACCOUNT)
def log_out_everywhere(request: Request, shop: ShopDependency, caller: SignedInCaller) -> Response:
    """Sign out on every device, including this one."""
    shop.accounts.end_all_sessions(caller.account_id)
    guard_of(request.scope).forget(str(caller.session_id))
    answer = nothing()
    clear_cookies(answer)
    return answer


@router.post(
    "/password-reset",
    operation_id="request_password_reset",
    status_code=202,
    response_model=Asked,
    responses=problems(400, 413, 415, 422, 503),
)
@open_to(PUBLIC)
async def request_password_reset(
    request: Request, shop: ShopDependency, body: ResetRequest
) -> Response:
    """Request an email with a password reset link. It is sent if the address has an account."""
    email, limits = normalize_email(body.email), guard_of(request.scope).limits
    await take(request, limits.of_reset(_address(request), email))
    await anyio.to_thread.run_sync(lambda: shop.accounts.request_password_reset(email=email))
    return private(Asked(detail="Check your inbox."), status=202)


@router.post(
    "/password-reset/confirm",
    operation_id="reset_password",
    status_code=204,
    responses=problems(400, 413, 415, 422, 503),
)
@open_to(PUBLIC)
async def reset_password(
    request: Request, shop: ShopDependency, body: NewPasswordByMail
) -> Response:
    """Set a new password with the secret from the email. Every session ends."""
    email = await hashing(
        request, lambda: shop.accounts.reset_password(body.token, password=body.password)
    )
    # The caller has proved access to the account's email, so the limits of strangers are cleared.
    guard, address = guard_of(request.scope), facts_of(request.scope).client.limit_subject
    await guard.gate.clear(guard.limits.of_strangers(address, email))
    return nothing()


@router.post(
    "/confirm-email",
    operation_id="confirm_email_change",
    status_code=204,
    responses=problems(400, 413, 415, 422, 503),
)
@open_to(PUBLIC)
def confirm_email_change(shop: ShopDependency, body: Confirmation) -> Response:
    """Switch to the new address with the secret from the email sent to it."""
    shop.accounts.confirm_email_change(body.token)
    return nothing()

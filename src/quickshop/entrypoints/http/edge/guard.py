"""The guard in front of every route: authentication, rate limits and permissions.

It runs before the framework parses anything, so that refusals are cheap. It needs one round trip
to Redis, if Redis is configured.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import anyio.to_thread
from fastapi import FastAPI, Request, Response
from starlette.routing import Mount
from starlette.types import Message, Receive, Scope, Send

from quickshop.application.identity.tokens import caller_of
from quickshop.application.shopper import digest
from quickshop.domain.errors import NotSignedInError
from quickshop.entrypoints.http.edge.access_log import CALLER_KEY
from quickshop.entrypoints.http.edge.audience import Audience, AudienceKind, audience_of
from quickshop.entrypoints.http.edge.credentials import NONE, Credentials, credentials_of
from quickshop.entrypoints.http.edge.json_body import StrictRoute
from quickshop.entrypoints.http.edge.middleware import facts_of
from quickshop.entrypoints.http.edge.query import only, parameters_of
from quickshop.entrypoints.http.edge.rate_limits import Limits, headers_of, refused
from quickshop.ports.cache import CachedPage
from quickshop.ports.identity import Caller
from quickshop.ports.limits import Bucket, Decision, GateResult, RequestGate
from quickshop.shop import Shop

if TYPE_CHECKING:
    from collections.abc import Sequence

CALLER_SECONDS: Final = 2
"""How long a process caches a caller. Redis may add an entry of the same age, so an ended session
is accepted for at most 4 of the 5 seconds promised."""
_REMEMBERED: Final = 10_000


class RefusedError(Exception):
    """A rate limit refused the request. `answer` is the response."""

    def __init__(self, answer: Response) -> None:
        super().__init__("rate limited")
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Admission:
    """The result of admitting a request."""

    caller: Caller | None
    decisions: Sequence[Decision]
    page: CachedPage | None


class Guard:
    """Admits requests to the routes of one application. Belongs to one event loop."""

    def __init__(
        self,
        shop: Callable[[], Shop],
        gate: RequestGate,
        limits: Limits,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shop = shop
        self.gate = gate
        self.limits = limits
        self._monotonic = monotonic
        self._known: OrderedDict[str, tuple[Caller | None, float]] = OrderedDict()

    async def admit(
        self, scope: Scope, audience: Audience, *, page: str | None = None
    ) -> Admission:
        """Authenticate the caller, count the request, and check the audience.

        Raises:
            RefusedError: a rate limit is exceeded.
            NotSignedInError: credentials are missing, invalid or expired.
            PermissionDeniedError: the caller lacks the permission.
            ProblemError: a write with cookies came from a page of another origin.
            TransientError: the database cannot be reached.
        """
        if audience.kind is AudienceKind.PROBE:
            return Admission(None, (), None)
        address = facts_of(scope).client.limit_subject
        credentials = credentials_of(scope) if audience.asks_who else NONE
        try:
            key, account = self._claimed(credentials)
        except NotSignedInError:
            # Count it too, so that guessing tokens is limited.
            await self._count(self.limits.of_request(address))
            raise
        known = self._remembered(key) if key else None
        live = known[0] if known else None
        result = await self._ask_gate(
            [*self.limits.of_request(address), *self._of_caller(live)],
            session=key if known is None else None,
            page=page,
        )
        decisions = [*result.decisions]
        caller = live
        if key is not None and known is None:
            caller = await self._look_up(key, credentials, result.session)
            # Only now, so that a token of an ended session does not use up the owner's limit.
            decisions += await self._count(self._of_caller(caller))
        if caller is None and not credentials.are_none:
            raise NotSignedInError
        if caller is not None and account not in {None, caller.account_id}:
            raise NotSignedInError
        audience.require(caller)
        return Admission(caller, decisions, result.page)

    def _of_caller(self, caller: Caller | None) -> list[Bucket]:
        return [] if caller is None else self.limits.of_caller(caller)

    async def _ask_gate(
        self, buckets: list[Bucket], *, session: str | None, page: str | None
    ) -> GateResult:
        if not buckets and session is None and page is None:
            return GateResult((), None, None)
        result = await self.gate.ask(buckets, session=session, page=page)
        _require_allowed(result.decisions)
        return result

    async def _count(self, buckets: list[Bucket]) -> Sequence[Decision]:
        decisions = await self.gate.take(buckets) if buckets else ()
        _require_allowed(decisions)
        return decisions

    def _claimed(self, credentials: Credentials) -> tuple[str | None, UUID | None]:
        """Return the cache key of the credentials, and the account that the access token names.

        Raises:
            NotSignedInError: the access token is invalid or expired.
        """
        if credentials.api_key is not None:
            return digest(credentials.api_key), None
        if credentials.access_token is None:
            return None, None
        claims = self._shop().accounts.authenticate.claims(credentials.access_token)
        return str(claims.session_id), claims.account_id

    def _remembered(self, key: str) -> tuple[Caller | None, float] | None:
        known = self._known.get(key)
        return known if known and self._monotonic() < known[1] else None

    async def _look_up(
        self, key: str, credentials: Credentials, cached: bytes | None
    ) -> Caller | None:
        asked_at = self._monotonic()
        try:
            caller = caller_of(cached) if cached is not None else await self._ask(credentials)
        except ValueError:  # another release wrote this cache entry
            caller = await self._ask(credentials)
        self._known[key] = (caller, asked_at + CALLER_SECONDS)
        self._known.move_to_end(key)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return caller

    async def _ask(self, credentials: Credentials) -> Caller | None:
        authenticate = self._shop().accounts.authenticate
        if credentials.api_key is not None:
            return await anyio.to_thread.run_sync(authenticate.api_key, credentials.api_key)
        assert credentials.access_token is not None, (
            "a cache key needs an access token or an API key"
        )
        session_id = authenticate.claims(credentials.access_token).session_id
        return await anyio.to_thread.run_sync(authenticate.session, session_id)

    def forget(self, key: str) -> None:
        """Invalidate the cached caller of a session or API key."""
        self._known.pop(key, None)

    def forget_everyone(self) -> None:
        """Invalidate all cached callers."""
        self._known.clear()


def _require_allowed(decisions: Sequence[Decision]) -> None:
    if answer := refused(decisions):
        raise RefusedError(answer)


class GuardedRoute(StrictRoute):
    """A route that only its declared audience can call.

    Raises:
        LookupError: at creation: the route declares no audience.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Check the declaration at creation, and the query parameters of each request."""
        audience = audience_of(self.endpoint)
        handle = super().get_route_handler()
        if audience.kind is AudienceKind.PROBE or not self.include_in_schema:
            return handle  # load balancers and browsers add parameters of their own
        require = only(parameters_of(self.dependant))

        async def handle_known(request: Request) -> Response:
            require(request)
            return await handle(request)

        return handle_known

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request, or answer with the refusal."""
        if scope["method"] not in (self.methods or ()):
            await super().handle(scope, receive, send)
            return
        try:
            await self.admit_and_serve(scope, receive, send)
        except RefusedError as refusal:
            await refusal.answer(scope, receive, send)

    async def admit_and_serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Admit the request, then serve it.

        Raises:
            RefusedError: a rate limit is exceeded.
        """
        admission = await guard_of(scope).admit(scope, audience_of(self.endpoint))
        await self.serve(scope, receive, send, admission)

    async def serve(
        self, scope: Scope, receive: Receive, send: Send, admission: Admission
    ) -> None:
        """Run the route for an admitted request."""
        scope[CALLER_KEY] = admission.caller
        try:
            await super().handle(scope, receive, counted(send, admission.decisions))
        finally:
            if audience_of(self.endpoint).changes_callers:
                guard_of(scope).forget_everyone()


def counted(send: Send, decisions: Sequence[Decision]) -> Send:
    """Wrap `send` so that the response carries the rate limit headers."""
    headers = headers_of(decisions)
    if not headers:
        return send

    async def send_counted(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *headers]}
        await send(message)

    return send_counted


def guard_of(scope: Scope) -> Guard:
    """Return the guard of the application that serves a request."""
    guard: Guard = scope["app"].state.guard
    return guard


def require_guarded(app: FastAPI) -> None:
    """Refuse to serve routes without a guard.

    Raises:
        LookupError: a route has no guard; the message names it.
    """
    unguarded = [
        str(getattr(route, "path", route))
        for route in app.routes
        if not isinstance(route, GuardedRoute | Mount)  # only the files of the docs are mounted
    ]
    if unguarded:
        raise LookupError(f"not guarded: {', '.join(unguarded)}; make each a GuardedRoute")

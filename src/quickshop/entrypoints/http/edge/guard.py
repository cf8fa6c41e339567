"""What stands before every route: who calls, how often, and whether they may.

Before the framework parses anything, so that what is refused costs little; and with one question
to Redis, where there is one.
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
from quickshop.entrypoints.http.edge.limits import Limits, headers_of, refused
from quickshop.entrypoints.http.edge.middleware import facts_of
from quickshop.entrypoints.http.edge.query import only, parameters_of
from quickshop.ports.cache import CachedPage
from quickshop.ports.identity import Caller
from quickshop.ports.limits import Bucket, Decision, GateResult, RequestGate
from quickshop.shop import Shop

if TYPE_CHECKING:
    from collections.abc import Sequence

BELIEVED_SECONDS: Final = 2
"""How long a process believes what it knows of a caller. With what it may have been told by Redis,
which was as old at most, a session that ended is believed for 4 of the 5 seconds promised."""
_REMEMBERED: Final = 10_000


class RefusedError(Exception):
    """A limit refused the request: this is the answer."""

    def __init__(self, answer: Response) -> None:
        super().__init__("rate limited")
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Admission:
    """What was found out on the way in."""

    caller: Caller | None
    decisions: Sequence[Decision]
    page: CachedPage | None


class Guard:
    """Lets requests through to the routes of one application. Belongs to one event loop."""

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
        """Find out who calls, count it, and refuse whoever may not.

        Raises:
            RefusedError: too often.
            NotSignedInError: nobody, or with a token that is none (any more).
            PermissionDeniedError: they may not.
            ProblemError: cookies from another origin's page.
            TransientError: the database that would know cannot be reached.
        """
        if audience.kind is AudienceKind.PROBE:
            return Admission(None, (), None)
        address = facts_of(scope).client.limit_subject
        brought = credentials_of(scope) if audience.asks_who else NONE
        try:
            key, account = self._claimed(brought)
        except NotSignedInError:
            # Counted all the same, or forging would be free.
            await self._count(self.limits.of_request(address))
            raise
        known = self._remembered(key) if key else None
        live = known[0] if known else None
        result = await self._pass(
            [*self.limits.of_request(address), *self._of_caller(live)],
            session=key if known is None else None,
            page=page,
        )
        decisions = [*result.decisions]
        caller = live
        if key is not None and known is None:
            caller = await self._look_up(key, brought, result.session)
            # Only now: a token of a session that ended takes nothing from its owner.
            decisions += await self._count(self._of_caller(caller))
        if caller is None and not brought.are_none:
            raise NotSignedInError
        if caller is not None and account not in {None, caller.account_id}:
            raise NotSignedInError
        audience.require(caller)
        return Admission(caller, decisions, result.page)

    def _of_caller(self, caller: Caller | None) -> list[Bucket]:
        return [] if caller is None else self.limits.of_caller(caller)

    async def _pass(
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

    def _claimed(self, brought: Credentials) -> tuple[str | None, UUID | None]:
        """Under which key the caller is kept, and whose the token is; believes no forged one.

        Raises:
            NotSignedInError: the access token is none, or too old.
        """
        if brought.api_key is not None:
            return digest(brought.api_key), None
        if brought.access_token is None:
            return None, None
        claims = self._shop().accounts.authenticate.claims(brought.access_token)
        return str(claims.session_id), claims.account_id

    def _remembered(self, key: str) -> tuple[Caller | None, float] | None:
        known = self._known.get(key)
        return known if known and self._monotonic() < known[1] else None

    async def _look_up(self, key: str, brought: Credentials, copy: bytes | None) -> Caller | None:
        asked_at = self._monotonic()
        try:
            caller = caller_of(copy) if copy is not None else await self._ask(brought)
        except ValueError:  # a copy that another release wrote
            caller = await self._ask(brought)
        self._known[key] = (caller, asked_at + BELIEVED_SECONDS)
        self._known.move_to_end(key)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return caller

    async def _ask(self, brought: Credentials) -> Caller | None:
        authenticate = self._shop().accounts.authenticate
        if brought.api_key is not None:
            return await anyio.to_thread.run_sync(authenticate.api_key, brought.api_key)
        assert brought.access_token is not None, "there is a token, or nothing to ask"
        session_id = authenticate.claims(brought.access_token).session_id
        return await anyio.to_thread.run_sync(authenticate.session, session_id)

    def forget(self, key: str) -> None:
        """Ask anew about a session or key that is known to have changed."""
        self._known.pop(key, None)

    def forget_everyone(self) -> None:
        """Ask anew about all callers, one or more of whom have changed."""
        self._known.clear()


def _require_allowed(decisions: Sequence[Decision]) -> None:
    if answer := refused(decisions):
        raise RefusedError(answer)


class GuardedRoute(StrictRoute):
    """A route that is called only by those whom its declaration lets in.

    Raises:
        LookupError: when it is made, and it declares nothing.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Check the declaration when the route is made, and then the query of each request."""
        audience = audience_of(self.endpoint)
        handle = super().get_route_handler()
        if audience.kind is AudienceKind.PROBE or not self.include_in_schema:
            return handle  # balancers and browsers add what they like
        require = only(parameters_of(self.dependant))

        async def handle_known(request: Request) -> Response:
            require(request)
            return await handle(request)

        return handle_known

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request in, or say why not."""
        if scope["method"] not in (self.methods or ()):
            await super().handle(scope, receive, send)
            return
        try:
            await self.let_in(scope, receive, send)
        except RefusedError as refusal:
            await refusal.answer(scope, receive, send)

    async def let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Admit the request, then serve it.

        Raises:
            RefusedError: a limit refuses it.
        """
        admission = await guard_of(scope).admit(scope, audience_of(self.endpoint))
        await self.serve(scope, receive, send, admission)

    async def serve(
        self, scope: Scope, receive: Receive, send: Send, admission: Admission
    ) -> None:
        """Run the route for a request that was admitted."""
        scope[CALLER_KEY] = admission.caller
        try:
            await super().handle(scope, receive, counted(send, admission.decisions))
        finally:
            if audience_of(self.endpoint).changes_callers:
                guard_of(scope).forget_everyone()


def counted(send: Send, decisions: Sequence[Decision]) -> Send:
    """Have the answer tell what is left of the limits."""
    headers = headers_of(decisions)
    if not headers:
        return send

    async def send_counted(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *headers]}
        await send(message)

    return send_counted


def guard_of(scope: Scope) -> Guard:
    """The guard of the application that serves a request."""
    guard: Guard = scope["app"].state.guard
    return guard


def require_guarded(app: FastAPI) -> None:
    """Refuse to serve a route that lets everybody in because nobody thought of it.

    Raises:
        LookupError: names the route.
    """
    unguarded = [
        str(getattr(route, "path", route))
        for route in app.routes
        if not isinstance(route, GuardedRoute | Mount)  # mounted are the files of the docs
    ]
    if unguarded:
        raise LookupError(f"not guarded: {', '.join(unguarded)}; make each a GuardedRoute")

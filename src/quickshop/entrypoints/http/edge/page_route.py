"""Routes that answer from the page cache before the framework gets to work."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Hashable
from typing import TYPE_CHECKING, Any

from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from quickshop.entrypoints.http.edge.access import PUBLIC, access_of
from quickshop.entrypoints.http.edge.guard import GuardedRoute, RefusedError, counted, guard_of
from quickshop.entrypoints.http.edge.page_cache import Page, PageCache

if TYPE_CHECKING:
    from fastapi import FastAPI


class PageResponse(Response):
    """A page, as the answer of an ordinary route."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        del receive
        await self._page.send(scope, send)


class PageRoute(GuardedRoute):
    """An ordinary route, except that a request just answered is answered again at once.

    Parsing parameters and dependencies costs more than everything else about a cached page, and
    counting it costs as much as answering; so what this process has at hand is not counted. What
    only Redis has comes with the count, in one round trip.

    Raises:
        LookupError: when it is made, and it is not for everybody: nobody is asked who they are.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Make sure of the declaration when the route is made."""
        if access_of(self.endpoint) != PUBLIC:
            raise LookupError(
                f"route {self.path} answers from a cache: declare it @access(PUBLIC)"
            )
        return super().get_route_handler()

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from a cache, or do it the usual way."""
        if scope["method"] != "GET":
            await super().handle(scope, receive, send)
            return
        app: FastAPI = scope["app"]
        pages: PageCache = app.state.pages
        if page := pages.fresh(_address(scope)):
            await page.send(scope, send)
            return
        access, key = access_of(self.endpoint), self._key(scope)
        try:
            admission = await guard_of(scope).admit(scope, access, page=key)
        except RefusedError as refusal:
            await refusal.answer(scope, receive, send)
            return
        send = counted(send, admission.decisions)
        if key is not None and admission.page is not None:
            page = pages.keep_found(key, admission.page.body)
            pages.keep(_address(scope), page)
            await page.send(scope, send)
            return
        await super(GuardedRoute, self).handle(scope, receive, send)

    def _key(self, scope: Scope) -> str | None:
        """What Redis would call the page: products are kept by id and handle, without a query."""
        found = scope.get("path_params", {}).get("key")
        return found if isinstance(found, str) and not scope["query_string"] else None


def _address(scope: Scope) -> Hashable:
    return scope["path"], scope["query_string"]


async def answer_with_page(
    request: Request, key: Hashable, render: Callable[[], bytes]
) -> PageResponse:
    """The page of `key`, kept under the address of this request as well.

    Different spellings of one query share the call to the origin through `key`.
    """
    pages: PageCache = request.app.state.pages
    page = await pages.get(key, render)
    pages.keep(_address(request.scope), page)
    return PageResponse(page)

"""Routes that answer from the page cache before the framework runs."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Hashable
from typing import Any

from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from quickshop.entrypoints.http.edge.audience import PUBLIC, audience_of
from quickshop.entrypoints.http.edge.guard import GuardedRoute, counted, guard_of
from quickshop.entrypoints.http.edge.page_cache import Page, PageCache


class PageResponse(Response):
    """A page as the response of an ordinary route."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the page."""
        del receive
        await self._page.send(scope, send)


class PageRoute(GuardedRoute):
    """A public route that answers repeated requests from the page cache.

    Parsing parameters and dependencies is the largest cost of a cached page, and counting the
    request costs as much as answering it. So a page in this process's memory is not counted.
    A page from Redis arrives with the count, in one round trip.

    Raises:
        LookupError: at creation: the route is not public. Its callers are not authenticated.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Check the declaration at creation."""
        if audience_of(self.endpoint) != PUBLIC:
            raise LookupError(
                f"route {self.path} answers from a cache: declare it @open_to(PUBLIC)"
            )
        return super().get_route_handler()

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from this process's memory, or admit the request."""
        if scope["method"] == "GET" and (page := _pages_of(scope).fresh(_address(scope))):
            await page.send(scope, send)
        else:
            await super().handle(scope, receive, send)

    async def admit_and_serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Admit the request, then answer from Redis or serve it.

        Raises:
            RefusedError: a rate limit is exceeded.
        """
        key = self._key(scope)
        admission = await guard_of(scope).admit(scope, PUBLIC, page=key)
        if key is None or admission.page is None:
            await self.serve(scope, receive, send, admission)
            return
        page = _pages_of(scope).keep_found(key, admission.page.body)
        _pages_of(scope).keep(_address(scope), page)
        await page.send(scope, counted(send, admission.decisions))

    def _key(self, scope: Scope) -> str | None:
        """Return the Redis key. Products are cached by id and handle, without a query."""
        found = scope.get("path_params", {}).get("key")
        return found if isinstance(found, str) and not scope["query_string"] else None


def _pages_of(scope: Scope) -> PageCache:
    pages: PageCache = scope["app"].state.pages
    return pages


def _address(scope: Scope) -> Hashable:
    return scope["path"], scope["query_string"]


async def answer_with_page(
    request: Request, key: Hashable, render: Callable[[], bytes]
) -> PageResponse:
    """Return the page of `key`, and store it under this request's address too.

    Different spellings of one query share the call to the origin through `key`.
    """
    pages = _pages_of(request.scope)
    page = await pages.get(key, render)
    pages.keep(_address(request.scope), page)
    return PageResponse(page)

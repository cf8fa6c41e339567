"""Routes that answer from the page cache before the framework gets to work."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

from quickshop.entrypoints.http.page_cache import Page, PageCache

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


class PageRoute(APIRoute):
    """An ordinary route, except that a request just answered is answered again at once.

    Parsing parameters and dependencies costs more than everything else about a cached page.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from the cache, or do it the usual way."""
        if scope["method"] == "GET":
            app: FastAPI = scope["app"]
            pages: PageCache = app.state.pages
            if page := pages.fresh(_address(scope)):
                await page.send(scope, send)
                return
        await super().handle(scope, receive, send)


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

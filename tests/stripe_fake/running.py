"""The fake in a thread of the tests, and its buttons."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Any, Final

import uvicorn

API_KEY: Final = "sk_test_fake"
WEBHOOK_SECRET: Final = "whsec_of_the_tests"


@dataclass(frozen=True, slots=True)
class StripeFake:
    """A fake that runs, in this process or in another one."""

    url: str

    def press(self, button: str, /, **given: object) -> dict[str, Any]:
        """Press a button of `/_admin/`."""
        body = json.dumps(given).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/_admin/{button}", body, headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            shown: dict[str, Any] = json.load(answer)
        return shown

    def lie(self, kind: str, *, path: str = "", times: int = 1, seconds: float = 5) -> None:
        """Have the next calls to this path meet a lie."""
        self.press("lies", kind=kind, path=path, times=times, seconds=seconds)

    @property
    def intents(self) -> list[dict[str, Any]]:
        """The book's intents, the oldest first."""
        return list(self._read("book")["intents"])

    @property
    def refunds(self) -> list[dict[str, Any]]:
        """The book's refunds, the oldest first."""
        return list(self._read("book")["refunds"])

    @property
    def events(self) -> list[dict[str, Any]]:
        """What was or is to be sent, the oldest first."""
        return list(self._read("book")["events"])

    @property
    def lies_told(self) -> dict[str, int]:
        """How many of each kind."""
        return self._read("lies")

    def _read(self, what: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/_admin/{what}", timeout=10) as answer:
            shown: dict[str, Any] = json.load(answer)
        return shown


@contextmanager
def running(book: str) -> Iterator[StripeFake]:
    """A fake on a port of its own, until the end of the block."""
    # Imported here, so that `StripeFake` can be had without a server.
    from tests.stripe_fake.app import Api  # noqa: PLC0415
    from tests.stripe_fake.book import Book  # noqa: PLC0415
    from tests.stripe_fake.lies import Lies  # noqa: PLC0415
    from tests.stripe_fake.webhooks import Road  # noqa: PLC0415

    api = Api(Book(book), api_key=API_KEY, lies=Lies(), road=Road())
    with serving(api.app()) as url:
        yield StripeFake(url)


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """An ASGI application on a port of its own, in a thread; its URL."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_level="error", timeout_graceful_shutdown=1
    )
    listener = config.bind_socket()
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        # The socket listens from now on at the latest: who connects early is served later.
        listener.listen()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()

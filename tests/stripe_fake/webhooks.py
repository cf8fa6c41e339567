"""Signed webhooks: sent until they are accepted, unless they are lied about."""

from __future__ import annotations

import hashlib
import hmac
import time
import urllib.request
from dataclasses import dataclass, field
from random import Random
from threading import Event, Thread
from typing import Any, Final
from urllib.error import URLError

from tests.stripe_fake.book import Book

_TRIES: Final = 60
_PAUSE_SECONDS: Final = 0.25
_NEXT: Final = "SELECT * FROM events WHERE done = 0 AND due_at <= ? ORDER BY due_at LIMIT 1"


def sign(body: bytes, secret: str, at: int) -> str:
    """The `Stripe-Signature` of a body sent at this second."""
    signed = f"{at}.".encode() + body
    return f"t={at},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


@dataclass
class Road:
    """Where webhooks go, and what becomes of them on the way."""

    url: str = ""
    secret: str = ""
    duplicate: float = 0
    lose: float = 0
    delay: float = 0
    delay_seconds: float = 2
    corrupt: float = 0
    seed: int = 0

    def __post_init__(self) -> None:
        self.random = Random(self.seed)


@dataclass
class Sender:
    """Sends what is due, one at a time, in a thread of its own."""

    book: Book
    road: Road = field(default_factory=Road)

    def __post_init__(self) -> None:
        self._stop = Event()
        self._wake = Event()
        self._met: set[str] = set()
        self._thread = Thread(target=self._run, name="stripe-webhooks", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def wake(self) -> None:
        """Something is to be sent."""
        self._wake.set()

    def close(self) -> None:
        """Send no more."""
        self._stop.set()
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            due = self.book.rows(_NEXT, time.time()) if self.road.url else []
            if due:
                self._handle(due[0])
            else:
                self._wake.wait(0.05)
                self._wake.clear()

    def _handle(self, event: dict[str, Any]) -> None:
        road, name = self.road, event["id"]
        fresh = name not in self._met
        self._met.add(name)
        if fresh and road.random.random() < road.lose:
            self._lied("lost", name, done=1)
        elif fresh and road.random.random() < road.delay:
            later = time.time() + road.random.random() * road.delay_seconds
            self._lied("delayed", name, due_at=later)
        else:
            self._deliver(event, twice=fresh and road.random.random() < road.duplicate)

    def _deliver(self, event: dict[str, Any], *, twice: bool) -> None:
        body = event["body"].encode()
        if self.road.random.random() < self.road.corrupt:
            self.book.count_lie("webhook_corrupted")
            self._post(body, sign(b"another body", self.road.secret, int(time.time())))
        accepted = self._post(body, sign(body, self.road.secret, int(time.time())))
        if twice:
            self.book.count_lie("webhook_duplicated")
            self._post(body, sign(body, self.road.secret, int(time.time())))
        deliveries = event["deliveries"] + 1
        done = int(accepted or deliveries >= _TRIES)
        self._set(
            event["id"], deliveries=deliveries, done=done, due_at=time.time() + _PAUSE_SECONDS
        )

    def _post(self, body: bytes, signature: str) -> bool:
        headers = {"Content-Type": "application/json", "Stripe-Signature": signature}
        request = urllib.request.Request(self.road.url, body, headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return bool(answer.status < 300)
        except (URLError, OSError):
            return False

    def _lied(self, what: str, id: str, **values: object) -> None:
        self.book.count_lie(f"webhook_{what}")
        self._set(id, **values)

    def _set(self, id: str, **values: object) -> None:
        changes = ", ".join(f"{name} = ?" for name in values)
        with self.book.transaction() as db:
            db.execute(f"UPDATE events SET {changes} WHERE id = ?", (*values.values(), id))

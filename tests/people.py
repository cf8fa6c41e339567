"""Customers, staff and their programs, who come in as people do: by mail and password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, Final, Protocol

from quickshop.adapters.memory.notifications import MemoryNotifier
from quickshop.domain.customers import CustomerId
from quickshop.domain.identity import AccountId, Permission, SessionId
from quickshop.entrypoints.http.edge.guard import Guard
from quickshop.entrypoints.http.edge.rate_limits import Limits
from quickshop.ports.notifications import AccountMessage
from quickshop.shop import Shop
from tests.http_client import Web, serve
from tests.scripted import World

PASSWORD: Final = "correct horse battery"

_serial = count(1)


class Scene(Protocol):
    """A shop, and the mail that it sends: a `Web` is one."""

    @property
    def shop(self) -> Shop: ...

    @property
    def mailbox(self) -> MemoryNotifier: ...


@dataclass(frozen=True, slots=True)
class Seen:
    """Any shop whose mailbox can be looked into."""

    shop: Shop
    mailbox: MemoryNotifier


@dataclass(frozen=True, slots=True)
class Person:
    """A person who is signed in."""

    id: AccountId
    email: str
    session_id: SessionId
    access_token: str
    refresh_token: str

    @property
    def customer_id(self) -> CustomerId:
        """Whom they buy for."""
        return CustomerId(self.id)

    @property
    def headers(self) -> dict[str, str]:
        """What their device sends with every request."""
        return bearer(self.access_token)


def bearer(token: str) -> dict[str, str]:
    """The header that an access token or an API key is sent in."""
    return {"Authorization": f"Bearer {token}"}


def an_email() -> str:
    """Return a unique address."""
    return f"person-{next(_serial)}@example.com"


def mails_to(scene: Scene, email: str) -> list[AccountMessage]:
    """What was written to an address about accounts, the first first."""
    return [
        message
        for message in scene.mailbox.sent
        if isinstance(message, AccountMessage) and message.recipient == email
    ]


def mailed_secret(scene: Scene, email: str) -> str:
    """The secret of the last mail to an address."""
    secret = mails_to(scene, email)[-1].secret
    assert secret, "the last mail holds no secret"
    return secret


def registered(scene: Scene, email: str | None = None, *, password: str = PASSWORD) -> AccountId:
    """An account just confirmed. Does the jobs that are due."""
    address = email or an_email()
    scene.shop.accounts.register(email=address, password=password, name="Ada Lovelace")
    scene.shop.run_jobs()
    return scene.shop.accounts.confirm(mailed_secret(scene, address))


def log_in(scene: Scene, email: str, *, password: str = PASSWORD, device: str = "") -> Person:
    """Sign in on another device of an existing account. No limit counts it."""
    signed_in = scene.shop.accounts.log_in(email=email, password=password, device=device)
    return Person(
        signed_in.account_id,
        email,
        signed_in.session_id,
        signed_in.access_token,
        signed_in.refresh_token,
    )


def signed_in(scene: Scene, email: str | None = None, *, roles: tuple[str, ...] = ()) -> Person:
    """Sign in a new customer, or staff with these roles. Runs the jobs that are due."""
    address = email or an_email()
    account_id = registered(scene, address)
    for role in roles:
        scene.shop.staff.grant(account_id, role)
    return log_in(scene, address)


def an_api_key(scene: Scene, owner: Person, *scopes: Permission, **more: Any) -> str:
    """Create an API key for a program of this person."""
    return scene.shop.staff.make_api_key(owner.id, name="a program", scopes=scopes, **more).secret


class Seconds:
    """A monotonic clock that is moved by hand."""

    def __init__(self) -> None:
        self._now = 1_000.0

    def __call__(self) -> float:
        """Seconds since some moment."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move on."""
        self._now += seconds


@dataclass(frozen=True, slots=True)
class Town:
    """A shop on the twins over HTTP, whose time is moved by hand."""

    web: Web
    world: World
    seconds: Seconds

    def wait(self, seconds: float) -> None:
        """Let time pass for all clocks."""
        self.world.clock.advance(seconds=seconds)
        self.seconds.advance(seconds)


@contextmanager
def open_town(**world: Any) -> Iterator[Town]:
    """`world` are fields of a `World`."""
    scene, seconds = World(**world), Seconds()
    with serve(scene.shop, scene.notifier) as web:
        guard_by(web, seconds)
        yield Town(web, scene, seconds)


def guard_by(web: Web, seconds: Seconds, limits: Limits | None = None) -> None:
    """Have the guard of an application go by this clock."""
    state = web.client.app.state
    limits = limits or state.guard.limits
    state.guard = Guard(lambda: state.shop, state.guard.gate, limits, monotonic=seconds)

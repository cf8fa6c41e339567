"""People on real databases: at once, in several processes, and with Redis in trouble."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Barrier, Thread
from typing import Any, Final

import pytest
from redis import Redis

from quickshop import Settings, open_shop
from quickshop.adapters.memory.notifications import MemoryNotifier
from quickshop.adapters.security.passwords import MIN_COST
from quickshop.container import open_request_gate
from quickshop.domain.cart import CartId, CartLineId
from quickshop.domain.errors import LastAdminError, NotSignedInError
from quickshop.domain.identity import ADMIN, AccountId, Permission
from quickshop.entrypoints.http.edge.rate_limits import Limits
from tests import servers
from tests.builders import CART_TOKEN, NOW, a_cart, new_id
from tests.fault_proxy import FaultProxy
from tests.http_client import Web, serve
from tests.integration.backends import rows_by_table, sql_backend
from tests.life_story import live, traces_in
from tests.people import (
    PASSWORD,
    Person,
    Seconds,
    an_api_key,
    bearer,
    guard_by,
    log_in,
    mailed_secret,
    signed_in,
)

TOKEN_KEYS: Final = "2026-11:" + "k3y-0f_thE.sh0p!" * 4
UNLIMITED: Final = Limits(enabled=False)


def settings_of(url: str, **more: Any) -> Settings:
    given = {"database_url": url, "password_cost": MIN_COST, "token_keys": TOKEN_KEYS}
    return Settings.load(**given | more)


@dataclass(frozen=True, slots=True)
class Office:
    """One process of a shop."""

    web: Web
    seconds: Seconds = field(default_factory=Seconds)

    def status(self, headers: dict[str, str], path: str = "/v1/me") -> int:
        return self.web.client.get(path, headers=headers).status_code


@contextmanager
def open_office(url: str, folder: Path, **more: Any) -> Iterator[Office]:
    settings = settings_of(url, sandbox_book=str(folder / "book.db"), **more)
    mailbox = MemoryNotifier()
    with (
        open_shop(settings=settings, notifier=mailbox) as shop,
        serve(shop, mailbox, request_gate=open_request_gate(settings), limits=UNLIMITED) as web,
    ):
        office = Office(web)
        guard_by(web, office.seconds)
        yield office


@pytest.fixture
def office(any_database_url: str, tmp_path: Path) -> Iterator[Office]:
    with open_office(any_database_url, tmp_path) as office:
        yield office


def everything_in(url: str) -> str:
    """All that stands in any table."""
    return "\n".join(rows_by_table(url).values())


def at_once(*stories: Callable[[], object]) -> list[object]:
    """What came of each: its answer, or what it raised."""
    together, outcomes = Barrier(len(stories)), list[object]()

    def tell(story: Callable[[], object]) -> None:
        together.wait(60)
        try:
            outcomes.append(story())
        except Exception as error:  # noqa: BLE001 - whatever it is, it is looked at
            outcomes.append(error)

    threads = [Thread(target=tell, args=(story,)) for story in stories]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(outcomes) == len(stories)
    return outcomes


def test_twenty_who_refresh_at_once_get_one_successor(office: Office) -> None:
    shop = office.web.shop
    person = signed_in(office.web)
    outcomes = at_once(*[lambda: shop.accounts.refresh(person.refresh_token)] * 20)
    successors = {getattr(outcome, "refresh_token", outcome) for outcome in outcomes}
    assert len(successors) == 1, successors
    (successor,) = successors
    assert shop.accounts.refresh(str(successor)).session_id == person.session_id


def test_a_link_that_many_follow_at_once_leads_one_of_them_in(office: Office) -> None:
    accounts = office.web.shop.accounts
    for _ in range(3):
        accounts.register(email="ada@example.com", password=PASSWORD)
    office.web.shop.run_jobs()
    secrets = [message.secret for message in office.web.mailbox.sent]  # type: ignore[union-attr]
    assert len(set(secrets)) == 3
    stories = [lambda secret=secret: accounts.confirm(secret) for secret in secrets * 3]
    opened = [each for each in at_once(*stories) if not isinstance(each, Exception)]
    assert len(opened) == 1
    assert log_in(office.web, "ada@example.com").id == opened[0]


@pytest.mark.parametrize("how", ["revoke", "disable"])
def test_of_two_admins_who_remove_each_other_at_once_one_stays(office: Office, how: str) -> None:
    shop, staff = office.web.shop, office.web.shop.staff
    admins = [staff.create_admin(email=f"{n}@example.com", password=PASSWORD) for n in "ab"]
    sessions = [log_in(office.web, f"{n}@example.com").session_id for n in "ab"]

    def remove(by: int, whom: AccountId) -> None:
        caller = shop.accounts.authenticate.session(sessions[by])
        if how == "revoke":
            staff.revoke(whom, ADMIN, by=caller)
        else:
            staff.disable(whom, by=caller)

    for _ in range(3):
        outcomes = at_once(lambda: remove(0, admins[1]), lambda: remove(1, admins[0]))
        assert sum(outcome is None for outcome in outcomes) == 1, outcomes
        left = [view.id for view in staff.list().items if ADMIN in view.roles]
        left = [each for each in left if shop.customers.get(each).status == "active"]  # type: ignore[arg-type]
        assert len(left) == 1
        with pytest.raises(LastAdminError):
            staff.revoke(left[0], ADMIN)  # type: ignore[arg-type]
        for n, admin in zip("ab", admins, strict=True):
            assert staff.create_admin(email=f"{n}@example.com", password=PASSWORD) == admin
        sessions = [log_in(office.web, f"{n}@example.com").session_id for n in "ab"]


def test_who_is_locked_out_while_they_refresh_is_out(office: Office) -> None:
    shop = office.web.shop
    for _ in range(5):
        person = signed_in(office.web)
        at_once(
            lambda: shop.accounts.refresh(person.refresh_token),  # noqa: B023 - joined below
            lambda: shop.staff.disable(person.id),  # noqa: B023 - as above
            lambda: log_in(office.web, person.email),  # noqa: B023 - as above
        )
        assert shop.accounts.sessions(person.id) == []
        with pytest.raises(NotSignedInError):
            shop.accounts.refresh(person.refresh_token)


def test_nothing_that_is_stored_opens_anything(any_database_url: str, tmp_path: Path) -> None:
    with open_office(any_database_url, tmp_path) as office:
        web = office.web
        person = signed_in(web, roles=("order_manager",))
        successor = web.shop.accounts.refresh(person.refresh_token)
        key = an_api_key(web, person, Permission.ORDERS_READ)
        web.shop.accounts.request_password_reset(email=person.email)
        web.shop.accounts.register(email="new@example.com", password="another horse")
        web.shop.run_jobs()
        secrets = [
            person.refresh_token,
            successor.refresh_token,
            person.access_token,
            successor.access_token,
            key,
            mailed_secret(web, person.email),
            mailed_secret(web, "new@example.com"),
            PASSWORD,
            "another horse",
        ]
    stored = everything_in(any_database_url)
    assert person.email in stored
    for secret in secrets:
        assert secret not in stored


def test_nobody_is_told_by_any_table_once_they_are_forgotten(
    any_database_url: str, tmp_path: Path
) -> None:
    with open_office(any_database_url, tmp_path) as office:
        shop = office.web.shop
        office.web.stock("MUG-1")
        person, order_id = live(office.web, "MUG-1")
        assert len(traces_in(everything_in(any_database_url))) == 9
        shop.orders.fulfill(order_id)
        shop.run_jobs()
        shop.customers.erase_own(person.customer_id, password=PASSWORD)
        assert traces_in(everything_in(any_database_url)) == []
        assert shop.orders.get(order_id).status == "fulfilled"
        assert shop.customers.get(person.customer_id).status == "erased"
        assert all(finding.ok for finding in shop.check())


# Several processes


@dataclass(frozen=True, slots=True)
class Fleet:
    """Two processes that share a database and perhaps a Redis, and one whose Redis is lost."""

    offices: list[Office]
    back_office: Office
    redis: Redis | None
    """None when it is away."""

    def signed_in_everywhere(self, headers: dict[str, str], path: str = "/v1/me") -> list[int]:
        return [office.status(headers, path) for office in self.offices]

    def wait(self, seconds: float) -> None:
        """Let the clocks of all processes go on, and that of Redis, too."""
        for office in (*self.offices, self.back_office):
            office.seconds.advance(seconds)
        if self.redis is not None:
            for key in self.redis.scan_iter("quickshop:session:*"):
                self.redis.pexpire(key, int(self.redis.pttl(key) - seconds * 1000))


@pytest.fixture(params=["up", "silent", "away"])
def fleet(
    request: pytest.FixtureRequest, database_url: str, own_valkey: servers.Server, tmp_path: Path
) -> Iterator[Fleet]:
    with ExitStack() as stack:
        proxy = stack.enter_context(FaultProxy(own_valkey.port))
        url = proxy.through(own_valkey.url)
        more = {"redis_url": url, "redis_timeout_seconds": 0.05}
        if request.param == "up":
            more["redis_timeout_seconds"] = 10
        offices = [
            stack.enter_context(open_office(database_url, tmp_path, **more)) for _ in range(2)
        ]
        back_office = stack.enter_context(open_office(database_url, tmp_path))
        redis = stack.enter_context(Redis.from_url(own_valkey.url))
        redis.flushall()
        if request.param != "up":
            proxy.black_hole() if request.param == "silent" else proxy.refuse()
        yield Fleet(offices, back_office, redis if request.param == "up" else None)
        proxy.forward()


def end(fleet: Fleet, person: Person) -> None:
    fleet.back_office.web.shop.accounts.end_session(person.id, person.session_id)


def disable(fleet: Fleet, person: Person) -> None:
    fleet.back_office.web.shop.staff.disable(person.id)


def erase(fleet: Fleet, person: Person) -> None:
    fleet.back_office.web.shop.customers.erase(person.customer_id)


def change_password(fleet: Fleet, person: Person) -> None:
    shop = fleet.back_office.web.shop
    shop.accounts.change_password(person.id, current=PASSWORD, new="another horse")


@pytest.mark.parametrize("lock_out", [end, disable, erase, change_password])
def test_who_is_locked_out_is_out_everywhere_within_five_seconds(
    fleet: Fleet, lock_out: Callable[[Fleet, Person], None]
) -> None:
    person = signed_in(fleet.back_office.web)
    first, second = fleet.offices
    assert first.status(person.headers) == 200
    lock_out(fleet, person)  # by a process that tells no other
    fleet.wait(1.9)
    assert second.status(person.headers) in {200, 401}  # by the copy, as old as one can be
    fleet.wait(1.9)
    assert first.status(person.headers) == 401
    fleet.wait(1.1)
    assert fleet.signed_in_everywhere(person.headers) == [401, 401]


def test_whoever_tells_everybody_is_heard_sooner(fleet: Fleet) -> None:
    person = signed_in(fleet.back_office.web)
    first, second = fleet.offices
    assert first.status(person.headers) == 200
    answer = first.web.client.post("/v1/auth/logout", headers=person.headers)
    assert answer.status_code == 204
    assert fleet.signed_in_everywhere(person.headers) == [401, 401]
    assert second.seconds() == first.seconds()


def test_a_key_that_was_revoked_opens_nothing_anywhere_within_five_seconds(
    fleet: Fleet,
) -> None:
    shop = fleet.back_office.web.shop
    person = signed_in(fleet.back_office.web, roles=("order_manager",))
    made = shop.staff.make_api_key(person.id, name="a", scopes=[Permission.ORDERS_READ])
    headers = bearer(made.secret)
    assert fleet.signed_in_everywhere(headers, "/v1/orders") == [200, 200]
    shop.staff.revoke_api_key(made.id)
    fleet.wait(4.9)
    assert fleet.signed_in_everywhere(headers, "/v1/orders") == [401, 401]


CARTS: Final = 500
SESSIONS: Final = 200


def store_carts(url: str, sku: str) -> list[CartId]:
    """So many carts with something in each."""
    carts = [a_cart(currency="USD") for _ in range(CARTS)]
    with sql_backend(url) as backend, backend.unit_of_work() as tx:
        offer = tx.products.offer(sku)
        for n, cart in enumerate(carts):
            cart.add(offer, n % 9 + 1, line_id=CartLineId(new_id()), now=NOW)
            tx.carts.add(cart)
    return [cart.id for cart in carts]


def test_carts_and_sessions_outlast_what_redis_forgets(
    database_url: str, own_valkey: servers.Server, tmp_path: Path
) -> None:
    more = {"redis_url": own_valkey.url, "redis_timeout_seconds": 0.5}
    with (
        open_office(database_url, tmp_path, **more) as office,
        Redis.from_url(own_valkey.url) as redis,
    ):
        redis.flushall()
        web = office.web
        web.stock("MUG-1")
        people = [signed_in(web, f"p{n}@example.com") for n in range(10)]
        devices = [log_in(web, people[n % 10].email) for n in range(SESSIONS)]
        carts = store_carts(database_url, "MUG-1")

        def answers() -> list[bytes]:
            office.seconds.advance(60)
            found = [web.client.get("/v1/me", headers=device.headers) for device in devices]
            assert {answer.status_code for answer in found} == {200}
            show = web.shop.carts.page
            shown = [
                show(cart_id, CART_TOKEN, lambda cart: repr(cart).encode()) for cart_id in carts
            ]
            return [*(answer.content for answer in found), *shown]

        before = answers()
        assert len(set(before)) == CARTS + len(people)
        redis.flushall()
        assert answers() == before
        own_valkey.crash()
        try:
            assert answers() == before
        finally:
            own_valkey.start()

"""What a thief does with what they stole, and how the owner gets rid of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from quickshop.application.identity.tokens import MOST_SESSIONS
from quickshop.domain.errors import (
    InvalidCredentialsError,
    LastAdminError,
    PrivilegeEscalationError,
)
from quickshop.domain.identity import ADMIN, AccountId, Permission
from quickshop.domain.notifications import MessageKind
from quickshop.entrypoints.http.edge.credentials import ACCESS_COOKIE, REFRESH_COOKIE
from quickshop.entrypoints.http.edge.rate_limits import ACCOUNT, ADDRESS, Limits
from quickshop.ports.identity import Caller
from tests.http_client import Web, assert_problem, open_web
from tests.people import (
    PASSWORD,
    Person,
    an_api_key,
    bearer,
    log_in,
    mailed_secret,
    mails_to,
    signed_in,
)
from tests.twins import QUICK_PASSWORDS

NEW_PASSWORD = "staple another battery"
OWN = {"Origin": "https://testserver"}


@pytest.fixture
def web() -> Iterator[Web]:
    with open_web() as web:
        web.client.base_url = "https://testserver"
        yield web


def caller_of(web: Web, person: Person) -> Caller:
    caller = web.shop.accounts.authenticate.session(person.session_id)
    assert caller is not None
    return caller


def reset(web: Web, person: Person, password: str = NEW_PASSWORD) -> None:
    web.shop.accounts.request_password_reset(email=person.email)
    web.shop.run_jobs()
    web.shop.accounts.reset_password(mailed_secret(web, person.email), password=password)


class Hesitant:
    """Hashes as ever, and lets something happen in the meantime."""

    def __init__(self, meanwhile: object) -> None:
        self._meanwhile = meanwhile

    def __getattr__(self, name: str) -> object:
        return getattr(QUICK_PASSWORDS, name)

    def verify(self, password: str, kept: str | None) -> bool:
        verified = QUICK_PASSWORDS.verify(password, kept)
        self._meanwhile()  # type: ignore[operator]
        return verified


def test_a_password_that_was_reset_meanwhile_is_not_changed_by_whoever_knew_the_old_one(web: Web):
    owner = signed_in(web)
    thief = log_in(web, owner.email)
    accounts, erase = web.shop.accounts, web.shop.customers.erase_own
    slow = Hesitant(lambda: reset(web, owner))
    check = replace(accounts.change_password.check, passwords=slow)
    for steal in (
        lambda: replace(accounts.change_password, check=check)(
            thief.id, current=PASSWORD, new="the thief's choice"
        ),
        lambda: replace(accounts.request_email_change, check=check)(
            thief.id, email="thief@example.com", password=PASSWORD
        ),
        lambda: replace(erase, check=check)(owner.customer_id, password=PASSWORD),
    ):
        with pytest.raises(InvalidCredentialsError):
            steal()
        log_in(web, owner.email, password=NEW_PASSWORD)
        reset(web, owner, PASSWORD)
    assert mails_to(web, "thief@example.com") == []


def test_forged_tokens_are_counted_like_everything_else():
    limits = Limits(address=replace(ADDRESS, count=3))
    with open_web(limits=limits) as web:
        for _ in range(3):
            refused = web.client.get("/v1/me", headers=bearer("x.y.z"))
            assert_problem(refused, 401, "not_signed_in")
        assert_problem(web.client.get("/v1/me", headers=bearer("x.y.z")), 429, "rate_limited")
        assert_problem(web.client.get("/v1/orders"), 429, "rate_limited")


def test_the_token_of_a_session_that_ended_takes_nothing_from_its_owner():
    limits = Limits(account=replace(ACCOUNT, count=5))
    with open_web(limits=limits) as web:
        owner = signed_in(web)
        stolen = log_in(web, owner.email)
        web.shop.accounts.end_session(owner.id, stolen.session_id)
        for _ in range(10):
            refused = web.client.get("/v1/me", headers=stolen.headers)
            assert_problem(refused, 401, "not_signed_in")
        for _ in range(5):
            assert web.client.get("/v1/me", headers=owner.headers).status_code == 200
        assert_problem(web.client.get("/v1/me", headers=owner.headers), 429, "rate_limited")


def by_cookies(web: Web, person: Person) -> None:
    answer = web.client.post(
        "/v1/auth/login",
        json={"email": person.email, "password": PASSWORD, "cookies": True},
        headers=OWN,
    )
    assert answer.status_code == 200


def test_a_browser_whose_session_ended_elsewhere_shops_on_as_a_guest(web: Web):
    person = signed_in(web)
    by_cookies(web, person)
    web.shop.accounts.end_all_sessions(person.id)
    assert_problem(web.client.post("/v1/carts", headers=OWN), 401, "not_signed_in")
    refused = web.client.post("/v1/auth/refresh", headers=OWN)
    assert_problem(refused, 401, "not_signed_in")
    assert not web.client.cookies
    assert web.client.post("/v1/carts", headers=OWN).status_code == 201


def test_a_browser_signs_out_also_when_its_access_token_is_gone(web: Web):
    person = signed_in(web)
    by_cookies(web, person)
    web.client.cookies.delete(ACCESS_COOKIE)
    stolen = web.client.cookies[REFRESH_COOKIE]
    assert web.client.post("/v1/auth/logout", headers=OWN).status_code == 204
    assert not web.client.cookies
    refused = web.client.post("/v1/auth/refresh", json={"refresh_token": stolen})
    assert_problem(refused, 401, "not_signed_in")


def test_signing_out_twice_is_signing_out(web: Web):
    person = signed_in(web)
    for _ in range(2):
        answer = web.client.post("/v1/auth/logout", headers=person.headers)
        assert answer.status_code == 204
    assert_problem(web.client.post("/v1/auth/logout"), 401, "not_signed_in")
    assert_problem(
        web.client.post("/v1/auth/logout", headers=bearer("x.y.z")), 401, "not_signed_in"
    )


def make_key(web: Web, headers: dict[str, str], **changes: object) -> object:
    body = {"name": "a program", "scopes": ["users:write"], **changes}
    return web.client.post("/v1/admin/api-keys", json=body, headers=headers)


def test_whoever_stole_a_session_makes_no_key_that_outlives_it(web: Web):
    admin = signed_in(web, roles=(ADMIN,))
    without = assert_problem(make_key(web, admin.headers), 422, "invalid_value")
    assert [entry["pointer"] for entry in without["errors"]] == ["/password"]
    guessed = make_key(web, admin.headers, password="guessed wrong")
    assert_problem(guessed, 401, "invalid_credentials")
    assert make_key(web, admin.headers, password=PASSWORD).status_code == 201
    web.shop.run_jobs()
    assert mails_to(web, admin.email)[-1].kind is MessageKind.API_KEY_MADE


def test_a_key_that_a_key_makes_does_not_outlive_it(web: Web):
    admin = signed_in(web, roles=(ADMIN,))
    now = web.shop.accounts.authenticate.clock.now()
    ends = now + timedelta(days=1)
    key = an_api_key(web, admin, Permission.USERS_WRITE, expires_at=ends)
    for wish in ({}, {"expires_at": (now + timedelta(days=9)).isoformat()}):
        assert make_key(web, bearer(key), **wish).status_code == 201
    assert {view.expires_at for view in web.shop.staff.api_keys().items} == {ends}


def test_whoever_chooses_a_new_password_by_mail_is_rid_of_every_key(web: Web):
    admin = signed_in(web, roles=(ADMIN,))
    key = bearer(an_api_key(web, admin, Permission.ORDERS_READ))
    assert web.client.get("/v1/admin/orders", headers=key).status_code == 200
    reset(web, admin)
    assert web.shop.accounts.authenticate.api_key(key["Authorization"].split()[1]) is None


def test_a_program_takes_no_role_from_whom_it_works_for(web: Web):
    owner, other = signed_in(web, roles=(ADMIN,)), signed_in(web, roles=(ADMIN,))
    scopes = (Permission.USERS_WRITE, Permission.CUSTOMERS_WRITE)
    by = web.shop.accounts.authenticate.api_key(an_api_key(web, owner, *scopes))
    assert by is not None
    for change in (
        lambda: web.shop.staff.revoke(owner.id, ADMIN, by=by),
        lambda: web.shop.staff.disable(owner.id, by=by),
        lambda: web.shop.staff.disable(other.id, by=by),
    ):
        with pytest.raises(PrivilegeEscalationError):
            change()
    web.shop.staff.revoke(owner.id, ADMIN, by=caller_of(web, owner))


def test_an_admin_who_never_chose_a_password_is_nobody_to_rely_on(web: Web):
    admin = signed_in(web, roles=(ADMIN,))
    web.shop.staff.invite(email="invited@example.com", roles=[ADMIN])
    with pytest.raises(LastAdminError):
        web.shop.staff.revoke(admin.id, ADMIN)
    assert ADMIN in web.shop.customers.get(admin.customer_id).roles


def test_the_device_that_came_first_goes_first_when_there_are_too_many(web: Web):
    first = signed_in(web)
    devices = [log_in(web, first.email) for _ in range(MOST_SESSIONS)]
    live = {view.id for view in web.shop.accounts.sessions(AccountId(first.id))}
    assert live == {device.session_id for device in devices}


def test_whoever_may_see_who_works_here_does_not_see_where_they_live(web: Web):
    web.shop.staff.set_role("sees_users", [Permission.USERS_READ])
    clerk, admin = signed_in(web, roles=("sees_users",)), signed_in(web, roles=(ADMIN,))
    told = web.client.get("/v1/admin/users", headers=clerk.headers).json()["items"]
    assert {person["email"] for person in told} == {clerk.email, admin.email}
    assert told[0].keys() == {"id", "email", "name", "status", "roles", "created_at"}


def test_what_one_allows_is_not_changed_all_day_long(web: Web):
    person = signed_in(web)
    answers = [
        web.client.patch(
            "/v1/me", json={"marketing_consent": bool(n % 2)}, headers=person.headers
        ).status_code
        for n in range(7)
    ]
    assert answers == [200] * 5 + [429] * 2
    renamed = web.client.patch("/v1/me", json={"name": "Ada"}, headers=person.headers)
    assert renamed.status_code == 200


def test_reading_the_mail_of_an_account_lets_its_owner_in_from_anywhere():
    with open_web() as web:
        owner = signed_in(web)
        wrong = {"email": owner.email, "password": "wrong " + uuid4().hex}
        while web.client.post("/v1/auth/login", json=wrong).status_code != 429:
            pass
        web.shop.accounts.request_password_reset(email=owner.email)
        web.shop.run_jobs()
        chosen = {"token": mailed_secret(web, owner.email), "password": NEW_PASSWORD}
        assert web.client.post("/v1/auth/password-reset/confirm", json=chosen).status_code == 204
        right = {"email": owner.email, "password": NEW_PASSWORD}
        assert web.client.post("/v1/auth/login", json=right).status_code == 200

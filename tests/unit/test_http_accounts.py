"""Getting an account, in and out of it, over HTTP: what is said, and to whom."""

from __future__ import annotations

from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import Any, Final

import pytest
from httpx2 import Response

from quickshop.domain.identity import BUILT_IN_ROLES, SessionId
from quickshop.entrypoints.http.edge.credentials import ACCESS_COOKIE, REFRESH_COOKIE
from quickshop.entrypoints.http.edge.rules import Edge
from tests.http_client import ADDRESS, Web, assert_problem, open_web
from tests.people import (
    PASSWORD,
    Person,
    Town,
    bearer,
    log_in,
    mailed_secret,
    mails_to,
    open_town,
    registered,
    signed_in,
)

ADA: Final = "ada@example.com"


@pytest.fixture
def web() -> Iterator[Web]:
    with open_web() as web:
        yield web


@pytest.fixture
def town() -> Iterator[Town]:
    with open_town() as town:
        yield town


def post(web: Web, path: str, headers: dict[str, str] | None = None, **body: Any) -> Response:
    return web.client.post(f"/v1/auth/{path}", json=body, headers=headers or {})


def told(answer: Response) -> tuple[int, bytes, list[str]]:
    """All that an answer says, besides what no two answers have in common."""
    own = {"x-request-id", "ratelimit", "server-timing"}
    headers = [f"{k}: {v}" for k, v in answer.headers.items() if k not in own]
    return answer.status_code, answer.content, headers


@pytest.mark.parametrize("path", ["register", "password-reset"])
def test_the_known_and_the_unknown_are_told_the_same(web: Web, path: str) -> None:
    registered(web, ADA)
    disabled = signed_in(web)
    web.shop.staff.disable(disabled.id)
    more = {"password": "another horse"} if path == "register" else {}
    answers = [
        told(post(web, path, email=email, **more))
        for email in (ADA, "nobody@example.com", disabled.email, " ADA@example.com")
    ]
    assert answers[0][0] == 202
    assert all(answer == answers[0] for answer in answers)


def test_whoever_is_not_let_in_is_told_the_same(web: Web) -> None:
    registered(web, ADA)
    disabled = signed_in(web)
    web.shop.staff.disable(disabled.id)
    answers = [
        told(post(web, "login", email=email, password=password))
        for email, password in (
            (ADA, "wrong horse"),
            ("nobody@example.com", PASSWORD),
            (disabled.email, PASSWORD),
        )
    ]
    assert answers[0][0] == 401
    assert all(answer == answers[0] for answer in answers)


def test_nobody_gets_an_account_without_reading_the_mail(web: Web) -> None:
    assert post(web, "register", email=ADA, password=PASSWORD).status_code == 202
    assert_problem(post(web, "login", email=ADA, password=PASSWORD), 401, "invalid_credentials")
    web.shop.run_jobs()
    assert_problem(post(web, "login", email=ADA, password=PASSWORD), 401, "invalid_credentials")
    secret = mailed_secret(web, ADA)
    for guess in (secret[:-1], secret.upper(), "qso_", ADA):
        assert_problem(post(web, "confirm", token=guess), 400, "invalid_token")
    assert post(web, "confirm", token=secret).status_code == 204
    assert_problem(post(web, "confirm", token=secret), 400, "invalid_token")
    answer = post(web, "login", email=ADA, password=PASSWORD)
    assert answer.status_code == 200
    headers = bearer(answer.json()["access_token"])
    assert web.client.get("/v1/me", headers=headers).json()["email"] == ADA


def test_who_registers_another_ones_address_first_gets_nothing(web: Web) -> None:
    post(web, "register", email=ADA, password="of a stranger", name="Mallory")
    web.shop.run_jobs()
    post(web, "register", email=ADA, password=PASSWORD, name="Ada")
    web.shop.run_jobs()
    strangers, own = (mail.secret for mail in mails_to(web, ADA))
    assert post(web, "confirm", token=own).status_code == 204
    assert_problem(
        post(web, "login", email=ADA, password="of a stranger"), 401, "invalid_credentials"
    )
    assert_problem(post(web, "confirm", token=strangers), 400, "invalid_token")
    person = log_in(web, ADA)
    assert web.client.get("/v1/me", headers=person.headers).json()["name"] == "Ada"


def test_who_registers_a_known_address_changes_nothing_about_it(web: Web) -> None:
    registered(web, ADA)
    post(web, "register", email=ADA, password="of a stranger", name="Mallory")
    web.shop.run_jobs()
    assert [mail.kind for mail in mails_to(web, ADA)] == ["confirm_account", "account_exists"]
    assert_problem(
        post(web, "login", email=ADA, password="of a stranger"), 401, "invalid_credentials"
    )
    assert log_in(web, ADA)


def test_a_forgotten_password_is_chosen_anew_by_mail(web: Web) -> None:
    person = signed_in(web, ADA)
    post(web, "password-reset", email=ADA)
    web.shop.run_jobs()
    secret = mailed_secret(web, ADA)
    answer = post(web, "password-reset/confirm", token=secret, password="another horse")
    assert answer.status_code == 204
    assert post(web, "login", email=ADA, password="another horse").status_code == 200
    assert_problem(post(web, "refresh", refresh_token=person.refresh_token), 401, "not_signed_in")


def test_an_answer_that_holds_tokens_is_kept_by_nobody(web: Web) -> None:
    registered(web, ADA)
    login = post(web, "login", email=ADA, password=PASSWORD)
    refresh = post(web, "refresh", refresh_token=login.json()["refresh_token"])
    for answer in (login, refresh):
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert "set-cookie" not in answer.headers
        assert answer.json()["token_type"] == "Bearer"
        assert 0 < answer.json()["expires_in"] <= 900


def test_people_manage_their_sessions_and_nobody_elses(web: Web) -> None:
    ada, grace = signed_in(web, ADA), signed_in(web)
    phone = log_in(web, ADA, device="Phone")
    listed = web.client.get("/v1/me/sessions", headers=ada.headers).json()["items"]
    assert [(each["id"], each["device"], each["current"]) for each in listed] == [
        (str(phone.session_id), "Phone", False),
        (str(ada.session_id), "", True),
    ]

    def end(who: Person, session_id: SessionId) -> int:
        path = f"/v1/me/sessions/{session_id}"
        return web.client.delete(path, headers=who.headers).status_code

    assert end(grace, ada.session_id) == 404
    assert end(ada, phone.session_id) == 204
    assert web.client.get("/v1/me", headers=phone.headers).status_code == 401
    assert web.client.get("/v1/me", headers=ada.headers).status_code == 200
    assert post(web, "logout", ada.headers).status_code == 204
    assert web.client.get("/v1/me", headers=ada.headers).status_code == 401


def test_signing_out_everywhere_ends_it_here_at_once(web: Web) -> None:
    ada = signed_in(web, ADA)
    phone = log_in(web, ADA)
    assert post(web, "logout-everywhere", ada.headers).status_code == 204
    assert web.client.get("/v1/me", headers=ada.headers).status_code == 401
    for person in (ada, phone):
        answer = post(web, "refresh", refresh_token=person.refresh_token)
        assert_problem(answer, 401, "not_signed_in")


def test_people_are_told_their_roles_and_what_they_may_do(web: Web) -> None:
    support, shopper = signed_in(web, roles=("support",)), signed_in(web)
    for person, roles, may in (
        (support, ["support"], sorted(BUILT_IN_ROLES["support"])),
        (shopper, [], []),
    ):
        profile = web.client.get("/v1/me", headers=person.headers).json()
        assert profile["roles"] == roles
        assert set(may) <= set(profile["permissions"])
        assert bool(profile["permissions"]) == bool(may)


def test_the_export_says_which_session_asked_for_it(web: Web) -> None:
    ada = signed_in(web, ADA)
    log_in(web, ADA)
    sessions = web.client.get("/v1/me/export", headers=ada.headers).json()["sessions"]
    assert [each["id"] for each in sessions if each["current"]] == [str(ada.session_id)]


def test_people_change_what_the_shop_knows_of_them(web: Web) -> None:
    ada = signed_in(web, ADA)

    def me(method: str, path: str = "", **body: Any) -> Response:
        options: dict[str, Any] = {"json": body} if body else {}
        return web.client.request(method, f"/v1/me{path}", headers=ada.headers, **options)

    profile = me("PATCH", name="Countess", phone="+44 20", marketing_consent=True).json()
    assert (profile["name"], profile["phone"]) == ("Countess", "+44 20")
    assert profile["marketing_consent"] is True
    profile = me("PATCH", phone="", marketing_consent=False).json()
    assert (profile["name"], profile["phone"]) == ("Countess", None)
    assert [each["granted"] for each in profile["consents"]] == [True, False]

    first = me("POST", "/addresses", address=ADDRESS).json()
    second = me("POST", "/addresses", address=ADDRESS | {"city": "Paris"}).json()
    assert (first["is_default"], second["is_default"]) == (True, False)
    moved = me(
        "PUT", f"/addresses/{second['id']}", address=ADDRESS | {"city": "Rome"}, is_default=True
    )
    assert moved.json()["address"]["city"] == "Rome"
    book = me("GET").json()["addresses"]
    assert [(each["address"]["city"], each["is_default"]) for each in book] == [
        ("London", False),
        ("Rome", True),
    ]
    assert me("DELETE", f"/addresses/{second['id']}").status_code == 204
    assert me("DELETE", f"/addresses/{second['id']}").status_code == 404
    (left,) = me("GET").json()["addresses"]
    assert (left["id"], left["is_default"]) == (first["id"], True)

    grace = signed_in(web)
    answer = web.client.delete(f"/v1/me/addresses/{first['id']}", headers=grace.headers)
    assert_problem(answer, 404, "not_found")


# Cookies


OWN: Final = {"Origin": "http://testserver"}


def cookies_of(answer: Response) -> SimpleCookie:
    jar = SimpleCookie()
    for value in answer.headers.get_list("set-cookie"):
        jar.load(value)
    return jar


def sent(jar: SimpleCookie, *names: str) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={jar[name].value}" for name in names or jar)}


def by_cookie(web: Web, email: str = ADA) -> SimpleCookie:
    answer = post(web, "login", OWN, email=email, password=PASSWORD, cookies=True)
    assert answer.status_code == 200, answer.text
    assert answer.json()["access_token"] is answer.json()["refresh_token"] is None
    web.client.cookies.clear()
    return cookies_of(answer)


def test_cookies_are_out_of_reach_of_scripts_and_of_other_sites(web: Web) -> None:
    registered(web, ADA)
    jar = by_cookie(web)
    assert set(jar) == {ACCESS_COOKIE, REFRESH_COOKIE}
    for name, cookie in jar.items():
        assert name.startswith("__Host-")
        assert (cookie["path"], cookie["domain"]) == ("/", "")
        assert cookie["secure"]
        assert cookie["httponly"]
        assert cookie["samesite"] == "lax"
    assert 0 < int(jar[ACCESS_COOKIE]["max-age"]) <= 900
    assert int(jar[REFRESH_COOKIE]["max-age"]) == 30 * 86_400


def test_a_browser_shops_by_cookies_alone(web: Web) -> None:
    registered(web, ADA)
    jar = by_cookie(web)
    assert web.client.get("/v1/me", headers=sent(jar)).json()["email"] == ADA
    answer = web.client.patch("/v1/me", json={"name": "Ada"}, headers=sent(jar) | OWN)
    assert answer.status_code == 200

    refreshed = web.client.post("/v1/auth/refresh", headers=sent(jar, REFRESH_COOKIE) | OWN)
    assert refreshed.status_code == 200, refreshed.text
    assert refreshed.json()["refresh_token"] is None
    web.client.cookies.clear()
    new = cookies_of(refreshed)
    assert new[REFRESH_COOKIE].value != jar[REFRESH_COOKIE].value
    assert web.client.get("/v1/me", headers=sent(new)).status_code == 200

    out = web.client.post("/v1/auth/logout", headers=sent(new) | OWN)
    assert out.status_code == 204
    gone = cookies_of(out)
    assert {name: (cookie.value, cookie["max-age"]) for name, cookie in gone.items()} == {
        ACCESS_COOKIE: ("", "0"),
        REFRESH_COOKIE: ("", "0"),
    }
    assert web.client.get("/v1/me", headers=sent(new)).status_code == 401


ORIGINS: Final[dict[str, tuple[dict[str, str] | list[tuple[str, str]], bool]]] = {
    "its own": ({"Origin": "https://shop.example"}, True),
    "a trusted one": ({"Origin": "https://www.shop.example"}, True),
    "none": ({}, False),
    "empty": ({"Origin": ""}, False),
    "null": ({"Origin": "null"}, False),
    "another": ({"Origin": "https://attacker.example"}, False),
    "a subdomain": ({"Origin": "https://evil.shop.example"}, False),
    "one that ends alike": ({"Origin": "https://notshop.example"}, False),
    "one that begins alike": ({"Origin": "https://shop.example.attacker.example"}, False),
    "in the clear": ({"Origin": "http://shop.example"}, False),
    "another port": ({"Origin": "https://shop.example:8443"}, False),
    "another case": ({"Origin": "https://SHOP.example"}, False),
    "with a path": ({"Origin": "https://shop.example/"}, False),
    "with a user": ({"Origin": "https://x@shop.example"}, False),
    "twice": ([("Origin", "https://shop.example"), ("Origin", "https://shop.example")], False),
    "two in one": ({"Origin": "https://shop.example, https://attacker.example"}, False),
    "as a referer": ({"Referer": "https://shop.example/"}, False),
}


@pytest.fixture(scope="module")
def store() -> Iterator[tuple[Web, SimpleCookie]]:
    edge = Edge(cors_origins=("https://www.shop.example",))
    with open_web(edge=edge) as web:
        web.client.base_url = "https://shop.example"  # type: ignore[assignment]
        registered(web, ADA)
        own = {"Origin": "https://shop.example"}
        answer = post(web, "login", own, email=ADA, password=PASSWORD, cookies=True)
        web.client.cookies.clear()
        yield web, cookies_of(answer)


@pytest.mark.parametrize("what", ORIGINS)
def test_what_a_browser_sends_with_cookies_counts_from_own_pages_only(
    store: tuple[Web, SimpleCookie], what: str
) -> None:
    web, jar = store
    origin, is_own = ORIGINS[what]
    pairs = list(origin.items()) if isinstance(origin, dict) else origin
    headers = [*pairs, *sent(jar, ACCESS_COOKIE).items()]
    before = web.shop.customers.list().items[0].name
    answer = web.client.patch("/v1/me", json={"name": what}, headers=headers)
    login = web.client.post(
        "/v1/auth/login",
        json={"email": "x@example.com", "password": PASSWORD, "cookies": True},
        headers=pairs,
    )
    refresh = web.client.post("/v1/auth/refresh", headers=[*pairs, *sent(jar).items()])
    web.client.cookies.clear()
    if is_own:
        assert (answer.status_code, answer.json()["name"]) == (200, what)
        assert_problem(login, 401, "invalid_credentials")
        assert refresh.status_code == 200
    else:
        assert_problem(answer, 403, "origin_not_allowed")
        detail = answer.json()["detail"]
        assert "Origin header" in detail
        assert "QUICKSHOP_CORS_ORIGINS" in detail
        assert web.shop.customers.list().items[0].name == before
        assert_problem(login, 403, "origin_not_allowed")
        assert_problem(refresh, 403, "origin_not_allowed")
    # Reading is safe: what is read, other sites' pages are not shown.
    reads = web.client.get("/v1/me", headers=headers)
    assert reads.status_code == 200


def test_a_bearer_token_needs_no_origin(web: Web) -> None:
    ada = signed_in(web, ADA)
    headers = ada.headers | {"Origin": "https://attacker.example"}
    answer = web.client.patch("/v1/me", json={"name": "Ada"}, headers=headers)
    assert answer.status_code == 200


def test_a_header_comes_before_cookies(web: Web) -> None:
    ada, grace = signed_in(web, ADA), signed_in(web)
    jar = by_cookie(web)
    answer = web.client.get("/v1/me", headers=sent(jar) | grace.headers)
    assert answer.json()["email"] == grace.email
    answer = web.client.get("/v1/me", headers=sent(jar) | bearer("nonsense"))
    assert answer.status_code == 401
    assert ada.email == ADA


# How soon it counts


def test_who_is_locked_out_is_out_within_five_seconds(town: Town) -> None:
    ada = signed_in(town.web)

    def status(path: str = "/v1/me") -> int:
        return town.web.client.get(path, headers=ada.headers).status_code

    assert status() == 200
    town.web.shop.staff.disable(ada.id)
    town.wait(4.9)
    assert status() == 401
    assert status("/v1/orders") == 401

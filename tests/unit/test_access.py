"""Every route by everybody: who is let in, who is told to sign in, who lacks a permission."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import uuid4

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from quickshop import open_shop
from quickshop.application.orders import ListOrders
from quickshop.application.permissions import needs, permission_of
from quickshop.domain.identity import ADMIN, BUILT_IN_ROLES, Permission, with_implied
from quickshop.entrypoints.http import app as http
from quickshop.entrypoints.http.edge.audience import (
    ACCOUNT,
    PUBLIC,
    SHOPPER,
    Audience,
    audience_of,
    open_to,
    staff,
)
from quickshop.entrypoints.http.edge.guard import GuardedRoute
from quickshop.entrypoints.http.edge.page_route import PageRoute
from quickshop.entrypoints.http.edge.rate_limits import Limits
from tests.http_client import Web, api_document, assert_problem, open_web
from tests.people import Person, an_api_key, bearer, signed_in
from tests.routes import ROUTES, Route

ENDS_SESSIONS: Final = frozenset({"log_out", "log_out_everywhere"})
"""After these somebody has to sign in anew, on some devices or on all."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who asks for everything."""

    name: str
    headers: Mapping[str, str] = field(default_factory=dict)
    person: Person | None = None
    permissions: frozenset[Permission] = frozenset()
    has_session: bool = False

    @property
    def is_somebody(self) -> bool:
        return "Authorization" in self.headers

    def expected(self, who: str) -> int:
        """What they are told at most: 401, 403, or 200 for being let in."""
        if who in {"probe", "public", "shopper"}:
            return 200
        if not self.is_somebody:
            return 401
        if who == "account":
            return 200 if self.has_session else 401
        return 200 if Permission(who) in self.permissions else 403


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    with open_web(limits=Limits(enabled=False)) as web:
        yield web


def a_guest(web: Web) -> Principal:
    web.stock()
    receipt = web.order()
    basket = web.cart()
    return Principal("guest", {**basket.headers, **receipt.headers})


def staff_in(web: Web, role: str) -> Principal:
    person = signed_in(web, roles=(role,))
    held = web.shop.staff.roles()[role]
    return Principal(role, person.headers, person, with_implied(held), has_session=True)


def a_program(web: Web, admin: Person, permission: Permission) -> Principal:
    scopes = with_implied(frozenset({permission}))
    headers = bearer(an_api_key(web, admin, permission))
    return Principal(f"key for {permission}", headers, None, scopes)


@pytest.fixture(scope="module")
def everybody(web: Web) -> list[Principal]:
    admin = staff_in(web, ADMIN)
    assert admin.person is not None
    web.shop.staff.set_role("only_reads_jobs", [Permission.JOBS_READ])
    customer = signed_in(web)
    return [
        Principal("nobody"),
        a_guest(web),
        Principal("customer", customer.headers, customer, has_session=True),
        *(staff_in(web, role) for role in sorted(BUILT_IN_ROLES) if role != ADMIN),
        staff_in(web, "only_reads_jobs"),
        admin,
        *(a_program(web, admin.person, permission) for permission in Permission),
    ]


def expected_of(route: Route, who: Principal) -> int:
    match route.operation:
        case "refresh_session":
            return 401  # whoever it is: there is no refresh token in the request
        case "log_out":
            return 200 if who.has_session else 401  # also when the session ended
        case _:
            return who.expected(route.who)


def address_of(route: Route) -> str:
    """The path of a route, with ids that nothing has."""
    path = route.path
    while "{" in path:
        before, _, rest = path.partition("{")
        name, _, after = rest.partition("}")
        path = f"{before}{uuid4() if name.endswith('_id') else 'nothing'}{after}"
    return path


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
def test_everybody_gets_as_far_as_the_table_says(
    web: Web, everybody: list[Principal], route: Route
):
    told = {}
    for principal in everybody:
        headers = principal.headers
        if principal.person and route.operation in ENDS_SESSIONS:
            headers = signed_in(web).headers  # or those who come next would be strangers
        answer = web.client.request(
            route.method,
            address_of(route),
            headers={**headers, "Idempotency-Key": uuid4().hex},
            json={} if route.method in {"POST", "PUT", "PATCH"} else None,
        )
        refused = answer.json().get("code") if answer.status_code in {401, 403} else None
        let_in = refused not in {"not_signed_in", "permission_denied"}
        told[principal.name] = 200 if let_in else answer.status_code
        assert answer.status_code < 500
    assert told == {who.name: expected_of(route, who) for who in everybody}


def test_the_table_holds_every_route_and_no_other(web: Web):
    found = {
        (each.operation_id or each.name, method, each.path, audience_of(each.endpoint))
        for each in web.client.app.routes
        if isinstance(each, GuardedRoute)
        for method in each.methods - {"HEAD"}
    }
    declared = {(o, m, p, a.permission or a.kind.value) for o, m, p, a in found}
    assert declared == {(each.operation, each.method, each.path, each.who) for each in ROUTES}


class Unmarked:
    """A use case that does not say which permission it needs."""


def test_a_route_that_does_not_declare_its_access_stops_the_api_from_starting():
    router = APIRouter(route_class=GuardedRoute)
    with pytest.raises(LookupError, match="does not declare its audience"):

        @router.get("/v1/leak")
        def leak() -> str:
            return "everything"


@pytest.mark.parametrize("declared", [SHOPPER, ACCOUNT, staff(ListOrders)])
def test_a_route_that_answers_from_a_cache_is_for_everybody_or_does_not_start(declared: Audience):
    router = APIRouter(route_class=PageRoute)
    with pytest.raises(LookupError, match="/v1/mine answers from a cache"):

        @router.get("/v1/mine")
        @open_to(declared)
        def mine() -> str:
            return "mine"

    @router.get("/v1/everybodys")
    @open_to(PUBLIC)
    def everybodys() -> str:
        return "everybody's"


def test_a_route_that_is_not_guarded_stops_the_api_from_starting(
    monkeypatch: pytest.MonkeyPatch,
):
    def leak() -> str:
        return "everything"

    open_door = APIRouter()
    open_door.routes.append(APIRoute("/v1/leak", leak))
    monkeypatch.setattr(http, "_ROUTERS", (*http._ROUTERS, open_door))  # noqa: SLF001
    with open_shop("memory://") as shop, pytest.raises(LookupError, match="/v1/leak"):
        http.create_app(shop)


def test_a_use_case_of_staff_that_names_no_permission_can_be_called_by_nobody():
    with pytest.raises(LookupError, match="Unmarked does not declare its permission"):
        permission_of(Unmarked)
    assert permission_of(needs(Permission.JOBS_READ)(type("Marked", (), {}))) == "jobs:read"


def test_who_lacks_a_permission_is_told_which(web: Web, everybody: list[Principal]):
    customer = next(each for each in everybody if each.name == "customer")
    refused = web.client.get("/v1/admin/orders", headers=customer.headers)
    document = assert_problem(refused, 403, "permission_denied")
    assert document["detail"] == ("you do not have permission to do this: orders:read is required")
    nobody = web.client.get("/v1/admin/orders")
    assert_problem(nobody, 401, "not_signed_in")
    assert nobody.headers["www-authenticate"] == "Bearer"


def test_a_refusal_comes_before_anything_is_read(web: Web):
    """Who may not call a route does not learn from it what it would have taken."""
    for body in (b"{", b'{"a": NaN}', b"x" * 1_000):
        answer = web.client.post("/v1/admin/products", content=body)
        assert_problem(answer, 401, "not_signed_in")


def test_every_route_of_staff_is_documented_with_its_permission():
    paths = api_document()["paths"]
    for route in ROUTES:
        if ":" in route.who:
            told = paths[route.path][route.method.lower()]
            assert f"`{route.who}`" in told["description"]
            assert {"401", "403", "429"} <= told["responses"].keys()
            assert told["security"] == [{"bearer": []}, {"cookie": []}]

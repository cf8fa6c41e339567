"""What staff change about people is true of the next request that the same process gets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from quickshop.domain.identity import Permission
from tests.people import Person, Town, an_api_key, bearer, open_town, signed_in


@pytest.fixture
def town() -> Iterator[Town]:
    with open_town() as found:
        yield found


@pytest.fixture
def admin(town: Town) -> Person:
    return signed_in(town.web, roles=("admin",))


@pytest.fixture
def manager(town: Town) -> Person:
    return signed_in(town.web, roles=("order_manager",))


def orders(town: Town, headers: dict[str, str]) -> int:
    """How the list of orders answers."""
    return town.web.client.get("/v1/admin/orders", headers=headers).status_code


def test_a_revoked_key_opens_nothing_any_more(town: Town, admin: Person, manager: Person) -> None:
    headers = bearer(an_api_key(town.web, manager, Permission.ORDERS_READ))
    assert orders(town, headers) == 200
    (key,) = town.web.client.get("/v1/admin/api-keys", headers=admin.headers).json()["items"]
    path = f"/v1/admin/api-keys/{key['id']}"
    assert town.web.client.delete(path, headers=admin.headers).status_code == 204
    assert orders(town, headers) == 401


def test_who_is_disabled_is_out(town: Town, admin: Person, manager: Person) -> None:
    assert orders(town, manager.headers) == 200
    path = f"/v1/admin/customers/{manager.id}/disable"
    assert town.web.client.post(path, headers=admin.headers).status_code < 300
    assert orders(town, manager.headers) == 401


def test_who_lost_a_role_may_no_more(town: Town, admin: Person, manager: Person) -> None:
    assert orders(town, manager.headers) == 200
    path = f"/v1/admin/users/{manager.id}/roles/order_manager"
    assert town.web.client.delete(path, headers=admin.headers).status_code == 204
    assert orders(town, manager.headers) == 403

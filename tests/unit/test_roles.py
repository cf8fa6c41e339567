"""Who may let others do what: never more than they may themselves, and never the last admin."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any, Final

import pytest

from quickshop.application.shopper import digest
from quickshop.domain.customers import CustomerId
from quickshop.domain.errors import (
    AccountHasRolesError,
    AlreadyExistsError,
    InvalidCredentialsError,
    InvalidValueError,
    LastAdminError,
    NotFoundError,
    PrivilegeEscalationError,
    RoleInUseError,
)
from quickshop.domain.identity import (
    ADMIN,
    BUILT_IN_ROLES,
    AccountId,
    ApiKeyId,
    Permission,
    with_implied,
)
from quickshop.domain.notifications import MessageKind
from quickshop.ports.identity import Caller
from tests.builders import new_id
from tests.people import PASSWORD, Person, log_in, mailed_secret, mails_to, registered, signed_in
from tests.scripted import World

ROLES: Final = sorted(BUILT_IN_ROLES)
WIDER: Final = {
    (mine, theirs)
    for mine, theirs in product(ROLES, ROLES)
    if not with_implied(BUILT_IN_ROLES[theirs]) <= with_implied(BUILT_IN_ROLES[mine])
}
"""Of whoever is in the first role, the second asks too much."""


@pytest.fixture
def world() -> World:
    return World()


def caller(world: World, person: Person) -> Caller:
    found = world.shop.accounts.authenticate.session(person.session_id)
    assert found is not None
    return found


def acting(world: World, *roles: str) -> Caller:
    """Somebody new in these roles."""
    return caller(world, signed_in(world, roles=roles))


def roles_of(world: World, account_id: AccountId) -> list[str]:
    return list(world.shop.customers.get(CustomerId(account_id)).roles)


def test_only_the_admin_is_above_everybody() -> None:
    assert {mine for mine, _ in WIDER} == set(ROLES) - {ADMIN}
    assert all((role, ADMIN) in WIDER for role in ROLES if role != ADMIN)
    assert not any(mine == theirs for mine, theirs in WIDER)


@pytest.mark.parametrize(("mine", "theirs"), list(product(ROLES, ROLES)))
def test_nobody_grants_more_than_they_hold(world: World, mine: str, theirs: str) -> None:
    by, other = acting(world, mine), registered(world)
    staff = world.shop.staff
    held = frozenset(BUILT_IN_ROLES[theirs])
    program: dict[str, Any] = {"name": "a program", "scopes": held, "password": PASSWORD}
    grants: list[Callable[[], object]] = [
        lambda: staff.grant(other, theirs, by=by),
        lambda: staff.grant(by.account_id, theirs, by=by),
        lambda: staff.invite(email="new@example.com", roles=[theirs], by=by),
        lambda: staff.set_role("made_here", held, by=by),
        lambda: staff.make_api_key(by.account_id, **program, by=by),
        lambda: staff.make_api_key(other, **program, by=by),
    ]
    for grant in grants:
        if (mine, theirs) in WIDER:
            with pytest.raises(PrivilegeEscalationError):
                grant()
        else:
            grant()
    if (mine, theirs) in WIDER:
        assert roles_of(world, other) == []
        assert roles_of(world, by.account_id) == [mine]
        assert "made_here" not in staff.roles()
        assert staff.api_keys().items == []
        assert mails_to(world, "new@example.com") == []
    else:
        assert roles_of(world, other) == [theirs]


@pytest.mark.parametrize(("mine", "theirs"), list(product(ROLES, ROLES)))
def test_nobody_locks_out_or_demotes_somebody_who_may_more(
    world: World, mine: str, theirs: str
) -> None:
    signed_in(world, roles=(ADMIN,))
    by, other = acting(world, mine), signed_in(world, roles=(theirs,))
    key = world.shop.staff.make_api_key(other.id, name="a program", scopes=BUILT_IN_ROLES[theirs])
    staff = world.shop.staff
    changes: list[Callable[[], object]] = [
        lambda: staff.disable(other.id, by=by),
        lambda: staff.enable(other.id, by=by),
        lambda: staff.invite(email=other.email, roles=[], by=by),
        lambda: staff.revoke_api_key(key.id, by=by),
        lambda: staff.revoke(other.id, theirs, by=by),
    ]
    for change in changes:
        if (mine, theirs) in WIDER:
            with pytest.raises(PrivilegeEscalationError):
                change()
        else:
            change()
    if (mine, theirs) in WIDER:
        assert roles_of(world, other.id) == [theirs]
        assert caller(world, other).permissions
        with pytest.raises(PrivilegeEscalationError):
            world.shop.customers.erase(CustomerId(other.id), by=by)
        assert world.shop.accounts.authenticate.api_key(key.secret)
    else:
        assert roles_of(world, other.id) == []


def test_a_role_is_above_others_as_a_whole(world: World) -> None:
    by = acting(world, "support", "catalog_manager")
    other = registered(world)
    world.shop.staff.grant(other, "support", by=by)
    world.shop.staff.grant(other, "stock_keeper")
    with pytest.raises(PrivilegeEscalationError):
        world.shop.staff.revoke(other, "support", by=by)


def lone_admin(world: World) -> Person:
    admin = signed_in(world, roles=(ADMIN,))
    world.shop.staff.disable(signed_in(world, roles=(ADMIN,)).id)
    return admin


def test_the_last_admin_stays(world: World) -> None:
    admin = lone_admin(world)
    by, staff = caller(world, admin), world.shop.staff
    for who in (None, by):
        with pytest.raises(LastAdminError):
            staff.revoke(admin.id, ADMIN, by=who)
        with pytest.raises(LastAdminError):
            staff.disable(admin.id, by=who)
        with pytest.raises(AccountHasRolesError):
            world.shop.customers.erase(CustomerId(admin.id), by=who)
    with pytest.raises(AccountHasRolesError):
        world.shop.customers.erase_own(CustomerId(admin.id), password=PASSWORD)
    assert caller(world, admin).permissions == set(Permission)

    second = signed_in(world, roles=(ADMIN,))
    staff.revoke(admin.id, ADMIN, by=by)
    assert caller(world, admin).permissions == frozenset()
    with pytest.raises(LastAdminError):
        staff.revoke(second.id, ADMIN)


def test_the_first_admin_is_made_at_the_machine(world: World) -> None:
    staff = world.shop.staff
    admin = staff.create_admin(email=" Root@Example.com", password=PASSWORD, name="Root")
    person = log_in(world, "root@example.com")
    assert (person.id, roles_of(world, admin)) == (admin, [ADMIN])
    assert staff.create_admin(email="root@example.com", password="another horse") == admin
    assert world.shop.accounts.authenticate.session(person.session_id) is None
    with pytest.raises(InvalidCredentialsError):
        log_in(world, "root@example.com")
    assert log_in(world, "root@example.com", password="another horse")
    for wrong in ({"email": "root", "password": PASSWORD}, {"email": "a@b.c", "password": "x"}):
        with pytest.raises(InvalidValueError):
            staff.create_admin(**wrong)


def test_who_was_locked_out_is_let_in_again_as_admin(world: World) -> None:
    ada = signed_in(world)
    world.shop.staff.disable(ada.id)
    world.shop.staff.create_admin(email=ada.email, password=PASSWORD)
    assert caller(world, log_in(world, ada.email)).permissions == set(Permission)


def test_staff_are_invited_by_a_link_and_choose_their_own_password(world: World) -> None:
    staff = world.shop.staff
    invited = staff.invite(email="New@example.com", roles=["support", "support"], name="New")
    world.run()
    with pytest.raises(InvalidCredentialsError):
        log_in(world, "new@example.com")
    secret = mailed_secret(world, "new@example.com")
    world.shop.accounts.reset_password(secret, password=PASSWORD)
    assert log_in(world, "new@example.com").id == invited
    assert roles_of(world, invited) == ["support"]
    assert staff.invite(email="new@example.com", roles=["stock_keeper"]) == invited
    assert roles_of(world, invited) == ["stock_keeper", "support"]
    assert [view.id for view in staff.list().items] == [invited]
    assert log_in(world, "new@example.com")


def test_who_is_invited_is_not_told_that_somebody_asked_for_a_new_password(world: World) -> None:
    email = "new@example.com"

    def told() -> MessageKind:
        world.run()
        return mails_to(world, email)[-1].kind

    world.shop.staff.invite(email=email, roles=["support"])
    assert told() is MessageKind.INVITATION
    world.shop.accounts.request_password_reset(email=email)  # the first link was left to expire
    assert told() is MessageKind.INVITATION
    world.shop.accounts.reset_password(mailed_secret(world, email), password=PASSWORD)
    world.shop.accounts.request_password_reset(email=email)
    assert told() is MessageKind.RESET_PASSWORD


def test_a_role_that_is_none_is_not_granted(world: World) -> None:
    ada = registered(world)
    for attempt in (
        lambda: world.shop.staff.grant(ada, "no_such_role"),
        lambda: world.shop.staff.invite(email="x@example.com", roles=["no_such_role"]),
    ):
        with pytest.raises(InvalidValueError):
            attempt()
    with pytest.raises(NotFoundError):
        world.shop.staff.grant(AccountId(new_id()), "support")
    world.shop.staff.revoke(ada, "no_such_role")


def test_a_shop_makes_roles_of_its_own(world: World) -> None:
    staff = world.shop.staff
    staff.set_role("night_shift", [Permission.ORDERS_WRITE])
    ada = signed_in(world, roles=("night_shift",))
    assert caller(world, ada).permissions == {Permission.ORDERS_WRITE, Permission.ORDERS_READ}
    assert staff.roles()["night_shift"] == {Permission.ORDERS_WRITE}

    staff.set_role("night_shift", [Permission.JOBS_READ])
    assert caller(world, ada).permissions == {Permission.JOBS_READ}
    with pytest.raises(RoleInUseError):
        staff.remove_role("night_shift")
    staff.revoke(ada.id, "night_shift")
    staff.remove_role("night_shift")
    assert staff.roles().keys() == BUILT_IN_ROLES.keys()
    with pytest.raises(NotFoundError):
        staff.remove_role("night_shift")


@pytest.mark.parametrize("role", ROLES)
def test_the_roles_of_every_shop_stay_as_they_are(world: World, role: str) -> None:
    staff = world.shop.staff
    with pytest.raises(AlreadyExistsError):
        staff.set_role(role, [Permission.JOBS_READ])
    with pytest.raises(InvalidValueError):
        staff.remove_role(role)
    assert staff.roles() == BUILT_IN_ROLES


@pytest.mark.parametrize("name", ["", "x", "Admin", "9lives", "a b", "a" * 41, "ädmin", "a\n"])
def test_a_name_that_is_none_makes_no_role(world: World, name: str) -> None:
    with pytest.raises(InvalidValueError):
        world.shop.staff.set_role(name, [])
    assert world.shop.staff.roles() == BUILT_IN_ROLES


def test_nobody_widens_or_takes_away_a_role_that_holds_more_than_they_do(world: World) -> None:
    staff = world.shop.staff
    staff.set_role("clerk", [Permission.USERS_WRITE, Permission.JOBS_READ])
    staff.set_role("boss", [Permission.PAYMENTS_WRITE])
    by = acting(world, "clerk")
    staff.set_role("helper", [Permission.JOBS_READ], by=by)
    for attempt in (
        lambda: staff.set_role("clerk", [Permission.PAYMENTS_WRITE], by=by),
        lambda: staff.set_role("boss", [Permission.JOBS_READ], by=by),
        lambda: staff.set_role("boss", [], by=by),
        lambda: staff.remove_role("boss", by=by),
    ):
        with pytest.raises(PrivilegeEscalationError):
            attempt()
    assert staff.roles()["boss"] == {Permission.PAYMENTS_WRITE}
    staff.remove_role("helper", by=by)


# API keys


def test_a_key_never_does_more_than_its_account(world: World) -> None:
    owner = signed_in(world, roles=("order_manager",))
    scopes = [Permission.ORDERS_READ, Permission.USERS_WRITE]
    key = world.shop.staff.make_api_key(owner.id, name="a program", scopes=scopes)

    def allowed() -> set[Permission]:
        found = world.shop.accounts.authenticate.api_key(key.secret)
        assert found is not None
        assert (found.account_id, found.session_id, found.customer_id) == (owner.id, None, None)
        return set(found.permissions)

    assert allowed() == {Permission.ORDERS_READ}
    world.shop.staff.grant(owner.id, ADMIN)
    signed_in(world, roles=(ADMIN,))
    assert allowed() == {Permission.ORDERS_READ, Permission.USERS_WRITE, Permission.USERS_READ}
    world.shop.staff.revoke(owner.id, ADMIN)
    world.shop.staff.revoke(owner.id, "order_manager")
    assert allowed() == set()


def test_a_key_grants_no_more_than_it_may_itself(world: World) -> None:
    owner = signed_in(world, roles=(ADMIN,))
    key = world.shop.staff.make_api_key(
        owner.id, name="a program", scopes=[Permission.USERS_WRITE]
    )
    by = world.shop.accounts.authenticate.api_key(key.secret)
    assert by is not None
    for attempt in (
        lambda: world.shop.staff.grant(registered(world), "support", by=by),
        lambda: world.shop.staff.make_api_key(
            owner.id, name="more", scopes=[Permission.ORDERS_READ], by=by
        ),
    ):
        with pytest.raises(PrivilegeEscalationError):
            attempt()


def test_a_key_is_shown_once_and_kept_as_a_digest(world: World) -> None:
    owner = signed_in(world, roles=(ADMIN,))
    key = world.shop.staff.make_api_key(owner.id, name="ERP", scopes=[Permission.ORDERS_READ])
    assert key.secret.startswith("qsk_")
    assert key.secret not in repr(key)
    (view,) = world.shop.staff.api_keys().items
    assert (view.id, view.name, list(view.scopes)) == (key.id, "ERP", [Permission.ORDERS_READ])
    with world.unit_of_work() as tx:
        stored = tx.api_keys.get(key.id)
    assert stored.digest == digest(key.secret)
    assert key.secret not in repr(world.unit_of_work.store.state)


def test_a_key_that_is_of_no_use_is_not_made(world: World) -> None:
    owner = signed_in(world, roles=(ADMIN,))
    make, now = world.shop.staff.make_api_key, world.clock.now()
    scopes = [Permission.ORDERS_READ]
    for attempt in (
        lambda: make(owner.id, name="", scopes=scopes),
        lambda: make(owner.id, name="a", scopes=[]),
        lambda: make(owner.id, name="a", scopes=scopes, expires_at=now),
    ):
        with pytest.raises(InvalidValueError):
            attempt()
    with pytest.raises(NotFoundError):
        make(AccountId(new_id()), name="a", scopes=scopes)
    with pytest.raises(NotFoundError):
        world.shop.staff.revoke_api_key(ApiKeyId(new_id()))
    assert world.shop.staff.api_keys().items == []


def test_a_key_that_was_revoked_opens_nothing(world: World) -> None:
    owner = signed_in(world, roles=(ADMIN,))
    key = world.shop.staff.make_api_key(owner.id, name="a", scopes=[Permission.ORDERS_READ])
    for _ in range(2):
        world.shop.staff.revoke_api_key(key.id)
        assert world.shop.accounts.authenticate.api_key(key.secret) is None

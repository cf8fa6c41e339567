"""The contract of repositories of accounts, roles and API keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest

from quickshop.application.shopper import digest
from quickshop.domain.errors import (
    AlreadyExistsError,
    ConflictError,
    LastAdminError,
    NotFoundError,
    RoleInUseError,
)
from quickshop.domain.identity import (
    ADMIN,
    Account,
    AccountId,
    ApiKey,
    ApiKeyId,
    Permission,
    Role,
    Session,
    SessionId,
)
from tests.builders import AWKWARD, LATER, NOW, facts, new_id
from tests.contracts.backend import Backend

Change = Callable[[Any], object]


def nothing(_aggregate: object) -> None:
    """As it was made."""


def an_account(email: str | None = None, *, roles: Iterable[str] = ()) -> Account:
    account_id = AccountId(new_id())
    return Account.create(
        id=account_id,
        email=email or f"{account_id}@example.com",
        password_hash=f"hash {AWKWARD}",
        now=NOW,
        roles=roles,
    )


def store_account(
    backend: Backend, *, roles: Iterable[str] = (), after: Change = nothing, **more: Any
) -> Account:
    """A stored account on which `after` was called before storing."""
    account = an_account(roles=roles, **more)
    after(account)
    with backend.unit_of_work() as tx:
        tx.accounts.add(account)
    return account


def reread(backend: Backend, account: Account) -> Account:
    with backend.unit_of_work() as tx:
        return tx.accounts.get(account.id)


def change(backend: Backend, account: Account, what: Change) -> Account:
    with backend.unit_of_work() as tx:
        found = tx.accounts.get(account.id)
        what(found)
        tx.accounts.save(found)
    return found


def disable(account: Account) -> None:
    account.disable(now=NOW)


def enable(account: Account) -> None:
    account.enable(now=NOW)


def erase(account: Account) -> None:
    account.erase(now=NOW)


def grant(*roles: str) -> Change:
    def give(account: Account) -> None:
        for role in roles:
            account.grant(role, now=NOW)

    return give


def revoke(role: str) -> Change:
    return lambda account: account.revoke(role, now=NOW)


def new_password(account: Account) -> None:
    account.change_password("another", now=NOW)


def new_address(account: Account) -> None:
    account.change_email(f"new-{account.id}@example.com", now=NOW)


def rehashed(account: Account) -> None:
    account.rehash("dearer", now=NOW)


def without_password(account: Account) -> None:
    account.password_hash = None


ACCOUNT_STATES = [
    nothing,
    disable,
    erase,
    without_password,
    new_password,
    new_address,
    rehashed,
    grant(ADMIN),
    grant("support", "made_here", "stock_keeper"),
]


class AccountRepositoryContract:
    @pytest.mark.parametrize("after", ACCOUNT_STATES)
    def test_an_account_comes_back_as_it_was_stored(self, backend: Backend, after: Change) -> None:
        account = store_account(backend, after=after)
        assert account.version == 1
        assert facts(reread(backend, account)) == facts(account)

    @pytest.mark.parametrize("after", [*ACCOUNT_STATES[1:3], *ACCOUNT_STATES[4:]])
    def test_an_account_comes_back_as_it_was_saved(self, backend: Backend, after: Change) -> None:
        stored = store_account(backend)
        saved = change(backend, stored, after)
        assert saved.version == 2
        assert facts(reread(backend, stored)) == facts(saved)

    def test_roles_come_and_go(self, backend: Backend) -> None:
        account = store_account(backend, roles=["support", ADMIN])
        with backend.unit_of_work() as tx:
            found = tx.accounts.get(account.id)
            found.revoke(ADMIN, now=NOW)
            tx.accounts.save(found)
            found.grant("made_here", now=NOW)
            tx.accounts.save(found)
        assert reread(backend, account).roles == {"support", "made_here"}
        change(backend, account, grant(ADMIN))
        assert reread(backend, account).roles == {"support", "made_here", ADMIN}

    def test_an_account_is_found_by_its_address(self, backend: Backend) -> None:
        account, other = store_account(backend), store_account(backend)
        with backend.unit_of_work() as tx:
            found = tx.accounts.find(account.email)
            assert found is not None
            assert facts(found) == facts(account)
            assert tx.accounts.find(f"x{other.email}") is None
            assert tx.accounts.find(other.email.upper()) is None

    def test_who_is_not_there_is_not_found(self, backend: Backend) -> None:
        store_account(backend)
        with backend.unit_of_work() as tx, pytest.raises(NotFoundError):
            tx.accounts.get(AccountId(new_id()))

    def test_an_address_has_one_account(self, backend: Backend) -> None:
        account, other = store_account(backend), store_account(backend)
        with pytest.raises(AlreadyExistsError), backend.unit_of_work() as tx:
            tx.accounts.add(an_account(account.email))
        with pytest.raises(AlreadyExistsError), backend.unit_of_work() as tx:
            found = tx.accounts.get(other.id)
            found.change_email(account.email, now=NOW)
            tx.accounts.save(found)
        assert reread(backend, other).email == other.email

    def test_the_address_of_an_erased_account_is_free(self, backend: Backend) -> None:
        account = store_account(backend)
        change(backend, account, erase)
        again = store_account(backend, email=account.email)
        with backend.unit_of_work() as tx:
            found = tx.accounts.find(account.email)
            assert found is not None
            assert found.id == again.id

    def test_the_second_of_two_who_save_an_account_conflicts(self, backend: Backend) -> None:
        stored = store_account(backend)
        stale = reread(backend, stored)
        change(backend, stored, grant("support"))
        stale.disable(now=NOW)
        with pytest.raises(ConflictError), backend.unit_of_work() as tx:
            tx.accounts.save(stale)
        found = reread(backend, stored)
        assert (found.is_active, found.roles) == (True, {"support"})

    def test_forgetting_to_save_an_account_is_an_error(self, backend: Backend) -> None:
        stored = store_account(backend)
        with pytest.raises(AssertionError, match="not saved"), backend.unit_of_work() as tx:
            tx.accounts.get(stored.id).disable(now=NOW)
        assert reread(backend, stored).is_active

    def test_who_reads_an_account_keeps_others_from_changing_it(self, backend: Backend) -> None:
        stored = store_account(backend)

        def give(role: str) -> None:
            change(backend, stored, grant(role))

        threads = [Thread(target=give, args=(f"role_{n}",)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        # No transaction got a ConflictError: each waited for the previous one.
        assert reread(backend, stored).roles == {f"role_{n}" for n in range(4)}

    def test_those_are_admins_who_are_active_and_in_the_role(self, backend: Backend) -> None:
        admins = [store_account(backend, roles=[ADMIN, "support"]) for _ in range(2)]
        store_account(backend, roles=["support"])
        store_account(backend, roles=[ADMIN], after=disable)
        change(backend, store_account(backend, roles=[ADMIN]), revoke(ADMIN))
        with backend.unit_of_work() as tx:
            assert sorted(tx.accounts.lock_admins()) == sorted(each.id for each in admins)

    def test_of_two_admins_who_remove_each_other_one_stays(self, backend: Backend) -> None:
        admins = [store_account(backend, roles=[ADMIN]) for _ in range(2)]

        def remove(admin: Account) -> None:
            with suppress(LastAdminError), backend.unit_of_work() as tx:
                if list(tx.accounts.lock_admins()) == [admin.id]:
                    raise LastAdminError
                found = tx.accounts.get(admin.id)
                found.revoke(ADMIN, now=NOW)
                tx.accounts.save(found)

        threads = [Thread(target=remove, args=(admin,)) for admin in admins]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        with backend.unit_of_work() as tx:
            assert len(tx.accounts.lock_admins()) == 1


def store_role(backend: Backend, name: str, *permissions: Permission) -> Role:
    role = Role.make(name, permissions, now=NOW)
    with backend.unit_of_work() as tx:
        tx.roles.add(role)
    return role


class RoleRepositoryContract:
    @pytest.mark.parametrize("held", [(), tuple(Permission), (Permission.ORDERS_READ,)])
    def test_a_role_comes_back_as_it_was_stored(
        self, backend: Backend, held: tuple[Permission, ...]
    ) -> None:
        role = store_role(backend, "made_here", *held)
        with backend.unit_of_work() as tx:
            found = tx.roles.find("made_here")
        assert found is not None
        assert facts(found) == facts(role)

    def test_a_role_that_is_not_there_is_not_found(self, backend: Backend) -> None:
        store_role(backend, "made_here")
        with backend.unit_of_work() as tx:
            assert tx.roles.find("made_her") is tx.roles.find(ADMIN) is None

    def test_a_name_stands_for_one_role(self, backend: Backend) -> None:
        store_role(backend, "made_here")
        with pytest.raises(AlreadyExistsError), backend.unit_of_work() as tx:
            tx.roles.add(Role.make("made_here", [], now=NOW))

    def test_the_second_of_two_who_save_a_role_conflicts(self, backend: Backend) -> None:
        store_role(backend, "made_here")
        with backend.unit_of_work() as tx:
            stale = tx.roles.find("made_here")
        with backend.unit_of_work() as tx:
            role = tx.roles.find("made_here")
            assert role is not None
            role.change([Permission.JOBS_READ], now=NOW)
            tx.roles.save(role)
        assert stale is not None
        stale.change([], now=NOW)
        with pytest.raises(ConflictError), backend.unit_of_work() as tx:
            tx.roles.save(stale)
        assert backend.identity_reader.roles()["made_here"] == {Permission.JOBS_READ}

    def test_a_role_is_removed_unless_somebody_is_in_it(self, backend: Backend) -> None:
        store_role(backend, "made_here", Permission.JOBS_READ)
        account = store_account(backend, roles=["made_here"])
        with backend.unit_of_work() as tx, pytest.raises(RoleInUseError):
            role = tx.roles.find("made_here")
            assert role is not None
            tx.roles.remove(role)
        change(backend, account, revoke("made_here"))
        with backend.unit_of_work() as tx:
            tx.roles.remove(role)
        with backend.unit_of_work() as tx:
            assert tx.roles.find("made_here") is None
        assert "made_here" not in backend.identity_reader.roles()


def an_api_key(account: Account, **more: Any) -> ApiKey:
    given: dict[str, Any] = {
        "name": AWKWARD,
        "digest": digest(str(new_id())),
        "scopes": frozenset({Permission.ORDERS_READ, Permission.CATALOG_WRITE}),
        "expires_at": None,
    }
    return ApiKey.make(id=ApiKeyId(new_id()), account_id=account.id, now=NOW, **(given | more))


def store_api_key(
    backend: Backend, account: Account | None = None, *, after: Change = nothing, **more: Any
) -> ApiKey:
    key = an_api_key(account or store_account(backend, roles=[ADMIN]), **more)
    after(key)
    with backend.unit_of_work() as tx:
        tx.api_keys.add(key)
    return key


def revoked(thing: ApiKey) -> None:
    thing.revoke(now=LATER)


class ApiKeyRepositoryContract:
    @pytest.mark.parametrize("after", [nothing, revoked])
    @pytest.mark.parametrize("expires_at", [None, LATER])
    def test_an_api_key_comes_back_as_it_was_stored(
        self, backend: Backend, after: Change, expires_at: Any
    ) -> None:
        key = store_api_key(backend, after=after, expires_at=expires_at)
        with backend.unit_of_work() as tx:
            assert facts(tx.api_keys.get(key.id)) == facts(key)

    def test_a_key_that_was_revoked_stays_so(self, backend: Backend) -> None:
        key = store_api_key(backend)
        with backend.unit_of_work() as tx:
            stale = tx.api_keys.get(key.id)
        with backend.unit_of_work() as tx:
            found = tx.api_keys.get(key.id)
            found.revoke(now=LATER)
            tx.api_keys.save(found)
        stale.revoke(now=NOW)
        with pytest.raises(ConflictError), backend.unit_of_work() as tx:
            tx.api_keys.save(stale)
        with backend.unit_of_work() as tx:
            assert tx.api_keys.get(key.id).revoked_at == LATER

    def test_a_key_that_is_not_there_is_not_found(self, backend: Backend) -> None:
        store_api_key(backend)
        with backend.unit_of_work() as tx, pytest.raises(NotFoundError):
            tx.api_keys.get(ApiKeyId(new_id()))


def store_session(
    backend: Backend, account: Account | None = None, *, after: Change = nothing, **more: Any
) -> Session:
    """A stored session of a customer, unless an account is given."""
    given: dict[str, Any] = {"device": AWKWARD, "address": "192.0.2.1", "now": NOW}
    session = Session.start(
        id=SessionId(new_id()),
        account_id=(account or store_account(backend)).id,
        lasts=timedelta(hours=1),
        **(given | more),
    )
    after(session)
    with backend.unit_of_work() as tx:
        tx.sessions.add(session)
    return session


def sign_out(session: Session) -> None:
    session.revoke("signed out", now=NOW)

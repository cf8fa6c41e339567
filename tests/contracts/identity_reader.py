"""The contract of identity readers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from quickshop.application.shopper import digest
from quickshop.domain.errors import InvalidValueError
from quickshop.domain.identity import BUILT_IN_ROLES, ApiKeyId, Permission, SessionId, with_implied
from quickshop.ports.identity import Caller
from tests.builders import LATER, NOW, facts, new_id
from tests.contracts.backend import Backend
from tests.contracts.identity import (
    Change,
    change,
    disable,
    erase,
    revoke,
    revoked,
    sign_out,
    store_account,
    store_api_key,
    store_role,
    store_session,
)

JUST_BEFORE = LATER - timedelta(microseconds=1)


class IdentityReaderContract:
    def test_a_session_signs_its_owner_in(self, backend: Backend) -> None:
        session = store_session(backend)
        store_session(backend)
        assert backend.identity_reader.signed_in(session.id, JUST_BEFORE) == Caller(
            account_id=session.account_id, permissions=frozenset(), session_id=session.id
        )

    @pytest.mark.parametrize("why", [disable, erase])
    def test_nobody_signs_in_to_an_account_that_is_not_active(
        self, backend: Backend, why: Change
    ) -> None:
        account = store_account(backend)
        session, key = store_session(backend, account), store_api_key(backend, account)
        change(backend, account, why)
        assert backend.identity_reader.signed_in(session.id, NOW) is None
        assert backend.identity_reader.with_key(key.digest, NOW) is None

    def test_a_session_that_ended_signs_nobody_in(self, backend: Backend) -> None:
        live, out = store_session(backend), store_session(backend, after=sign_out)
        reader = backend.identity_reader
        assert reader.signed_in(out.id, NOW) is None
        assert reader.signed_in(live.id, LATER) is None
        assert reader.signed_in(SessionId(new_id()), NOW) is None

    def test_permissions_are_those_of_all_roles_with_what_comes_along(
        self, backend: Backend
    ) -> None:
        store_role(backend, "made_here", Permission.JOBS_WRITE)
        roles = ["support", "catalog_manager", "made_here", "gone"]
        session = store_session(backend, store_account(backend, roles=roles))
        caller = backend.identity_reader.signed_in(session.id, NOW)
        assert caller is not None
        assert caller.permissions == with_implied(
            BUILT_IN_ROLES["support"] | BUILT_IN_ROLES["catalog_manager"]
        ) | {Permission.JOBS_WRITE, Permission.JOBS_READ}

    @pytest.mark.parametrize("role", sorted(BUILT_IN_ROLES))
    def test_every_role_that_all_shops_have_counts(self, backend: Backend, role: str) -> None:
        session = store_session(backend, store_account(backend, roles=[role]))
        caller = backend.identity_reader.signed_in(session.id, NOW)
        assert caller is not None
        assert caller.permissions == with_implied(BUILT_IN_ROLES[role])

    def test_a_key_does_no_more_than_its_scopes_nor_than_its_account(
        self, backend: Backend
    ) -> None:
        account = store_account(backend, roles=["catalog_manager"])
        key = store_api_key(backend, account)
        caller = Caller(
            account_id=account.id,
            permissions=frozenset({Permission.CATALOG_READ, Permission.CATALOG_WRITE}),
            api_key_id=key.id,
        )
        reader = backend.identity_reader
        assert reader.with_key(key.digest, LATER) == caller
        change(backend, account, revoke("catalog_manager"))
        assert reader.with_key(key.digest, NOW) == replace(caller, permissions=frozenset())

    def test_a_key_that_ended_opens_nothing(self, backend: Backend) -> None:
        brief, out = (
            store_api_key(backend, expires_at=LATER),
            store_api_key(backend, after=revoked),
        )
        reader = backend.identity_reader
        assert reader.with_key(brief.digest, JUST_BEFORE) is not None
        assert reader.with_key(brief.digest, LATER) is None
        assert reader.with_key(out.digest, NOW) is None
        assert reader.with_key(digest("no such key"), NOW) is None

    def test_every_role_is_told(self, backend: Backend) -> None:
        assert backend.identity_reader.roles() == BUILT_IN_ROLES
        store_role(backend, "made_here", Permission.JOBS_READ)
        store_role(backend, "empty")
        made = {"made_here": {Permission.JOBS_READ}, "empty": set()}
        assert backend.identity_reader.roles() == BUILT_IN_ROLES | made

    def test_live_sessions_are_listed_the_one_used_last_first(self, backend: Backend) -> None:
        account = store_account(backend)
        minute = timedelta(minutes=1)
        old = store_session(backend, account, now=NOW)
        new = store_session(backend, account, now=NOW + minute)
        store_session(backend, account, after=sign_out)
        store_session(backend, account, now=NOW - timedelta(hours=2))
        store_session(backend)
        found = backend.identity_reader.sessions(account.id, NOW + minute)
        assert [view.id for view in found] == [new.id, old.id]
        assert facts(found[1]).items() <= facts(old).items()

    def test_every_key_is_listed_and_none_is_told(self, backend: Backend) -> None:
        account = store_account(backend)
        keys = [store_api_key(backend, account), store_api_key(backend, after=revoked)]
        listed = backend.identity_reader.api_keys().items
        assert [view.id for view in listed] == sorted((key.id for key in keys), reverse=True)
        (view,) = [view for view in listed if view.id == keys[0].id]
        assert view.scopes == sorted(keys[0].scopes)
        assert "digest" not in facts(view)
        kept = facts(keys[0])
        assert all(kept[name] == fact for name, fact in facts(view).items() if name != "scopes")

    @pytest.mark.parametrize("limit", [1, 2, 3])
    def test_pages_show_every_key_once(self, backend: Backend, limit: int) -> None:
        keys = [store_api_key(backend).id for _ in range(3)]
        shown: list[ApiKeyId] = []
        cursor = None
        while True:
            page = backend.identity_reader.api_keys(limit=limit, cursor=cursor)
            shown += [view.id for view in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
            assert len(page.items) == limit
        assert shown == sorted(keys, reverse=True)
        for wrong in ({"limit": 0}, {"limit": 101}, {"cursor": "nonsense"}):
            with pytest.raises(InvalidValueError):
                backend.identity_reader.api_keys(**wrong)

    def test_sessions_that_ended_are_told_as_long_as_they_are_kept(self, backend: Backend) -> None:
        account = store_account(backend)
        live = store_session(backend, account, now=NOW)
        out = store_session(backend, account, now=NOW - timedelta(hours=1), after=sign_out)
        store_session(backend)
        found = backend.identity_reader.kept_sessions(account.id)
        assert [view.id for view in found] == [live.id, out.id]
        assert [view.revoked_at for view in found] == [None, out.revoked_at]
        assert out.revoked_at is not None

    def test_an_address_is_known_once_somebody_signed_in_from_it(self, backend: Backend) -> None:
        account, other = store_account(backend), store_account(backend)
        store_session(backend, account, address="192.0.2.7", after=sign_out)
        store_session(backend, other, address="192.0.2.8")
        knows = backend.identity_reader.knows_address
        assert knows(account.email, "192.0.2.7")
        assert not knows(account.email, "192.0.2.8")
        assert not knows("nobody@example.com", "192.0.2.7")

"""Accounts, roles, sessions and keys in memory, as queries read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import TypeVar

from typing_extensions import override

from quickshop.adapters.memory.paging import Row, page_of
from quickshop.adapters.memory.state import MemoryState, MemoryStore
from quickshop.domain.identity import (
    BUILT_IN_ROLES,
    Account,
    AccountId,
    Permission,
    Session,
    SessionId,
    with_implied,
)
from quickshop.ports.identity import ApiKeyView, Caller, IdentityReader, SessionView
from quickshop.ports.paging import DEFAULT_LIMIT, Page

V = TypeVar("V", SessionView, ApiKeyView)


def _permissions(state: MemoryState, account: Account) -> frozenset[Permission]:
    made = {name: role.permissions for name, role in state.roles.items()}
    held = (({**made, **BUILT_IN_ROLES}).get(name, frozenset()) for name in account.roles)
    return with_implied(frozenset[Permission]().union(*held))


class MemoryIdentityReader(IdentityReader):
    """Accounts, roles, sessions and keys as queries read them."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    @override
    def signed_in(self, session_id: SessionId, now: datetime) -> Caller | None:
        state = self._store.state
        session = state.sessions.get(session_id)
        if session is None or not session.is_live(now):
            return None
        account = state.accounts[session.account_id]
        if not account.is_active:
            return None
        return Caller(
            account_id=account.id,
            permissions=_permissions(state, account),
            session_id=session_id,
        )

    @override
    def with_key(self, digest: str, now: datetime) -> Caller | None:
        state = self._store.state
        for key in state.api_keys.values():
            if key.digest != digest or key.revoked_at is not None:
                continue
            account = state.accounts[key.account_id]
            if not account.is_active or (key.expires_at and key.expires_at <= now):
                return None
            return Caller(
                account_id=account.id,
                permissions=with_implied(key.scopes) & _permissions(state, account),
                api_key_id=key.id,
            )
        return None

    @override
    def roles(self) -> Mapping[str, frozenset[Permission]]:
        made = {name: role.permissions for name, role in sorted(self._store.state.roles.items())}
        return {**BUILT_IN_ROLES, **made}

    @override
    def sessions(self, account_id: AccountId, now: datetime) -> Sequence[SessionView]:
        return _latest_first(
            session
            for session in self._store.state.sessions.values()
            if session.account_id == account_id and session.is_live(now)
        )

    @override
    def kept_sessions(self, account_id: AccountId) -> Sequence[SessionView]:
        return _latest_first(
            each for each in self._store.state.sessions.values() if each.account_id == account_id
        )

    @override
    def api_keys(
        self, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[ApiKeyView]:
        rows = (
            Row(0, key.id, _view_of(ApiKeyView, key, scopes=sorted(key.scopes)))
            for key in self._store.state.api_keys.values()
        )
        return page_of(rows, sort="newest", limit=limit, cursor=cursor, descending=True)

    @override
    def knows_address(self, email: str, address: str) -> bool:
        state = self._store.state
        return any(
            session.address == address and state.accounts[session.account_id].email == email
            for session in state.sessions.values()
        )


def _latest_first(sessions: Iterable[Session]) -> Sequence[SessionView]:
    ordered = sorted(sessions, key=lambda each: (each.last_used_at, each.id), reverse=True)
    return [_view_of(SessionView, session) for session in ordered]


def _view_of(kind: type[V], aggregate: object, **other: object) -> V:
    names = [each.name for each in fields(kind)]
    return kind(**{name: getattr(aggregate, name) for name in names} | other)

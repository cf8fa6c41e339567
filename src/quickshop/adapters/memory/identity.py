"""Accounts, roles, sessions, tokens and keys in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from typing_extensions import override

from quickshop.adapters.memory.constraints import require
from quickshop.adapters.memory.session import MemorySession
from quickshop.domain.errors import (
    AlreadyExistsError,
    InvalidTokenError,
    NotFoundError,
    RoleInUseError,
)
from quickshop.domain.identity import (
    Account,
    AccountId,
    ApiKey,
    ApiKeyId,
    OneTimeToken,
    OneTimeTokenId,
    RefreshToken,
    Role,
    Session,
    SessionId,
)
from quickshop.ports.identity import (
    AccountRepository,
    ApiKeyRepository,
    OneTimeTokenRepository,
    RoleRepository,
    SessionRepository,
)


class MemoryAccounts(AccountRepository):
    """The accounts."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._accounts = session.state.accounts

    @override
    def get(self, account_id: AccountId) -> Account:
        if account_id not in self._accounts:
            raise NotFoundError("account")
        return self._session.hand_out(self._accounts[account_id])

    @override
    def find(self, email: str) -> Account | None:
        for account in self._accounts.values():
            if account.email == email:
                return self._session.hand_out(account)
        return None

    @override
    def add(self, account: Account) -> None:
        if account.id in self._accounts:
            raise AlreadyExistsError("account", "id")
        self._keep(account)

    @override
    def save(self, account: Account) -> None:
        self._session.require_version(self._accounts, account.id, account, "account")
        self._keep(account)

    def _keep(self, account: Account) -> None:
        if any(a.email == account.email and a.id != account.id for a in self._accounts.values()):
            raise AlreadyExistsError("account", "email address")
        self._session.keep(self._accounts, account.id, account)

    @override
    def lock_admins(self) -> Sequence[AccountId]:
        return sorted(account.id for account in self._accounts.values() if account.is_admin)


class MemoryRoles(RoleRepository):
    """The custom roles of the shop."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._state = session.state

    @override
    def find(self, name: str) -> Role | None:
        role = self._state.roles.get(name)
        return None if role is None else self._session.hand_out(role)

    @override
    def add(self, role: Role) -> None:
        if role.name in self._state.roles:
            raise AlreadyExistsError("role", "name")
        self._session.keep(self._state.roles, role.name, role)

    @override
    def save(self, role: Role) -> None:
        self._session.require_version(self._state.roles, role.name, role, "role")
        self._session.keep(self._state.roles, role.name, role)

    @override
    def remove(self, role: Role) -> None:
        if any(role.name in account.roles for account in self._state.accounts.values()):
            raise RoleInUseError(role.name)
        self._state.roles.pop(role.name, None)


class MemorySessions(SessionRepository):
    """The sessions and their refresh tokens."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._state = session.state

    @override
    def get(self, session_id: SessionId) -> Session:
        if session_id not in self._state.sessions:
            raise NotFoundError("session")
        return self._session.hand_out(self._state.sessions[session_id])

    @override
    def of_account(self, account_id: AccountId) -> Sequence[Session]:
        return [
            self._session.hand_out(session)
            for _id, session in sorted(self._state.sessions.items())
            if session.account_id == account_id and session.revoked_at is None
        ]

    @override
    def add(self, session: Session) -> None:
        if session.id in self._state.sessions:
            raise AlreadyExistsError("session", "id")
        require(session.account_id in self._state.accounts, "no such account")
        self._session.keep(self._state.sessions, session.id, session)

    @override
    def save(self, session: Session) -> None:
        self._session.require_version(self._state.sessions, session.id, session, "session")
        self._session.keep(self._state.sessions, session.id, session)

    @override
    def with_token(self, digest: str) -> tuple[Session, RefreshToken] | None:
        token = self._state.refresh_tokens.get(digest)
        return None if token is None else (self.get(token.session_id), token)

    @override
    def put_token(self, token: RefreshToken) -> None:
        require(token.session_id in self._state.sessions, "no such session")
        self._state.refresh_tokens[token.digest] = token

    @override
    def purge_ended(self, before: datetime) -> int:
        return len(
            self._forget(
                session.id
                for session in self._state.sessions.values()
                if session.expires_at < before
                or (session.revoked_at is not None and session.revoked_at < before)
            )
        )

    @override
    def delete_of(self, account_id: AccountId) -> Sequence[SessionId]:
        sessions = self._state.sessions.values()
        return self._forget(each.id for each in sessions if each.account_id == account_id)

    def _forget(self, session_ids: Iterable[SessionId]) -> Sequence[SessionId]:
        gone = list(session_ids)
        for session_id in gone:
            del self._state.sessions[session_id]
        for digest, token in list(self._state.refresh_tokens.items()):
            if token.session_id not in self._state.sessions:
                del self._state.refresh_tokens[digest]
        return gone


class MemoryOneTimeTokens(OneTimeTokenRepository):
    """The one-time tokens."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._tokens = session.state.one_time_tokens

    @override
    def get(self, token_id: OneTimeTokenId) -> OneTimeToken:
        if token_id not in self._tokens:
            raise NotFoundError("token")
        return self._session.hand_out(self._tokens[token_id])

    @override
    def with_digest(self, digest: str) -> OneTimeToken:
        for token in self._tokens.values():
            if token.digest == digest:
                return self._session.hand_out(token)
        raise InvalidTokenError

    @override
    def add(self, token: OneTimeToken) -> None:
        require(token.id not in self._tokens, "a token must be added only once")
        self._session.keep(self._tokens, token.id, token)

    @override
    def save(self, token: OneTimeToken) -> None:
        self._session.require_version(self._tokens, token.id, token, "token")
        self._session.keep(self._tokens, token.id, token)

    @override
    def delete_of(self, account_id: AccountId, *emails: str) -> int:
        return self._forget(lambda each: each.account_id == account_id or each.email in emails)

    @override
    def purge_expired(self, now: datetime) -> int:
        return self._forget(lambda token: token.expires_at < now)

    def _forget(self, is_gone: Callable[[OneTimeToken], bool]) -> int:
        gone = [token_id for token_id, token in self._tokens.items() if is_gone(token)]
        for token_id in gone:
            del self._tokens[token_id]
        return len(gone)


class MemoryApiKeys(ApiKeyRepository):
    """The API keys."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._state = session.state

    @override
    def get(self, api_key_id: ApiKeyId) -> ApiKey:
        if api_key_id not in self._state.api_keys:
            raise NotFoundError("API key")
        return self._session.hand_out(self._state.api_keys[api_key_id])

    @override
    def of_account(self, account_id: AccountId) -> Sequence[ApiKey]:
        return [
            self._session.hand_out(key)
            for _id, key in sorted(self._state.api_keys.items())
            if key.account_id == account_id and key.revoked_at is None
        ]

    @override
    def add(self, api_key: ApiKey) -> None:
        require(api_key.account_id in self._state.accounts, "no such account")
        self._session.keep(self._state.api_keys, api_key.id, api_key)

    @override
    def save(self, api_key: ApiKey) -> None:
        self._session.require_version(self._state.api_keys, api_key.id, api_key, "API key")
        self._session.keep(self._state.api_keys, api_key.id, api_key)

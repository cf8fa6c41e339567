"""Accounts, roles, sessions, tokens and keys in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

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


class MemoryAccounts:
    """The accounts."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._accounts = session.state.accounts

    def get(self, account_id: AccountId) -> Account:
        """As `AccountRepository.get`.

        Raises:
            NotFoundError: there is none with this id.
        """
        if account_id not in self._accounts:
            raise NotFoundError("account")
        return self._session.hand_out(self._accounts[account_id])

    def find(self, email: str) -> Account | None:
        """As `AccountRepository.find`."""
        for account in self._accounts.values():
            if account.email == email:
                return self._session.hand_out(account)
        return None

    def add(self, account: Account) -> None:
        """As `AccountRepository.add`.

        Raises:
            AlreadyExistsError: its address or id is taken.
        """
        if account.id in self._accounts:
            raise AlreadyExistsError("account", "id")
        self._keep(account)

    def save(self, account: Account) -> None:
        """As `AccountRepository.save`.

        Raises:
            ConflictError: it was saved by someone else since it was got.
            AlreadyExistsError: its address is taken.
        """
        self._session.require_version(self._accounts, account.id, account, "account")
        self._keep(account)

    def _keep(self, account: Account) -> None:
        if any(a.email == account.email and a.id != account.id for a in self._accounts.values()):
            raise AlreadyExistsError("account", "e-mail address")
        self._session.keep(self._accounts, account.id, account)

    def lock_admins(self) -> Sequence[AccountId]:
        """As `AccountRepository.lock_admins`."""
        return sorted(account.id for account in self._accounts.values() if account.is_admin)


class MemoryRoles:
    """The roles that the shop made."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._state = session.state

    def find(self, name: str) -> Role | None:
        """As `RoleRepository.find`."""
        role = self._state.roles.get(name)
        return None if role is None else self._session.hand_out(role)

    def add(self, role: Role) -> None:
        """As `RoleRepository.add`.

        Raises:
            AlreadyExistsError: its name is taken.
        """
        if role.name in self._state.roles:
            raise AlreadyExistsError("role", "name")
        self._session.keep(self._state.roles, role.name, role)

    def save(self, role: Role) -> None:
        """As `RoleRepository.save`.

        Raises:
            ConflictError: it was saved by someone else since it was got.
        """
        self._session.require_version(self._state.roles, role.name, role, "role")
        self._session.keep(self._state.roles, role.name, role)

    def remove(self, role: Role) -> None:
        """As `RoleRepository.remove`.

        Raises:
            RoleInUseError: accounts are in it.
        """
        if any(role.name in account.roles for account in self._state.accounts.values()):
            raise RoleInUseError(role.name)
        self._state.roles.pop(role.name, None)


class MemorySessions:
    """The sessions and their refresh tokens."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._state = session.state

    def get(self, session_id: SessionId) -> Session:
        """As `SessionRepository.get`.

        Raises:
            NotFoundError: there is none with this id.
        """
        if session_id not in self._state.sessions:
            raise NotFoundError("session")
        return self._session.hand_out(self._state.sessions[session_id])

    def of_account(self, account_id: AccountId) -> Sequence[Session]:
        """As `SessionRepository.of_account`."""
        return [
            self._session.hand_out(session)
            for _id, session in sorted(self._state.sessions.items())
            if session.account_id == account_id and session.revoked_at is None
        ]

    def add(self, session: Session) -> None:
        """As `SessionRepository.add`.

        Raises:
            AlreadyExistsError: its id is taken.
        """
        if session.id in self._state.sessions:
            raise AlreadyExistsError("session", "id")
        assert session.account_id in self._state.accounts, "no such account"
        self._session.keep(self._state.sessions, session.id, session)

    def save(self, session: Session) -> None:
        """As `SessionRepository.save`.

        Raises:
            ConflictError: it was saved by someone else since it was got.
        """
        self._session.require_version(self._state.sessions, session.id, session, "session")
        self._session.keep(self._state.sessions, session.id, session)

    def with_token(self, digest: str) -> tuple[Session, RefreshToken] | None:
        """As `SessionRepository.with_token`."""
        token = self._state.refresh_tokens.get(digest)
        return None if token is None else (self.get(token.session_id), token)

    def put_token(self, token: RefreshToken) -> None:
        """As `SessionRepository.put_token`."""
        assert token.session_id in self._state.sessions, "no such session"
        self._state.refresh_tokens[token.digest] = token

    def forget_ended(self, before: datetime) -> int:
        """As `SessionRepository.forget_ended`."""
        return len(
            self._forget(
                session.id
                for session in self._state.sessions.values()
                if session.expires_at < before
                or (session.revoked_at is not None and session.revoked_at < before)
            )
        )

    def forget_of(self, account_id: AccountId) -> Sequence[SessionId]:
        """As `SessionRepository.forget_of`."""
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


class MemoryOneTimeTokens:
    """The one-time tokens."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._tokens = session.state.one_time_tokens

    def get(self, token_id: OneTimeTokenId) -> OneTimeToken:
        """As `OneTimeTokenRepository.get`.

        Raises:
            NotFoundError: there is none with this id.
        """
        if token_id not in self._tokens:
            raise NotFoundError("token")
        return self._session.hand_out(self._tokens[token_id])

    def with_digest(self, digest: str) -> OneTimeToken:
        """As `OneTimeTokenRepository.with_digest`.

        Raises:
            InvalidTokenError: there is none.
        """
        for token in self._tokens.values():
            if token.digest == digest:
                return self._session.hand_out(token)
        raise InvalidTokenError

    def add(self, token: OneTimeToken) -> None:
        """As `OneTimeTokenRepository.add`."""
        assert token.id not in self._tokens, "a token is added once"
        self._session.keep(self._tokens, token.id, token)

    def save(self, token: OneTimeToken) -> None:
        """As `OneTimeTokenRepository.save`.

        Raises:
            ConflictError: it was saved by someone else since it was got.
        """
        self._session.require_version(self._tokens, token.id, token, "token")
        self._session.keep(self._tokens, token.id, token)

    def forget_of(self, account_id: AccountId, *emails: str) -> int:
        """As `OneTimeTokenRepository.forget_of`."""
        return self._forget(lambda each: each.account_id == account_id or each.email in emails)

    def forget_expired(self, now: datetime) -> int:
        """As `OneTimeTokenRepository.forget_expired`."""
        return self._forget(lambda token: token.expires_at < now)

    def _forget(self, is_gone: Callable[[OneTimeToken], bool]) -> int:
        gone = [token_id for token_id, token in self._tokens.items() if is_gone(token)]
        for token_id in gone:
            del self._tokens[token_id]
        return len(gone)


class MemoryApiKeys:
    """The API keys."""

    def __init__(self, session: MemorySession) -> None:
        self._session = session
        self._state = session.state

    def get(self, api_key_id: ApiKeyId) -> ApiKey:
        """As `ApiKeyRepository.get`.

        Raises:
            NotFoundError: there is none with this id.
        """
        if api_key_id not in self._state.api_keys:
            raise NotFoundError("API key")
        return self._session.hand_out(self._state.api_keys[api_key_id])

    def of_account(self, account_id: AccountId) -> Sequence[ApiKey]:
        """As `ApiKeyRepository.of_account`."""
        return [
            self._session.hand_out(key)
            for _id, key in sorted(self._state.api_keys.items())
            if key.account_id == account_id and key.revoked_at is None
        ]

    def add(self, api_key: ApiKey) -> None:
        """As `ApiKeyRepository.add`."""
        assert api_key.account_id in self._state.accounts, "no such account"
        self._session.keep(self._state.api_keys, api_key.id, api_key)

    def save(self, api_key: ApiKey) -> None:
        """As `ApiKeyRepository.save`.

        Raises:
            ConflictError: it was saved by someone else since it was got.
        """
        self._session.require_version(self._state.api_keys, api_key.id, api_key, "API key")
        self._session.keep(self._state.api_keys, api_key.id, api_key)

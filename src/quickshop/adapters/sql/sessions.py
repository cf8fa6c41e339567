"""Sessions, refresh tokens and one-time tokens in tables, without secrets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, bindparam, delete, insert, or_, select, update
from typing_extensions import override

from quickshop.adapters.sql.aggregates import AggregateRows, RowShape
from quickshop.adapters.sql.connection import BatchingConnection
from quickshop.adapters.sql.jobs import EventLog
from quickshop.adapters.sql.tables import one_time_tokens, refresh_tokens, sessions
from quickshop.adapters.tracking import Tracker
from quickshop.domain.errors import InvalidTokenError, NotFoundError
from quickshop.domain.identity import (
    AccountId,
    OneTimeToken,
    OneTimeTokenId,
    Purpose,
    RefreshToken,
    Session,
    SessionId,
)
from quickshop.ports.identity import OneTimeTokenRepository, SessionRepository

_SESSIONS: Final[RowShape[Session]] = RowShape(
    sessions,
    "session",
    lambda session: {
        "id": session.id,
        "account_id": session.account_id,
        "device": session.device,
        "address": session.address,
        "created_at": session.created_at,
        "last_used_at": session.last_used_at,
        "expires_at": session.expires_at,
        "revoked_at": session.revoked_at,
    },
)
_ONE_TIME_TOKENS: Final[RowShape[OneTimeToken]] = RowShape(
    one_time_tokens,
    "token",
    lambda token: {
        "id": token.id,
        "purpose": token.purpose,
        "email": token.email,
        "account_id": token.account_id,
        "name": token.name,
        "password_hash": token.password_hash,
        "digest": token.digest,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
    },
)
_GET: Final = select(sessions).where(sessions.c.id == bindparam("session")).with_for_update()
_OF_ACCOUNT: Final = (
    select(sessions)
    .where(sessions.c.account_id == bindparam("account"), sessions.c.revoked_at.is_(None))
    .order_by(sessions.c.id)
    .with_for_update()
)
_TOKEN: Final = select(refresh_tokens).where(refresh_tokens.c.digest == bindparam("of_token"))
_WITH_TOKEN: Final = (
    select(sessions)
    .where(sessions.c.id == select(_TOKEN.subquery().c.session_id).scalar_subquery())
    .with_for_update()
)
_INSERT_TOKEN: Final = insert(refresh_tokens)
_USE_TOKEN: Final = (
    update(refresh_tokens)
    .where(refresh_tokens.c.digest == bindparam("of_token"))
    .values(
        used_at=bindparam("at", type_=refresh_tokens.c.used_at.type),
        sealed_successor=bindparam("successor"),
    )
)
_THIS: Final = select(one_time_tokens).with_for_update()
_ONE_TIME: Final = _THIS.where(one_time_tokens.c.id == bindparam("token"))
_ADDRESSEE: Final = select(one_time_tokens.c.email).where(
    one_time_tokens.c.digest == bindparam("of_token")
)
_WITH_DIGEST: Final = _THIS.where(
    one_time_tokens.c.email == _ADDRESSEE.scalar_subquery()
).order_by(one_time_tokens.c.id)


class SqlSessions(SessionRepository):
    """Sessions, locked from reading to the end of the transaction."""

    def __init__(self, connection: BatchingConnection, tracker: Tracker, log: EventLog) -> None:
        self._connection = connection
        self._rows = AggregateRows(_SESSIONS, connection, tracker, log)

    @override
    def get(self, session_id: SessionId) -> Session:
        row = self._connection.execute(_GET, {"session": session_id}).one_or_none()
        if row is None:
            raise NotFoundError("session")
        return self._session(row)

    @override
    def of_account(self, account_id: AccountId) -> Sequence[Session]:
        rows = self._connection.execute(_OF_ACCOUNT, {"account": account_id}).all()
        return [self._session(row) for row in rows]

    def _session(self, row: Row[Any]) -> Session:
        return self._rows.watch(
            Session(
                id=SessionId(row.id),
                account_id=AccountId(row.account_id),
                device=row.device,
                address=row.address,
                created_at=row.created_at,
                last_used_at=row.last_used_at,
                expires_at=row.expires_at,
                revoked_at=row.revoked_at,
                version=row.version,
            )
        )

    @override
    def add(self, session: Session) -> None:
        self._rows.add(session)

    @override
    def save(self, session: Session) -> None:
        self._rows.save(session)

    @override
    def with_token(self, digest: str) -> tuple[Session, RefreshToken] | None:
        this = {"of_token": digest}
        found = self._connection.execute(_WITH_TOKEN, this).one_or_none()
        if found is None:
            return None
        # Read it after the session is locked: it may have been used during the wait.
        row = self._connection.execute(_TOKEN, this).one()
        token = RefreshToken(
            digest=row.digest,
            session_id=SessionId(row.session_id),
            issued_at=row.issued_at,
            used_at=row.used_at,
            sealed_successor=row.sealed_successor,
        )
        return self._session(found), token

    @override
    def put_token(self, token: RefreshToken) -> None:
        use = {
            "of_token": token.digest,
            "at": token.used_at,
            "successor": token.sealed_successor,
        }
        if self._connection.execute(_USE_TOKEN, use).rowcount == 0:
            self._connection.execute(_INSERT_TOKEN, asdict(token))

    @override
    def delete_of(self, account_id: AccountId) -> Sequence[SessionId]:
        theirs = delete(sessions).where(sessions.c.account_id == account_id)
        gone = self._connection.execute(theirs.returning(sessions.c.id))
        return [SessionId(session_id) for session_id in gone.scalars()]

    @override
    def purge_ended(self, before: datetime) -> int:
        # One by one, so that each condition uses its index.
        ended = (sessions.c.expires_at < before, sessions.c.revoked_at < before)
        gone = (self._connection.execute(delete(sessions).where(how)).rowcount for how in ended)
        return sum(gone)


class SqlOneTimeTokens(OneTimeTokenRepository):
    """One-time tokens, locked from reading to the end of the transaction."""

    def __init__(self, connection: BatchingConnection, tracker: Tracker, log: EventLog) -> None:
        self._connection = connection
        self._rows = AggregateRows(_ONE_TIME_TOKENS, connection, tracker, log)

    @override
    def get(self, token_id: OneTimeTokenId) -> OneTimeToken:
        row = self._connection.execute(_ONE_TIME, {"token": token_id}).one_or_none()
        if row is None:
            raise NotFoundError("token")
        return self._token(row)

    @override
    def with_digest(self, digest: str) -> OneTimeToken:
        for row in self._connection.execute(_WITH_DIGEST, {"of_token": digest}).all():
            if row.digest == digest:
                return self._token(row)
        raise InvalidTokenError

    def _token(self, row: Row[Any]) -> OneTimeToken:
        return self._rows.watch(
            OneTimeToken(
                id=OneTimeTokenId(row.id),
                purpose=Purpose(row.purpose),
                email=row.email,
                account_id=AccountId(row.account_id) if row.account_id else None,
                created_at=row.created_at,
                expires_at=row.expires_at,
                name=row.name,
                password_hash=row.password_hash,
                digest=row.digest,
                version=row.version,
            )
        )

    @override
    def add(self, token: OneTimeToken) -> None:
        self._rows.add(token)

    @override
    def save(self, token: OneTimeToken) -> None:
        self._rows.save(token)

    @override
    def delete_of(self, account_id: AccountId, *emails: str) -> int:
        table = one_time_tokens.c
        theirs = or_(table.account_id == account_id, table.email.in_(emails))
        return self._connection.execute(delete(one_time_tokens).where(theirs)).rowcount

    @override
    def purge_expired(self, now: datetime) -> int:
        gone = one_time_tokens.c.expires_at < now
        return self._connection.execute(delete(one_time_tokens).where(gone)).rowcount

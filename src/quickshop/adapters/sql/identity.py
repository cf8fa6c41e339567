"""Accounts, roles and API keys in tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy import Engine, Row, Select, bindparam, delete, exists, insert, select
from typing_extensions import override

from quickshop.adapters.sql.aggregates import AggregateRows, RowShape
from quickshop.adapters.sql.column_types import UtcDateTime
from quickshop.adapters.sql.connection import BatchingConnection
from quickshop.adapters.sql.dialect import SqlDialect
from quickshop.adapters.sql.errors import translated
from quickshop.adapters.sql.jobs import EventLog
from quickshop.adapters.sql.paging import page_of
from quickshop.adapters.sql.tables import account_roles, accounts, api_keys, roles, sessions
from quickshop.adapters.tracking import Tracker
from quickshop.domain.errors import NotFoundError, RoleInUseError
from quickshop.domain.identity import (
    ADMIN,
    BUILT_IN_ROLES,
    Account,
    AccountId,
    AccountStatus,
    ApiKey,
    ApiKeyId,
    Permission,
    Role,
    SessionId,
    with_implied,
)
from quickshop.ports.identity import (
    AccountRepository,
    ApiKeyRepository,
    ApiKeyView,
    Caller,
    IdentityReader,
    RoleRepository,
    SessionView,
)
from quickshop.ports.paging import DEFAULT_LIMIT, Cursor, Page, require_limit

T = TypeVar("T")

_ACCOUNT: Final = select(accounts).where(accounts.c.id == bindparam("account")).with_for_update()
_BY_EMAIL: Final = select(accounts).where(accounts.c.email == bindparam("mail")).with_for_update()
_ROLES_OF: Final = select(account_roles.c.role).where(
    account_roles.c.account_id == bindparam("account")
)
_ADMINS: Final = (
    select(account_roles.c.account_id)
    .join(accounts, accounts.c.id == account_roles.c.account_id)
    .where(
        account_roles.c.role == ADMIN,
        accounts.c.status == AccountStatus.ACTIVE,
        accounts.c.password_hash.is_not(None),
    )
    .order_by(account_roles.c.account_id)
    .with_for_update()
)
_GRANT: Final = insert(account_roles)
_REVOKE: Final = delete(account_roles).where(
    account_roles.c.account_id == bindparam("account"), account_roles.c.role == bindparam("name")
)
_ROLE: Final = select(roles).where(roles.c.name == bindparam("called")).with_for_update()
_IS_USED: Final = select(exists().where(account_roles.c.role == bindparam("called")))
_KEY: Final = select(api_keys).where(api_keys.c.id == bindparam("key")).with_for_update()
_KEYS_OF: Final = (
    select(api_keys)
    .where(api_keys.c.account_id == bindparam("account"), api_keys.c.revoked_at.is_(None))
    .order_by(api_keys.c.id)
    .with_for_update()
)

_ACCOUNTS: Final[RowShape[Account]] = RowShape(
    accounts,
    "account",
    lambda account: {
        "id": account.id,
        "email": account.email,
        "password_hash": account.password_hash,
        "status": account.status,
        "created_at": account.created_at,
    },
)
_ROLES: Final[RowShape[Role]] = RowShape(
    roles, "role", lambda role: {"name": role.name, "permissions": sorted(role.permissions)}
)
_KEYS: Final[RowShape[ApiKey]] = RowShape(
    api_keys,
    "API key",
    lambda key: {
        "id": key.id,
        "account_id": key.account_id,
        "name": key.name,
        "digest": key.digest,
        "scopes": sorted(key.scopes),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
    },
)


class SqlAccounts(AccountRepository):
    """Accounts, locked from reading to the end of the transaction."""

    def __init__(self, connection: BatchingConnection, tracker: Tracker, log: EventLog) -> None:
        self._connection = connection
        self._rows = AggregateRows(_ACCOUNTS, connection, tracker, log)
        self._read: dict[AccountId, frozenset[str]] = {}

    @override
    def get(self, account_id: AccountId) -> Account:
        account = self._one(_ACCOUNT, {"account": account_id})
        if account is None:
            raise NotFoundError("account")
        return account

    @override
    def find(self, email: str) -> Account | None:
        return self._one(_BY_EMAIL, {"mail": email})

    def _one(self, statement: Select[Any], values: Mapping[str, Any]) -> Account | None:
        row = self._connection.execute(statement, values).one_or_none()
        if row is None:
            return None
        held = self._connection.execute(_ROLES_OF, {"account": row.id}).scalars()
        account = Account(
            id=AccountId(row.id),
            email=row.email,
            password_hash=row.password_hash,
            created_at=row.created_at,
            status=AccountStatus(row.status),
            roles=frozenset(held),
            version=row.version,
        )
        self._read[account.id] = account.roles
        return self._rows.watch(account)

    @override
    def add(self, account: Account) -> None:
        with translated():
            self._rows.add(account)
        self._write_roles(account)

    @override
    def save(self, account: Account) -> None:
        with translated():
            self._rows.save(account)
        self._write_roles(account)

    def _write_roles(self, account: Account) -> None:
        before = self._read.get(account.id, frozenset())
        for role in sorted(before - account.roles):
            self._connection.execute(_REVOKE, {"account": account.id, "name": role})
        if new := sorted(account.roles - before):
            rows = [{"account_id": account.id, "role": role} for role in new]
            self._connection.execute(_GRANT, rows)
        self._read[account.id] = account.roles

    @override
    def lock_admins(self) -> Sequence[AccountId]:
        return [AccountId(row.account_id) for row in self._connection.execute(_ADMINS)]


class SqlRoles(RoleRepository):
    """The custom roles of the shop."""

    def __init__(self, connection: BatchingConnection, tracker: Tracker, log: EventLog) -> None:
        self._connection = connection
        self._rows = AggregateRows(_ROLES, connection, tracker, log)

    @override
    def find(self, name: str) -> Role | None:
        row = self._connection.execute(_ROLE, {"called": name}).one_or_none()
        return None if row is None else self._rows.watch(_role_of(row))

    @override
    def add(self, role: Role) -> None:
        self._rows.add(role)

    @override
    def save(self, role: Role) -> None:
        self._rows.save(role)

    @override
    def remove(self, role: Role) -> None:
        if self._connection.execute(_IS_USED, {"called": role.name}).scalar_one():
            raise RoleInUseError(role.name)
        self._connection.execute(delete(roles).where(roles.c.name == role.name))


def _role_of(row: Row[Any]) -> Role:
    return Role(name=row.name, permissions=_known(row.permissions), version=row.version)


def _known(names: Sequence[str]) -> frozenset[Permission]:
    # A permission that this release does not know is ignored.
    return frozenset(Permission(name) for name in names if name in set(Permission))


class SqlApiKeys(ApiKeyRepository):
    """The API keys."""

    def __init__(self, connection: BatchingConnection, tracker: Tracker, log: EventLog) -> None:
        self._connection = connection
        self._rows = AggregateRows(_KEYS, connection, tracker, log)

    @override
    def get(self, api_key_id: ApiKeyId) -> ApiKey:
        row = self._connection.execute(_KEY, {"key": api_key_id}).one_or_none()
        if row is None:
            raise NotFoundError("API key")
        return self._key(row)

    @override
    def of_account(self, account_id: AccountId) -> Sequence[ApiKey]:
        rows = self._connection.execute(_KEYS_OF, {"account": account_id}).all()
        return [self._key(row) for row in rows]

    def _key(self, row: Row[Any]) -> ApiKey:
        return self._rows.watch(
            ApiKey(
                id=ApiKeyId(row.id),
                account_id=AccountId(row.account_id),
                name=row.name,
                digest=row.digest,
                scopes=_known(row.scopes),
                created_at=row.created_at,
                expires_at=row.expires_at,
                revoked_at=row.revoked_at,
                version=row.version,
            )
        )

    @override
    def add(self, api_key: ApiKey) -> None:
        self._rows.add(api_key)

    @override
    def save(self, api_key: ApiKey) -> None:
        self._rows.save(api_key)


_HELD: Final = (
    select(
        accounts.c.id.label("account_id"),
        account_roles.c.role,
        roles.c.permissions,
    )
    .select_from(
        accounts.outerjoin(account_roles, account_roles.c.account_id == accounts.c.id).outerjoin(
            roles, roles.c.name == account_roles.c.role
        )
    )
    .where(accounts.c.status == AccountStatus.ACTIVE)
)
_NOW: Final = bindparam("now", type_=UtcDateTime())
_SIGNED_IN: Final = _HELD.join(sessions, sessions.c.account_id == accounts.c.id).where(
    sessions.c.id == bindparam("session"),
    sessions.c.revoked_at.is_(None),
    sessions.c.expires_at > _NOW,
)
_WITH_KEY: Final = (
    _HELD.add_columns(api_keys.c.id.label("api_key_id"), api_keys.c.scopes)
    .join(api_keys, api_keys.c.account_id == accounts.c.id)
    .where(
        api_keys.c.digest == bindparam("key_digest"),
        api_keys.c.revoked_at.is_(None),
        api_keys.c.expires_at.is_(None) | (api_keys.c.expires_at > _NOW),
    )
)
_KEPT_SESSIONS: Final = (
    select(*(sessions.c[each] for each in SessionView.__dataclass_fields__))
    .where(sessions.c.account_id == bindparam("account"))
    .order_by(sessions.c.last_used_at.desc(), sessions.c.id.desc())
)
_LIVE_SESSIONS: Final = _KEPT_SESSIONS.where(
    sessions.c.revoked_at.is_(None), sessions.c.expires_at > _NOW
)
_ALL_KEYS: Final = select(
    *(api_keys.c[each] for each in ApiKeyView.__dataclass_fields__)
).order_by(api_keys.c.id.desc())
_KNOWS: Final = select(
    exists()
    .where(accounts.c.email == bindparam("mail"))
    .where(sessions.c.account_id == accounts.c.id, sessions.c.address == bindparam("place"))
)


class SqlIdentityReader(IdentityReader):
    """Accounts, roles, sessions and keys as queries read them, one statement per query."""

    def __init__(self, engine: Engine, dialect: SqlDialect) -> None:
        self._engine = dialect.autocommit(engine)

    def _rows(self, statement: Any, values: Mapping[str, Any]) -> Sequence[Row[Any]]:
        with translated(), self._engine.connect() as connection:
            return connection.execute(statement, values).all()

    @override
    def signed_in(self, session_id: SessionId, now: datetime) -> Caller | None:
        rows = self._rows(_SIGNED_IN, {"session": session_id, "now": now})
        if not rows:
            return None
        return Caller(
            account_id=AccountId(rows[0].account_id),
            permissions=_held(rows),
            session_id=session_id,
        )

    @override
    def with_key(self, digest: str, now: datetime) -> Caller | None:
        rows = self._rows(_WITH_KEY, {"key_digest": digest, "now": now})
        if not rows:
            return None
        return Caller(
            account_id=AccountId(rows[0].account_id),
            permissions=with_implied(_known(rows[0].scopes)) & _held(rows),
            api_key_id=ApiKeyId(rows[0].api_key_id),
        )

    @override
    def roles(self) -> Mapping[str, frozenset[Permission]]:
        rows = self._rows(select(roles).order_by(roles.c.name), {})
        return {**BUILT_IN_ROLES, **{row.name: _known(row.permissions) for row in rows}}

    @override
    def sessions(self, account_id: AccountId, now: datetime) -> Sequence[SessionView]:
        rows = self._rows(_LIVE_SESSIONS, {"account": account_id, "now": now})
        return _views(rows, lambda row: SessionView(**row))

    @override
    def kept_sessions(self, account_id: AccountId) -> Sequence[SessionView]:
        rows = self._rows(_KEPT_SESSIONS, {"account": account_id})
        return _views(rows, lambda row: SessionView(**row))

    @override
    def api_keys(
        self, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[ApiKeyView]:
        require_limit(limit)
        statement = _ALL_KEYS.limit(limit + 1)
        if cursor is not None:
            statement = statement.where(api_keys.c.id < Cursor.decode(cursor, sort="newest").id)
        views = _views(
            self._rows(statement, {}),
            lambda row: ApiKeyView(**row | {"scopes": sorted(_known(row["scopes"]))}),
        )
        return page_of(views, limit)

    @override
    def knows_address(self, email: str, address: str) -> bool:
        return bool(self._rows(_KNOWS, {"mail": email, "place": address})[0][0])


def _views(rows: Sequence[Row[Any]], view_of: Callable[[dict[str, Any]], T]) -> Sequence[T]:
    return [view_of(dict(row._mapping)) for row in rows]  # noqa: SLF001 - its public name


def _held(rows: Sequence[Row[Any]]) -> frozenset[Permission]:
    found = frozenset[Permission]()
    for row in rows:
        if row.role is not None:
            found |= BUILT_IN_ROLES.get(row.role) or _known(row.permissions or ())
    return with_implied(found)

"""Translation of database errors to errors of QuickShop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    SQLAlchemyError,
    StatementError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from quickshop.domain.errors import (
    AdapterError,
    AlreadyExistsError,
    CartStateError,
    ConflictError,
    ContentionError,
    InvalidValueError,
    QuickShopError,
    SchemaError,
    TransientError,
)

# https://www.postgresql.org/docs/current/errcodes-appendix.html
_LOST_RACES: Final = frozenset({"40001", "40P01", "55P03"})
_NO_SUCH_TABLE_OR_COLUMN: Final = frozenset({"42P01", "42703"})


_RULES: Final[Mapping[tuple[str, str], Callable[[], QuickShopError]]] = {
    ("uq_orders_cart_id", "orders.cart_id"): CartStateError,
    ("uq_stock_holds_live", "stock_holds.cart_id"): lambda: ConflictError("hold"),
    ("uq_payments_order_id_attempt", "payments.attempt"): lambda: ConflictError("order"),
    ("uq_payments_gateway_key", "payments.gateway_key"): lambda: ConflictError("order"),
    ("uq_fulfillments_order_id_number", "fulfillments.number"): lambda: ConflictError("order"),
    ("uq_accounts_email", "accounts.email"): lambda: AlreadyExistsError(
        "account", "email address"
    ),
    ("pk_roles", "roles.name"): lambda: AlreadyExistsError("role", "name"),
}
"""Errors for violated rules in a batch, by constraint name and column name."""


@contextmanager
def translated() -> Iterator[None]:
    """Run a block and raise its database errors as a `QuickShopError`."""
    try:
        yield
    except SQLAlchemyError as error:
        raise translate(error) from error


def translate(error: SQLAlchemyError) -> QuickShopError:
    """Return the error of a port for a database error."""
    if isinstance(error, PoolTimeoutError):
        return TransientError("all database connections are busy")
    if isinstance(error, StatementError) and not isinstance(error, DBAPIError):
        return InvalidValueError(
            "value", "must be of the type that its parameter is declared with"
        )
    if not isinstance(error, DBAPIError):
        return AdapterError(f"the database layer failed: {type(error).__name__}")
    return _error_of(error)


def _error_of(error: DBAPIError) -> QuickShopError:
    message = str(error.orig).partition("\n")[0]
    if isinstance(error, IntegrityError):
        return _violated(error) or AdapterError(f"the database rejected the statement: {message}")
    state = getattr(error.orig, "sqlstate", None) or ""
    if state in _LOST_RACES or "database is locked" in message:
        return ContentionError("another transaction was faster")
    if state in _NO_SUCH_TABLE_OR_COLUMN or message.startswith("no such "):
        return SchemaError(f"the database is not migrated ({message}): run `quickshop migrate`")
    if error.connection_invalidated or isinstance(error, OperationalError | InterfaceError):
        return TransientError(f"the database is not available: {message}")
    return AdapterError(f"the database rejected the statement: {message}")


def _violated(error: IntegrityError) -> QuickShopError | None:
    for names, rule in _RULES.items():
        if is_violation_of(error, *names):
            return rule()
    return None


def is_violation_of(error: IntegrityError, *names: str) -> bool:
    """Return whether the violated constraint is one of these.

    PostgreSQL reports the constraint, SQLite the columns: pass both, such as `uq_orders_cart_id`
    and `orders.cart_id`.
    """
    found = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    return found in names if found else any(name in str(error.orig) for name in names)

"""Constraints of the memory store, equivalent to those of the database tables."""

from __future__ import annotations

from quickshop.domain.errors import AdapterError


def refused(rule: str) -> AdapterError:
    """Return the error for a violated constraint, of the type that the SQL store raises."""
    return AdapterError(f"the store refused the change: {rule}")


def require(condition: bool, rule: str) -> None:
    """Check a constraint.

    Raises:
        AdapterError: `condition` does not hold.
    """
    if not condition:
        raise refused(rule)

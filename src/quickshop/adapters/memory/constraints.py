"""The constraints of the tables that a database would have, as the memory store states them."""

from __future__ import annotations

from quickshop.domain.errors import AdapterError


def refused(rule: str) -> AdapterError:
    """The error of a change that breaks a constraint, as the SQL store raises it."""
    return AdapterError(f"the store refused it: {rule}")


def require(condition: bool, rule: str) -> None:
    """Refuse a change that breaks a constraint.

    Raises:
        AdapterError: `condition` does not hold.
    """
    if not condition:
        raise refused(rule)

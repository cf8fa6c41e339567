"""`python -m tests.chaos.planted …`: the `quickshop` command with a bug in it, to see it caught.

The variable `CHAOS_PLANT` names the bug. Worker processes fork from what is patched here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
from sqlalchemy import text

from quickshop.adapters.sql import postgres
from quickshop.adapters.sql.stock_moves import Change
from quickshop.application.jobs import RelayJobs
from quickshop.application.payments import ProcessOrder
from quickshop.domain.catalog import VariantId
from quickshop.domain.inventory import LocationId, StockLevel
from quickshop.entrypoints.cli.app import main

VARIABLE: Final = "CHAOS_PLANT"


def new_key_per_call() -> None:
    """Every call to the gateway has a new key."""
    story = ProcessOrder._begin  # noqa: SLF001

    def careless(self: ProcessOrder, *given: Any) -> Any:
        payment = story(self, *given)
        return payment and _Renamed(payment)

    ProcessOrder._begin = careless  # type: ignore[method-assign,assignment] # noqa: SLF001


class _Renamed:
    """A payment with another gateway key."""

    def __init__(self, payment: Any) -> None:
        self._payment = payment
        self.gateway_key = f"{payment.gateway_key}:{uuid4().hex}"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._payment, name)


def relay_sends_once() -> None:
    """What the broker was given is not looked after any more."""
    relay = RelayJobs.__call__

    def trusting(self: RelayJobs) -> int:
        return relay(replace(self, lease=timedelta(hours=1)))

    RelayJobs.__call__ = trusting  # type: ignore[method-assign]


def no_stock_check() -> None:
    """Stock is taken after a check in an earlier transaction, without a second check."""
    StockLevel.__post_init__ = lambda self: None  # type: ignore[method-assign] # noqa: ARG005
    checked = postgres._MOVE_ALL.text  # noqa: SLF001
    unchecked = checked.replace("+ level.backorder_limit >= 0", ">= -1000000")
    assert unchecked != checked
    postgres._MOVE_ALL = text(unchecked)  # type: ignore[misc] # noqa: SLF001

    def carelessly(connection: Any, changes: Sequence[Change]) -> Mapping[Any, Any]:
        # Two are moved by the statement without the check; the second of them is nowhere.
        nothing = Change(VariantId(UUID(int=0)), LocationId(UUID(int=0)))
        return postgres._move_together(connection, [*changes, nothing])  # noqa: SLF001

    postgres.move_one_by_one = carelessly  # type: ignore[attr-defined]
    with psycopg.connect(os.environ["QUICKSHOP_DATABASE_URL"], autocommit=True) as connection:
        connection.execute(
            "ALTER TABLE stock_levels DROP CONSTRAINT IF EXISTS ck_stock_levels_not_oversold"
        )


PLANTS: Final[Mapping[str, Callable[[], None]]] = {
    plant.__name__.replace("_", "-"): plant
    for plant in (new_key_per_call, relay_sends_once, no_stock_check)
}

if __name__ == "__main__":
    PLANTS[os.environ[VARIABLE]]()
    main()

"""The use cases of the stock, and how they are wired."""

from __future__ import annotations

from dataclasses import dataclass

from quickshop.application import holds, inventory
from quickshop.ports.clock import Clock
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.inventory import StockReader
from quickshop.ports.unit_of_work import UnitOfWork
from quickshop.shop.policy import Policy


@dataclass(frozen=True, slots=True)
class Inventory:
    """The stock."""

    receive: inventory.ReceiveStock
    adjust: inventory.AdjustStock
    count: inventory.CountStock
    transfer: inventory.TransferStock
    configure: inventory.ConfigureStock
    release_expired_holds: holds.ReleaseExpiredHolds
    list: inventory.ListStock
    locations: inventory.ListLocations
    reconcile: inventory.ReconcileStock


def build_inventory(
    policy: Policy,
    unit_of_work: UnitOfWork,
    clock: Clock,
    identifiers: Identifiers,
    reader: StockReader,
    release: holds.ReleaseExpiredHolds,
) -> Inventory:
    """Connect them to the ports."""
    return Inventory(
        receive=inventory.ReceiveStock(unit_of_work, clock, identifiers, policy.location),
        adjust=inventory.AdjustStock(unit_of_work, clock, policy.location, release),
        count=inventory.CountStock(unit_of_work, clock, policy.location, release),
        transfer=inventory.TransferStock(
            unit_of_work, clock, identifiers, policy.location, release
        ),
        configure=inventory.ConfigureStock(unit_of_work, clock, policy.location),
        release_expired_holds=release,
        list=inventory.ListStock(reader),
        locations=inventory.ListLocations(reader),
        reconcile=inventory.ReconcileStock(unit_of_work, reader),
    )

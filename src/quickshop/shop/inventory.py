"""The use cases of stock, and how they are wired."""

from __future__ import annotations

from dataclasses import dataclass

from quickshop.application import holds, inventory
from quickshop.ports.inventory import StockReader
from quickshop.shop.policy import Policy
from quickshop.shop.wiring import Core


@dataclass(frozen=True, slots=True)
class Inventory:
    """Stock levels and their locations."""

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
    core: Core,
    reader: StockReader,
    release: holds.ReleaseExpiredHolds,
) -> Inventory:
    """Connect the use cases to the ports."""
    unit_of_work, clock, identifiers = core.unit_of_work, core.clock, core.identifiers
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

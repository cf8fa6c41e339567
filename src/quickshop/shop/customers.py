"""The use cases of customers, and how they are wired."""

from __future__ import annotations

from dataclasses import dataclass

from quickshop.application import customers
from quickshop.application.identity.passwords import CheckPassword
from quickshop.ports.cache import SessionCache
from quickshop.ports.readers import Readers
from quickshop.ports.security import PasswordHasher
from quickshop.shop.wiring import Core


@dataclass(frozen=True, slots=True)
class Customers:
    """Customers: their profile, addresses and personal data."""

    profile: customers.GetProfile
    update: customers.UpdateProfile
    save_address: customers.SaveAddress
    remove_address: customers.RemoveAddress
    export: customers.ExportOwnData
    erase_own: customers.EraseOwnAccount
    get: customers.GetCustomer
    list: customers.ListCustomers
    erase: customers.EraseCustomer


def build_customers(
    core: Core,
    hasher: PasswordHasher,
    readers: Readers,
    cache: SessionCache,
) -> Customers:
    """Connect the use cases to the ports."""
    unit_of_work, clock, identifiers = core.unit_of_work, core.clock, core.identifiers
    reader = readers.customers
    edit = customers.Editing(unit_of_work)
    erasing = customers.Erasing(unit_of_work, clock, cache)
    return Customers(
        profile=customers.GetProfile(reader),
        update=customers.UpdateProfile(clock, edit),
        save_address=customers.SaveAddress(clock, edit, identifiers),
        remove_address=customers.RemoveAddress(clock, edit),
        export=customers.ExportOwnData(reader, readers.identity, readers.carts, readers.orders),
        erase_own=customers.EraseOwnAccount(erasing, CheckPassword(unit_of_work, hasher)),
        get=customers.GetCustomer(reader),
        list=customers.ListCustomers(reader),
        erase=customers.EraseCustomer(erasing),
    )

"""The use cases of customers, and how they are wired."""

from __future__ import annotations

from dataclasses import dataclass

from quickshop.application import customers
from quickshop.application.identity.passwords import CheckPassword
from quickshop.ports.cart import CartReader
from quickshop.ports.clock import Clock
from quickshop.ports.credentials import PasswordHasher
from quickshop.ports.customers import CustomerReader
from quickshop.ports.hot_copies import SessionCopies
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.identity import IdentityReader
from quickshop.ports.orders import OrderReader
from quickshop.ports.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Customers:
    """Whoever has an account, as the shop knows them."""

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
    unit_of_work: UnitOfWork,
    clock: Clock,
    identifiers: Identifiers,
    hasher: PasswordHasher,
    reader: CustomerReader,
    identity: IdentityReader,
    carts: CartReader,
    orders: OrderReader,
    copies: SessionCopies,
) -> Customers:
    """Connect them to the ports."""
    edit = customers.Editing(unit_of_work, clock)
    erasing = customers.Erasing(unit_of_work, clock, copies)
    return Customers(
        profile=customers.GetProfile(reader),
        update=customers.UpdateProfile(edit),
        save_address=customers.SaveAddress(edit, identifiers),
        remove_address=customers.RemoveAddress(edit),
        export=customers.ExportOwnData(reader, identity, carts, orders),
        erase_own=customers.EraseOwnAccount(erasing, CheckPassword(unit_of_work, hasher)),
        get=customers.GetCustomer(reader),
        list=customers.ListCustomers(reader),
        erase=customers.EraseCustomer(erasing),
    )

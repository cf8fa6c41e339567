"""The use cases of carts, and how they are wired."""

from __future__ import annotations

from dataclasses import dataclass

from quickshop.application import cart, cart_cache, holds
from quickshop.ports.cache import CartCache
from quickshop.ports.cart import CartReader
from quickshop.shop.policy import Policy
from quickshop.shop.wiring import Core


@dataclass(frozen=True, slots=True)
class Carts:
    """What shoppers mean to buy. A guest's cart opens with its token, a customer's to them."""

    create: cart.CreateCart
    get: cart.GetCart
    page: cart_cache.GetCartPage
    add_line: cart.AddCartLine
    change_line: cart.ChangeCartLine
    remove_line: cart.RemoveCartLine
    hold: holds.HoldCart
    release: holds.ReleaseCart
    claim: cart.ClaimCart
    list_own: cart.ListOwnCarts
    active: cart.ListActiveCarts


def build_carts(
    policy: Policy,
    core: Core,
    reader: CartReader,
    cache: CartCache,
    release: holds.ReleaseExpiredHolds,
) -> Carts:
    """Connect them to the ports."""
    unit_of_work, clock, identifiers = core.unit_of_work, core.clock, core.identifiers
    holding = holds.Holding(identifiers, policy.sourcing, policy.hold_lasts)
    stock = cart.CartStock(holding, release, policy.hold_carts)
    news = cart_cache.CartInvalidation(cache)
    return Carts(
        create=cart.CreateCart(unit_of_work, clock, identifiers, policy.currency, news),
        get=cart.GetCart(reader),
        page=cart_cache.GetCartPage(reader, cache),
        add_line=cart.AddCartLine(unit_of_work, clock, identifiers, stock, news),
        change_line=cart.ChangeCartLine(unit_of_work, clock, stock, news),
        remove_line=cart.RemoveCartLine(unit_of_work, clock, stock, news),
        hold=holds.HoldCart(unit_of_work, clock, holding, release, news),
        release=holds.ReleaseCart(unit_of_work, clock),
        claim=cart.ClaimCart(unit_of_work, clock, identifiers, stock, news),
        list_own=cart.ListOwnCarts(reader),
        active=cart.ListActiveCarts(reader, clock),
    )

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
    """Shopping carts. A guest's cart requires its token, a customer's cart their sign-in."""

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
    """Connect the use cases to the ports."""
    unit_of_work, clock, identifiers = core.unit_of_work, core.clock, core.identifiers
    holding = holds.Holding(identifiers, policy.sourcing, policy.hold_lasts)
    stock = cart.CartStock(holding, release, policy.hold_carts)
    invalidation = cart_cache.CartInvalidation(cache)
    return Carts(
        create=cart.CreateCart(unit_of_work, clock, identifiers, policy.currency, invalidation),
        get=cart.GetCart(reader),
        page=cart_cache.GetCartPage(reader, cache),
        add_line=cart.AddCartLine(unit_of_work, clock, identifiers, stock, invalidation),
        change_line=cart.ChangeCartLine(unit_of_work, clock, stock, invalidation),
        remove_line=cart.RemoveCartLine(unit_of_work, clock, stock, invalidation),
        hold=holds.HoldCart(unit_of_work, clock, holding, release, invalidation),
        release=holds.ReleaseCart(unit_of_work, clock),
        claim=cart.ClaimCart(unit_of_work, clock, identifiers, stock, invalidation),
        list_own=cart.ListOwnCarts(reader),
        active=cart.ListActiveCarts(reader, clock),
    )

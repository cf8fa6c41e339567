"""The shoppers, staff and processes of a run. Each function is the day of one actor."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from quickshop.application.cart import NewCart
from quickshop.application.checkout import PlacedOrder
from quickshop.application.idempotency import Answer
from quickshop.application.inventory import StockChange
from quickshop.domain.errors import (
    ConflictError,
    DomainError,
    InvalidValueError,
    TransientError,
)
from quickshop.domain.money import Money
from quickshop.domain.payments import PaymentSource
from quickshop.ports.orders import OrderView
from tests.builders import an_address
from tests.simulation.gateway import BAD_CARD, CAREFUL_CARD
from tests.simulation.scheduler import Crashed
from tests.simulation.violations import Kind, Violation

if TYPE_CHECKING:
    from tests.simulation.world import World

R = TypeVar("R")

TRIES = 8
"""Requests that a client makes before it wants to know; nothing goes wrong in the second half."""
ADDRESS = an_address()
CARDS = (*["tok_ok"] * 7, BAD_CARD, CAREFUL_CARD, CAREFUL_CARD)


def ask(world: World, call: Callable[[], R]) -> R | DomainError:
    """Send a request until there is an answer, like a client that lost its connection."""
    actor = world.scheduler.current
    for attempt in range(TRIES):
        actor.mortal, actor.shielded = True, attempt >= TRIES // 2
        try:
            return call()
        except (ConflictError, TransientError, Crashed):
            world.scheduler.note("no answer")
        except InvalidValueError as error:
            # These may be: it has shipped meanwhile.
            if error.field.split(".")[-1] not in {"lines", "location", "quantity"}:
                raise Violation(Kind.SOUND_REQUEST_REFUSED, str(error)) from error
            return error
        except DomainError as error:
            world.scheduler.note(f"refused: {error}")
            return error
        finally:
            actor.mortal = actor.shielded = False
        world.scheduler.sleep(world.random.uniform(0.1, 5))
    raise Violation(Kind.NO_ANSWER, f"{actor.name} tried {TRIES} times")


@dataclass(slots=True)
class Buyer:
    """A shopper with one cart."""

    world: World
    name: str

    def __call__(self) -> None:
        """Fill a cart, order, follow the payment, and perhaps cancel."""
        world, random = self.world, self.world.random
        cart = ask(world, world.shop.carts.create)
        if isinstance(cart, DomainError):
            return
        for sku in random.sample(world.skus, min(len(world.skus), random.choice((1, 1, 2)))):
            self.put_in(cart, sku)
        card = random.choice(CARDS)
        place = partial(self._place, cart, card)
        if random.random() < 0.3:
            world.visit(f"{self.name}, impatient", partial(place, "place"))
        if random.random() < 0.3:
            world.visit(f"{self.name}, second tab", partial(self._second_tab, cart, place))
        if random.random() < 0.4:
            self.hold(cart, "hold")
            world.scheduler.sleep(random.choice((0, 5, 30, 90)))
        placed = place("place")
        if placed is not None:
            self._look_after(placed)

    def put_in(self, cart: NewCart, sku: str) -> None:
        add, quantity = self.world.shop.carts.add_line, self.world.random.choice((1, 1, 2, 3))
        ask(self.world, lambda: add(cart.cart.id, cart.token, sku=sku, quantity=quantity))

    def hold(self, cart: NewCart, key: str) -> None:
        """Hold the cart, or release the hold."""
        carts = self.world.shop.carts
        hold = partial(carts.hold, cart.cart.id, cart.token, idempotency_key=key)
        if self.world.random.random() < 0.2:
            self.world.visit(f"{self.name}, holding twice", partial(ask, self.world, hold))
        ask(self.world, hold)
        if self.world.random.random() < 0.1:
            ask(self.world, partial(carts.release, cart.cart.id, cart.token))

    def _change_line(self, cart: NewCart) -> None:
        carts = self.world.shop.carts
        view = ask(self.world, partial(carts.get, cart.cart.id, cart.token))
        if isinstance(view, DomainError) or not view.lines:
            return
        line = self.world.random.choice(view.lines)
        if self.world.random.random() < 0.3:
            ask(self.world, partial(carts.remove_line, cart.cart.id, cart.token, line.id))
        else:
            change = partial(carts.change_line, cart.cart.id, cart.token, line.id)
            ask(self.world, partial(change, quantity=self.world.random.choice((1, 2, 4))))

    def _second_tab(self, cart: NewCart, place: Callable[[str], object]) -> None:
        if self.world.random.random() < 0.5:
            self.put_in(cart, self.world.random.choice(self.world.skus))
            self._change_line(cart)
        place("place in the second tab")

    def _place(self, cart: NewCart, card: str, key: str) -> PlacedOrder | None:
        expected = self._total_of(cart) if self.world.random.random() < 0.3 else None
        place = partial(
            self.world.shop.orders.place,
            cart.cart.id,
            cart.token,
            email=f"{self.name.replace(' ', '-')}@example.com",
            shipping_address=ADDRESS,
            payment=PaymentSource(card),
            expected_total=expected,
            idempotency_key=key if expected is None else f"{key} at {expected.minor}",
        )
        return self._told(f"{self.name}: {place.keywords['idempotency_key']}", place)

    def _told(self, key: str, call: Callable[[], PlacedOrder]) -> PlacedOrder | None:
        """Return the shop's answer, which must be the same for a repeated request."""
        for _time in range(self.world.random.choice((1, 1, 1, 2))):
            placed = ask(self.world, call)
            if isinstance(placed, DomainError):
                return None
            self.world.journal.told(key, placed.order)
        return placed

    def _total_of(self, cart: NewCart) -> Money | None:
        view = ask(self.world, lambda: self.world.shop.carts.get(cart.cart.id, cart.token))
        return None if isinstance(view, DomainError) else view.subtotal

    def _look_after(self, placed: PlacedOrder) -> None:
        world, random = self.world, self.world.random
        cancels = random.random() < 0.3
        for visit in range(random.choice((1, 2, 3))):
            world.scheduler.sleep(random.uniform(0, 60))
            order = ask(world, lambda: world.shop.orders.open(placed.order.id, placed.token))
            if isinstance(order, DomainError):
                raise Violation(Kind.ACKNOWLEDGED_LOST, f"order {placed.order.number}")
            if order.status == "payment_failed" and random.random() < 0.8:
                self._pay_again(placed, f"again {visit}")
                if random.random() < 0.3:
                    again = partial(self._pay_again, placed, f"again {visit}, twice")
                    world.visit(f"{self.name}, paying twice", again)
        if cancels:
            self._cancel(placed)

    def _pay_again(self, placed: PlacedOrder, key: str) -> None:
        card = PaymentSource(self.world.random.choice(CARDS))
        again = partial(self.world.shop.orders.pay_again, payment=card, idempotency_key=key)
        key = f"{self.name}: {key}"
        self._told(key, lambda: again(placed.order.id, placed.token))

    def _cancel(self, placed: PlacedOrder) -> None:
        cancel = self.world.shop.orders.cancel_own
        order_id, token = placed.order.id, placed.token
        done = ask(self.world, lambda: cancel(order_id, token, idempotency_key="cancel"))
        if not isinstance(done, DomainError):
            self.world.journal.canceled.add(order_id)


def canceling_staff(world: World) -> None:
    """Cancel an order or two, in any status."""
    for _time in range(world.random.choice((1, 2, 3))):
        world.scheduler.sleep(world.random.uniform(0, 120))
        order = _any_order(world)
        if order is None:
            continue
        cancel = partial(world.shop.orders.cancel, order.id, reason="staff")
        if not isinstance(ask(world, cancel), DomainError):
            world.journal.canceled.add(order.id)


def refunder(world: World) -> None:
    """Refund a part or all, sometimes twice at the same time."""
    for time in range(world.random.choice((2, 4, 6))):
        world.scheduler.sleep(world.random.uniform(5, 60))
        order = _any_order(world, "paid")
        if order is None:
            continue
        total = order.total.minor
        part = Money(world.random.choice((1, total // 3, total * 2 // 3)), order.total.currency)
        amount = world.random.choice((None, part, part))
        give = partial(_give_back, world, order, amount)
        if world.random.random() < 0.7:
            world.visit("second refunder", partial(give, f"refund {time} again"))
        give(f"refund {time}")


def _give_back(world: World, order: OrderView, amount: Money | None, key: str) -> None:
    refund = partial(world.shop.orders.refund, order.id, amount=amount, idempotency_key=key)
    done = ask(world, refund)
    if not isinstance(done, DomainError):
        world.journal.refunds[key] = (order.id, done.value.refunds[-1].amount.minor)


def cashier(world: World) -> None:
    """Capture an authorized payment, in full or in part, or void it."""
    for time in range(world.random.choice((2, 4, 6))):
        world.scheduler.sleep(world.random.uniform(0, 90))
        order = _any_order(world)
        if order is None:
            continue
        orders, key = world.shop.orders, f"cashier {time}"
        if world.random.random() < 0.2:
            ask(world, partial(orders.void, order.id, idempotency_key=key))
        else:
            part = Money(max(1, order.total.minor // 2), order.total.currency)
            amount = world.random.choice((None, None, part))
            ask(world, partial(orders.capture, order.id, amount=amount, idempotency_key=key))


def fulfiller(world: World) -> None:
    """Ship orders in full or in parts, sometimes twice at the same time; complete orders."""
    for time in range(world.random.choice((2, 4, 6))):
        world.scheduler.sleep(world.random.uniform(0, 90))
        order = _any_order(world, "paid")
        if order is None:
            continue
        if order.status == "fulfilled":
            ask(world, partial(world.shop.orders.complete, order.id))
            continue
        lines = world.random.choice((None, None, {world.random.choice(order.lines).sku: 1}))
        place = world.random.choice((None, None, *world.places))
        ship = partial(
            _ship, world, partial(world.shop.orders.fulfill, order.id, lines=lines, location=place)
        )
        if world.random.random() < 0.3:
            world.visit("second fulfiller", partial(ship, f"parcel {time} again"))
        ship(f"parcel {time}")


def _ship(world: World, fulfill: Callable[..., Answer[OrderView]], key: str) -> None:
    done = ask(world, partial(fulfill, idempotency_key=key))
    if not isinstance(done, DomainError):
        world.journal.parcels[key] = done.value.fulfillments[-1].id


def _any_order(world: World, likely: str | None = None) -> OrderView | None:
    """Some order; often one in the `likely` status, if there is any."""
    page = ask(world, world.shop.orders.list)
    if isinstance(page, DomainError) or not page.items:
        return None
    fitting = [order for order in page.items if order.status == likely]
    often = fitting and world.random.random() < 0.7
    return world.random.choice(fitting if often else page.items)


def stock_editor(world: World) -> None:
    """Receive, write off and count units, sometimes twice; check the counters."""
    for time in range(world.random.choice((1, 2, 3))):
        world.scheduler.sleep(world.random.uniform(0, 60))
        change = partial(_change_shelf, world, f"shelf {time}", *_shelf_change(world))
        if world.random.random() < 0.3:
            world.visit("second stock editor", change)
        change()
        found = ask(world, world.shop.inventory.reconcile)
        if found:
            raise Violation(Kind.SELF_CHECK, f"reconciliation finds {found}")


def _shelf_change(world: World) -> tuple[Callable[..., Answer[StockChange]], str, int]:
    inventory, sku = world.shop.inventory, world.random.choice(world.skus)
    if world.random.random() < 0.3:
        return inventory.count, sku, world.random.choice((0, 1, 3, 6))
    quantity = world.random.choice((-3, -2, -1, 1, 2))
    if quantity > 0:
        return inventory.receive, sku, quantity
    return partial(inventory.adjust, reason="broken"), sku, quantity


def _change_shelf(
    world: World, key: str, change: Callable[..., Answer[StockChange]], sku: str, quantity: int
) -> None:
    place = world.places[len(key) % len(world.places)]
    done = ask(world, partial(change, sku, quantity, location=place, idempotency_key=key))
    if not isinstance(done, DomainError):
        recorded = world.journal.shelf.setdefault(key, done.value)
        if recorded != done.value:
            raise Violation(Kind.TWO_ANSWERS, key)


def hold_taker(world: World) -> None:
    """Have a cart held, and never buy it."""
    cart = ask(world, world.shop.carts.create)
    if isinstance(cart, DomainError):
        return
    buyer = Buyer(world, "hold taker")
    for _time in range(world.random.choice((1, 2, 3))):
        buyer.put_in(cart, world.random.choice(world.skus))
        buyer.hold(cart, f"hold {_time}")
        world.scheduler.sleep(world.random.choice((5, 30, 90)))


def price_editor(world: World) -> None:
    """Change a price while carts are open."""
    for _time in range(world.random.choice((1, 2))):
        world.scheduler.sleep(world.random.uniform(0, 10))
        price = Money(world.random.randrange(100, 5000), "EUR")
        ask(
            world,
            partial(world.shop.products.change_price, world.random.choice(world.skus), price),
        )


def worker(world: World) -> None:
    """Take jobs straight from the queue."""
    _work(world, partial(world.shop.jobs.run_due, limit=1), world.earliest_job)


def consumer(world: World) -> None:
    """Run the jobs that messages of the broker name."""
    _work(world, partial(_consume, world), lambda: None)


def relay(world: World) -> None:
    """Hand jobs to the broker."""
    _work(world, world.shop.jobs.relay, world.earliest_job)


def _consume(world: World) -> int:
    if not world.broker.messages:
        return 0
    message = world.broker.messages.pop(0)
    try:
        world.shop.jobs.run(message)
    except Crashed:
        if world.random.random() < 0.5:  # acknowledged late, so it may come again
            world.broker.messages.append(message)
        raise
    return 1


def _work(world: World, work: Callable[[], int], due: Callable[[], object]) -> None:
    """Work until the day ends. A crashed process is restarted after a while."""
    actor, scheduler = world.scheduler.current, world.scheduler
    while not world.is_closing:
        actor.mortal = True
        done = 0
        try:
            done = work()
        except TransientError:
            scheduler.sleep(1)
        except Crashed:
            scheduler.sleep(world.random.uniform(1, 90))
        else:
            if not done and not world.is_closing:
                actor.mortal = False
                scheduler.idle(due())  # type: ignore[arg-type]
        finally:
            world.queue.let_go()
            actor.mortal = False


def sweeper(world: World) -> None:
    """Do the periodic work. Sometimes an operator does a part of it by hand at the same time."""
    while not world.is_closing:
        world.scheduler.sleep(world.random.uniform(10, 40))
        if world.random.random() < 0.7:
            by_hand = partial(_perhaps, world, world.shop.inventory.release_expired_holds)
            world.scheduler.spawn("operator", by_hand)
        _perhaps(world, world.shop.jobs.periodic)


def _perhaps(world: World, work: Callable[[], object]) -> None:
    """Run an action that is repeated later if it fails now."""
    actor = world.scheduler.current
    actor.mortal = True
    with suppress(TransientError, Crashed):
        work()
    actor.mortal = False

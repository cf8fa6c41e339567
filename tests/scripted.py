"""A scripted gateway and mailbox, and a whole shop in memory around them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from quickshop.adapters.memory.notifications import MemoryNotifier
from quickshop.adapters.memory.unit_of_work import MemoryUnitOfWork
from quickshop.application.cart import NewCart
from quickshop.application.checkout import PlacedOrder
from quickshop.application.reactions import REACTIONS
from quickshop.domain.catalog import Product
from quickshop.domain.errors import PaymentDeclinedError, PaymentUnknownError, TransientError
from quickshop.domain.money import Money
from quickshop.domain.orders import OrderId, OrderStatus
from quickshop.domain.payments import Payment, PaymentSource
from quickshop.ports.notifications import Message
from quickshop.ports.payments import Charge, ChargeState, PaymentWebhooks
from quickshop.ports.security import AccessTokens, PasswordHasher
from quickshop.shop import Shop
from tests.builders import MovableClock, a_product, an_address, stock_up
from tests.twins import memory_shop


def nothing() -> None:
    """What happens meanwhile, unless a test says otherwise."""


class WorkerDied(BaseException):
    """The process was killed, so no code runs that could record what happened."""


class ScriptedGateway:
    """Decides by the token, and remembers by the key. Fails if a transaction is open.

    `tok_ok` is captured. `tok_declined` is declined. `tok_silent` is captured, but the first ask
    gets no answer. `tok_lost` gets no answer to the first ask, and nothing moves by it. `tok_3ds`
    wants the shopper to prove themselves first.
    """

    def __init__(self, transaction_is_open: Callable[[], bool]) -> None:
        self._transaction_is_open = transaction_is_open
        self.captured: dict[str, Money] = {}
        """By key."""
        self.authorized: dict[str, Money] = {}
        """By key; including payments that were captured or voided since."""
        self.voided: set[str] = set()
        """Keys of voided charges."""
        self.refunded: dict[str, Money] = {}
        """By key."""
        self.action_required: dict[str, Money] = {}
        """By key, until the shopper proved themselves."""
        self.refuses_refunds = False
        self.asked: list[str] = []
        """The key of every capture, in the order of asking."""
        self.is_down = False
        self.meanwhile: Callable[[], None] = nothing
        """Called once, after the money of the next call has moved and before its answer."""

    def charge(
        self, amount: Money, source: PaymentSource, *, key: str, capture: bool = True
    ) -> Charge:
        first = key not in self.asked
        self._answer_the_phone()
        self.asked.append(key)
        if source.token == "tok_declined":
            raise PaymentDeclinedError("card_declined")
        if source.token == "tok_3ds":
            self.action_required.setdefault(key, amount)
        elif not (first and source.token == "tok_lost"):
            taken = self.captured if capture else self.authorized
            assert taken.setdefault(key, amount) == amount
        self._meanwhile()
        if first and source.token in {"tok_silent", "tok_lost"}:
            raise PaymentUnknownError("no answer")
        return self._charge(key)

    def capture(self, reference: str, amount: Money, *, key: str) -> Charge:
        self._answer_the_phone()
        charge = reference.removeprefix("ref:")
        assert key == f"{charge}:capture"
        assert amount.minor <= self.authorized[charge].minor
        if charge in self.voided:
            raise PaymentDeclinedError("authorization_expired")
        assert self.captured.setdefault(charge, amount) == amount
        self._meanwhile()
        return self._charge(charge)

    def void(self, reference: str, *, key: str) -> Charge:
        self._answer_the_phone()
        charge = reference.removeprefix("ref:")
        assert key == f"{charge}:void"
        if charge not in self.captured:
            self.voided.add(charge)
        self._meanwhile()
        return self._charge(charge)

    def find(
        self, _amount: Money, _source: PaymentSource, *, key: str, capture: bool = True
    ) -> Charge | None:
        assert capture in {True, False}
        self._answer_the_phone()
        known = key in self.captured or key in self.authorized or key in self.action_required
        return self._charge(key) if known else None

    def refund(self, reference: str, amount: Money, *, key: str) -> None:
        self._answer_the_phone()
        charge = reference.removeprefix("ref:")
        assert key.startswith(f"{charge}:refund:")
        if self.refuses_refunds:
            raise PaymentDeclinedError("charge_disputed")
        assert self.refunded.setdefault(key, amount) == amount
        back = sum(a.minor for k, a in self.refunded.items() if k.startswith(f"{charge}:"))
        assert back <= self.captured[charge].minor, "more went back than came"
        self._meanwhile()

    def prove(self, key: str) -> None:
        """The shopper proved themselves: the money moves."""
        self.captured[key] = self.action_required.pop(key)

    def _charge(self, key: str) -> Charge:
        reference = f"ref:{key}"
        if key in self.captured:
            moved = self.captured[key]
            return Charge(reference=reference, state=ChargeState.CAPTURED, captured=moved)
        amount = self.authorized.get(key) or self.action_required[key]
        nothing = Money.zero(amount.currency)
        if key in self.voided:
            return Charge(reference=reference, state=ChargeState.CANCELED, captured=nothing)
        if key in self.authorized:
            return Charge(reference=reference, state=ChargeState.AUTHORIZED, captured=nothing)
        return Charge(
            reference=reference,
            state=ChargeState.ACTION_REQUIRED,
            captured=nothing,
            action=f"https://bank.example/{key}",
        )

    def _meanwhile(self) -> None:
        meanwhile, self.meanwhile = self.meanwhile, nothing
        meanwhile()

    def _answer_the_phone(self) -> None:
        assert not self._transaction_is_open(), "a gateway is called outside every transaction"
        if self.is_down:
            raise PaymentUnknownError("no answer")


class WatchedNotifier(MemoryNotifier):
    """A mailbox that fails if a transaction is open, and refuses while it `is_down`."""

    def __init__(self, transaction_is_open: Callable[[], bool]) -> None:
        super().__init__()
        self._transaction_is_open = transaction_is_open
        self.is_down = False
        self.forgets_to_answer = False
        """Whether it takes the next message and does not say so."""

    def send(self, message: Message) -> None:
        assert not self._transaction_is_open(), "mail is sent outside every transaction"
        if self.is_down:
            raise TransientError("the mail server does not answer")
        super().send(message)
        if self.forgets_to_answer:
            self.forgets_to_answer = False
            raise TransientError("the mail server does not answer any more")


@dataclass(slots=True)
class World:
    """A shop in memory, and everything around it that a test may look at or turn."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the shop's `Policy`."""
    unit_of_work: MemoryUnitOfWork = field(default_factory=lambda: MemoryUnitOfWork(REACTIONS))
    clock: MovableClock = field(default_factory=MovableClock)
    payment_webhooks: Mapping[str, PaymentWebhooks] = field(default_factory=dict)
    """The webhook readers by provider."""
    access_tokens: AccessTokens | None = None
    password_hasher: PasswordHasher | None = None
    gateway: ScriptedGateway = field(init=False)
    notifier: WatchedNotifier = field(init=False)
    shop: Shop = field(init=False)

    def __post_init__(self) -> None:
        self.gateway = ScriptedGateway(lambda: self.unit_of_work.is_open)
        self.notifier = WatchedNotifier(lambda: self.unit_of_work.is_open)
        self.shop = memory_shop(
            gateway=self.gateway,
            notifier=self.notifier,
            clock=self.clock,
            unit_of_work=self.unit_of_work,
            settings=self.settings,
            payment_webhooks=self.payment_webhooks,
            access_tokens=self.access_tokens,
            password_hasher=self.password_hasher,
        )

    @property
    def mailbox(self) -> WatchedNotifier:
        """What the shop wrote to people."""
        return self.notifier

    def sell(self, *, units: int = 10, **more: Any) -> Product:
        """A published product with so many units of each variant."""
        product = a_product(*more.pop("variants", ()), **more)
        with self.unit_of_work() as tx:
            tx.products.add(product)
        for variant in product.variants:
            stock_up(self.unit_of_work, variant, units)
        return product

    def fill_cart(self, product: Product, quantity: int = 1) -> NewCart:
        new = self.shop.carts.create()
        for variant in product.variants:
            self.shop.carts.add_line(new.cart.id, new.token, sku=variant.sku, quantity=quantity)
        return new

    def check_out(self, cart: NewCart, token: str = "tok_ok", **more: Any) -> PlacedOrder:
        given: dict[str, Any] = {
            "email": "Ada@Example.com",
            "shipping_address": an_address(),
            "payment": PaymentSource(token),
        }
        return self.shop.orders.place(cart.cart.id, cart.token, **(given | more))

    def order(
        self, product: Product | None = None, quantity: int = 1, token: str = "tok_ok"
    ) -> PlacedOrder:
        """An order just placed, of a new product unless one is given; no job has run."""
        return self.check_out(self.fill_cart(product or self.sell(), quantity), token)

    def run(self, **advance: float) -> int:
        """Let time pass, do the periodic work, then every job that is due."""
        if advance:
            self.clock.advance(**advance)
        self.shop.jobs.periodic()
        return self.shop.run_jobs()

    def status(self, order_id: OrderId) -> OrderStatus:
        return self.shop.orders.get(order_id).status

    def payments(self, order_id: OrderId) -> list[Payment]:
        with self.unit_of_work() as tx:
            return list(tx.payments.of_order(order_id))

    def available(self, product: Product) -> int:
        view = self.shop.products.get(product.handle)
        return view.variants[0].available

    def mails(self) -> list[str]:
        return [message.kind for message in self.notifier.sent]

    def timeline(self, order_id: OrderId) -> list[str]:
        return [entry.kind for entry in self.shop.orders.timeline(order_id)]

    def problems(self) -> list[str]:
        """The findings of the shop's own check, which must be empty."""
        return [finding.detail for finding in self.shop.check() if not finding.ok]

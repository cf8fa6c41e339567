"""A payment gateway with its own book, behind a connection that fails before or after a call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

from quickshop.domain.errors import (
    ConflictError,
    PaymentDeclinedError,
    PaymentUnknownError,
    QuickShopError,
    TransientError,
    WebhookRejectedError,
)
from quickshop.domain.money import Money
from quickshop.domain.payments import PaymentSource
from quickshop.ports.payments import Charge, ChargeState, NoticeKind, PaymentNotice
from tests.simulation.faults import Faults
from tests.simulation.ports import SteppedStore
from tests.simulation.scheduler import Crashed, Scheduler
from tests.simulation.violations import Kind, Violation

R = TypeVar("R")

BAD_CARD = "tok_declined"
CAREFUL_CARD = "tok_3ds"
"""Its bank wants to know that it is the shopper."""
CURRENCY = "EUR"
_KINDS: Final = {
    None: NoticeKind.DECLINED,
    ChargeState.ACTION_REQUIRED: NoticeKind.ACTION_REQUIRED,
    ChargeState.AUTHORIZED: NoticeKind.AUTHORIZED,
    ChargeState.CAPTURED: NoticeKind.CAPTURED,
    ChargeState.CANCELED: NoticeKind.CANCELED,
}


@dataclass(slots=True)
class Account:
    """What the gateway knows under one key."""

    order: str
    key: str
    amount: int
    token: str
    state: ChargeState | None
    """None: declined."""
    capture: bool
    """Whether the money is to move as soon as it can."""
    captured: int = 0
    first: Charge | None = None
    """What the first request was answered, or would have been."""
    refunds: dict[str, int] = field(default_factory=dict)
    """By key; one that was refused is over nothing."""

    @property
    def kept(self) -> int:
        """The captured amount less refunds."""
        return self.captured - sum(self.refunds.values())

    def grant(self) -> None:
        """The bank approves the charge."""
        self.state = ChargeState.CAPTURED if self.capture else ChargeState.AUTHORIZED
        self.captured = self.amount if self.capture else 0

    def charge(self) -> Charge:
        """The charge as the port returns it."""
        if self.state is None:
            raise PaymentDeclinedError("card_declined")
        return Charge(
            reference=f"ref/{self.key}",
            state=self.state,
            captured=Money(self.captured, CURRENCY),
            action="prove it" if self.state is ChargeState.ACTION_REQUIRED else "",
        )


class SimulatedGateway:
    """Takes and returns money, once per key. Its answers get lost, and requests arrive late."""

    def __init__(self, scheduler: Scheduler, faults: Faults, store: SteppedStore) -> None:
        self.book: dict[str, Account] = {}
        self.refused_refunds: set[str] = set()
        """Keys of refunds that were refused permanently: staff must handle them."""
        self.receive: Callable[[str, bytes, Mapping[str, str]], object]
        """The receiver of webhooks, set by the code that opens the shop."""
        self._notices: dict[bytes, PaymentNotice] = {}
        """What was sent, by the body that it was sent as."""
        self._scheduler = scheduler
        self._faults = faults
        self._store = store

    def charge(
        self, amount: Money, source: PaymentSource, *, key: str, capture: bool = True
    ) -> Charge:
        """As `PaymentGateway.charge`."""
        return self._call("charge", key, lambda: self._charge(amount.minor, source, key, capture))

    def capture(self, reference: str, amount: Money, *, key: str) -> Charge:
        """As `PaymentGateway.capture`."""
        return self._call("capture", key, lambda: self._capture(reference, amount.minor))

    def void(self, reference: str, *, key: str) -> Charge:
        """As `PaymentGateway.void`."""
        return self._call("void", key, lambda: self._void(reference))

    def refund(self, reference: str, amount: Money, *, key: str) -> None:
        """As `PaymentGateway.refund`."""
        return self._call("refund", key, lambda: self._refund(reference, amount.minor, key))

    def find(
        self, amount: Money, source: PaymentSource, *, key: str, capture: bool = True
    ) -> Charge | None:
        """As `PaymentGateway.find`."""
        asked = (amount.minor, source.token, capture)
        return self._call("find", key, lambda: self._find(key, asked), moves=False)

    def verify(self, body: bytes, headers: Mapping[str, str], *, now: datetime) -> PaymentNotice:
        """As `PaymentWebhooks.verify`.

        Raises:
            WebhookRejectedError: the message is forged.
        """
        assert now, headers
        if body not in self._notices:
            raise WebhookRejectedError("forged")
        return self._notices[body]

    def of_order(self, order: str) -> list[Account]:
        """What is known under any key of an order."""
        return [account for account in self.book.values() if account.order == order]

    def _call(self, what: str, key: str, effect: Callable[[], R], *, moves: bool = True) -> R:
        """Make one call, which may fail before or after the effect, or take long."""
        if self._store.is_open:
            raise Violation(Kind.CALLED_IN_TRANSACTION, f"gateway.{what} {key}")
        faults, scheduler = self._faults, self._scheduler
        scheduler.step(f"gateway.{what} {key}")
        if faults.strikes("gateway_unreachable"):
            raise PaymentUnknownError("no connection")
        if moves and faults.strikes("gateway_late"):
            scheduler.spawn(f"late {what}", partial(self._arrive_late, what, key, effect))
            raise PaymentUnknownError("no answer, and the request is on its way")
        faults.delay("gateway_slow")
        answer = effect()
        if moves and faults.strikes("gateway_called_twice"):
            effect()
        faults.delay("gateway_slow")
        if faults.strikes("gateway_answer_lost"):
            raise PaymentUnknownError("no answer")
        scheduler.step(f"gateway answers {answer.state if isinstance(answer, Charge) else answer}")
        return answer

    def _arrive_late(self, what: str, key: str, effect: Callable[[], object]) -> None:
        self._scheduler.sleep(self._scheduler.random.uniform(1, 600))
        self._scheduler.step(f"gateway.{what} {key}")
        try:
            effect()
        except QuickShopError:
            self._scheduler.note("refused")

    def _charge(self, amount: int, source: PaymentSource, key: str, capture: bool) -> Charge:
        account = self.book.get(key)
        if account is None:
            account = Account(
                key.split(":", maxsplit=1)[0], key, amount, source.token, None, capture
            )
            self.book[key] = account
            if source.token == CAREFUL_CARD:
                account.state = ChargeState.ACTION_REQUIRED
                self._scheduler.spawn("bank", partial(self._prove, account))
            elif source.token != BAD_CARD and not self._faults.strikes("declined"):
                self._grant(account)
            account.first = account.charge() if account.state else None
        if account.amount != amount:
            raise Violation(Kind.KEY_REUSED, f"two amounts under {key}")
        if account.first and self._faults.strikes("gateway_repeats_itself"):
            return account.first
        return account.charge()

    def _grant(self, account: Account) -> None:
        account.grant()
        if sum(each.kept > 0 for each in self.of_order(account.order)) > 1:
            raise Violation(Kind.CHARGED_TWICE, f"order {account.order}")

    def _prove(self, account: Account) -> None:
        """The shopper proves themselves, fails to, or never comes back."""
        random = self._scheduler.random
        self._scheduler.sleep(random.choice((5, 60, 900, 5000)))
        self._scheduler.step(f"shopper proves themselves for {account.key}")
        outcome = random.random()
        if account.state is ChargeState.ACTION_REQUIRED and outcome < 0.9:
            if outcome < 0.6:
                self._grant(account)
            else:
                account.state = ChargeState.CANCELED
            self._tell(account)

    def _named(self, reference: str) -> Account:
        return self.book[reference.removeprefix("ref/")]

    def _capture(self, reference: str, amount: int) -> Charge:
        account = self._named(reference)
        if account.state is ChargeState.AUTHORIZED:
            if self._faults.strikes("authorization_lapsed"):
                account.state = ChargeState.CANCELED
            else:
                account.state, account.captured = ChargeState.CAPTURED, amount
            self._tell(account)
        if account.state is not ChargeState.CAPTURED:
            raise PaymentDeclinedError("authorization_expired")
        if account.captured != amount:
            raise Violation(Kind.KEY_REUSED, f"two amounts under {account.key}")
        return account.charge()

    def _void(self, reference: str) -> Charge:
        account = self._named(reference)
        if account.state in {ChargeState.AUTHORIZED, ChargeState.ACTION_REQUIRED}:
            account.state = ChargeState.CANCELED
            self._tell(account)
        return account.charge()

    def _find(self, key: str, asked: tuple[int, str, bool]) -> Charge | None:
        account = self.book.get(key)
        if account is None:
            return None
        if asked != (account.amount, account.token, account.capture):
            raise Violation(Kind.KEY_REUSED, f"{key} is looked for as another charge")
        return account.charge()

    def _tell(self, account: Account) -> None:
        """Send a webhook with the state of a charge; with a fault, also a false one."""
        kind, amount, captured = _KINDS[account.state], account.amount, account.captured
        if self._faults.strikes("webhook_wrong"):
            kind, amount, captured = NoticeKind.CAPTURED, amount - 1, amount - 1
        number = len(self._notices) + 1
        body = f"notice {number}".encode()
        self._notices[body] = PaymentNotice(
            event_id=f"event {number}",
            kind=kind,
            gateway_key=account.key,
            reference=f"ref/{account.key}",
            amount=Money(amount, CURRENCY),
            captured=Money(captured, CURRENCY) if captured else None,
            action="prove it",
        )
        for _copy in range(2 if self._faults.strikes("webhook_repeated") else 1):
            if not self._faults.strikes("webhook_lost"):
                self._scheduler.spawn(f"webhook {number}", partial(self._deliver, body))
        if self._faults.strikes("webhook_forged"):
            self._scheduler.spawn("forger", partial(self._deliver, b"forged"))

    def _deliver(self, body: bytes) -> None:
        """Send a message until it is accepted, with a limit; later messages may overtake it."""
        scheduler = self._scheduler
        for _time in range(4):
            scheduler.sleep(scheduler.random.choice((0, 1, 30, 400)))
            scheduler.current.mortal = True
            try:
                verdict = self.receive("gateway", body, {})
            except WebhookRejectedError:
                return
            except (TransientError, ConflictError, Crashed):
                continue
            finally:
                scheduler.current.mortal = False
            scheduler.note(f"webhook {verdict}")
            return

    def _refund(self, reference: str, amount: int, key: str) -> None:
        account = self._named(reference)
        if key not in account.refunds and key not in self.refused_refunds:
            if self._faults.strikes("refund_refused"):
                self.refused_refunds.add(key)
            else:
                account.refunds[key] = amount
        if key in self.refused_refunds:
            raise PaymentDeclinedError("refund_refused")
        if account.refunds[key] != amount:
            raise Violation(Kind.KEY_REUSED, f"two amounts under {key}")
        if account.kept < 0:
            raise Violation(Kind.REFUNDED_TOO_MUCH, f"order {account.order} at the gateway")

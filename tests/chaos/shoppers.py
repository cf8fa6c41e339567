"""Shoppers who buy over HTTP, one after the other in each of several threads, with a journal.

A shopper behaves like a browser: a request without an answer, or with an answer to retry later, is
sent again with the same key, perhaps to the other server, until there is an answer.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from threading import Barrier, BrokenBarrierError, Event, Thread
from typing import Any, Final

from tests.chaos.journal import Journal

ANSWER_SECONDS: Final = 10
PATIENCE_SECONDS: Final = 60
"""How long a shopper tries to get an answer before they say that the shop is gone."""
WATCH_SECONDS: Final = 4
CROWD: Final = 6
RUSH_SECONDS: Final = 1

_AGAIN: Final = frozenset({"idempotency_in_progress"})
_MOODS: Final = {
    "content": 45,
    "double click": 15,
    "new key": 10,
    "cancel at once": 12,
    "cancel later": 10,
    "cancel twice": 4,
    "look": 4,
}


@dataclass(frozen=True, slots=True)
class StoredLevel:
    """What is sold: SKU and units that there were."""

    plenty: Mapping[str, int]
    scarce: Mapping[str, int]
    sold_out: set[str] = field(default_factory=set)
    """What shoppers have heard to be gone."""
    rush: Barrier = field(default_factory=lambda: Barrier(CROWD))
    """Where those who want what is scarce wait, to press the button at one moment."""

    @property
    def units(self) -> dict[str, int]:
        """Units of each SKU in the beginning."""
        return {**self.plenty, **self.scarce}

    @property
    def hot(self) -> str | None:
        """What everybody wants now, one after the other: of this there is little."""
        return next((sku for sku in self.scarce if sku not in self.sold_out), None)


@dataclass(frozen=True, slots=True)
class Wallet:
    """What shoppers pay with."""

    cards: Mapping[str, int]
    """How often each comes out first."""
    declined: frozenset[str]
    """Those of them that are known to be of no use."""
    second: Sequence[str]
    """What is tried after those."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    text: str
    replayed: bool

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> str:
        """Which problem it was; empty for none."""
        if self.status < 400:
            return ""
        with suppress(ValueError, AttributeError):
            return str(self.json.get("code", ""))
        return ""

    @property
    def is_final(self) -> bool:
        """Whether asking again would be of no use."""
        return self.status < 500 and self.status != 429 and self.code not in _AGAIN


class GaveUpError(Exception):
    """The shop did not answer for very long."""


class Browser:
    """Asks one server at a time, over a connection that is kept."""

    def __init__(self, ports: Sequence[int], random: Random) -> None:
        self._ports = ports
        self._random = random
        self._connections: dict[int, http.client.HTTPConnection] = {}

    def ask(
        self, method: str, path: str, body: str | None, headers: Mapping[str, str]
    ) -> tuple[int, Answer | None, str]:
        """The port that was asked, its answer, and else what went wrong."""
        port = self._random.choice(self._ports)
        connection = self._connections.setdefault(
            port, http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
        )
        try:
            connection.request(method, path, body=body, headers=dict(headers))
            response = connection.getresponse()
            text = response.read().decode()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            return port, None, f"{type(error).__name__}: {error}"
        replayed = response.getheader("Idempotent-Replayed") == "true"
        return port, Answer(response.status, text, replayed), ""

    def close(self) -> None:
        """Hang up."""
        for connection in self._connections.values():
            connection.close()


@dataclass(slots=True)
class Shopper:
    """One customer at a time, each with a cart of their own."""

    number: int
    seed: int
    ports: Sequence[int]
    shelf: StoredLevel
    wallet: Wallet
    journal: Journal
    stop: Event
    trips: int = 0
    placed: int = 0
    random: Random = field(init=False)
    browser: Browser = field(init=False)

    def __post_init__(self) -> None:
        self.random = Random(f"shopper {self.seed} {self.number}")
        self.browser = Browser(self.ports, self.random)

    def run(self) -> None:
        """Shop until `stop` is set; finish the current order."""
        while not self.stop.is_set():
            self.trips += 1
            try:
                self._trip(f"{self.number}-{self.trips}")
            except GaveUpError as error:
                self.journal.write("gave up", who=f"{self.number}-{self.trips}", why=str(error))
        self.browser.close()

    # -- One trip

    def _trip(self, who: str) -> None:
        mood, card = self._one_of(_MOODS), self._one_of(self.wallet.cards)
        cart = self._until_answered(who, "create cart", "POST", "/v1/carts").json
        token = {"X-Cart-Token": cart["token"]}
        shown = None
        wishes = self._wishes()
        for sku, quantity in wishes:
            self._until_answered(who, "look", "GET", f"/v1/products/product-{sku.lower()}")
            line = {"sku": sku, "quantity": quantity}
            path = f"/v1/carts/{cart['id']}/lines"
            shown = self._until_answered(who, "add line", "POST", path, line, token)
        assert shown is not None
        if any(sku in self.shelf.scarce for sku, _quantity in wishes):
            with suppress(BrokenBarrierError):
                self.shelf.rush.wait(RUSH_SECONDS)
            if self.shelf.rush.broken:
                self.shelf.rush.reset()
        if self.random.random() < 0.3:
            path, key = f"/v1/carts/{cart['id']}/hold", {"Idempotency-Key": f"hold {who}"}
            self._until_answered(who, "hold", "POST", path, None, token | key)
            if self.random.random() < 0.2:
                return  # and never come back
        form = _form(who, card) | {"expected_total": shown.json["total"]}
        order = self._check_out(who, cart["id"], form, token, mood)
        if order is not None:
            self.placed += 1
            self._afterwards(who, order, mood, card)

    def _check_out(
        self, who: str, cart: str, form: dict[str, Any], token: dict[str, str], mood: str
    ) -> dict[str, Any] | None:
        path = f"/v1/carts/{cart}/checkout"
        key = {"Idempotency-Key": f"checkout {who}"}

        def go(browser: Browser | None = None) -> Answer:
            return self._until_answered(
                who, "checkout", "POST", path, form, token | key, cart=cart, browser=browser
            )

        answer = self._twice(go) if mood == "double click" else go()
        if mood == "new key":
            other = token | {"Idempotency-Key": f"checkout {who} again"}
            self._until_answered(who, "checkout", "POST", path, form, other, cart=cart)
        if answer.code == "out_of_stock":
            self.shelf.sold_out.add(answer.json["sku"])
        return answer.json if answer.status == 201 else None

    def _twice(self, go: Any) -> Answer:
        browser = Browser(self.ports, Random(self.random.random()))

        def second() -> None:
            with suppress(GaveUpError):
                go(browser)
            browser.close()

        other = Thread(target=second, daemon=True)
        other.start()
        try:
            answer: Answer = go()
        finally:
            other.join()
        return answer

    def _afterwards(self, who: str, order: dict[str, Any], mood: str, card: str) -> None:
        if mood.startswith("cancel"):
            if mood == "cancel later":
                self._watch(who, order, {"pending"})
            self._cancel(who, order, mood)
        elif (
            card in self.wallet.declined
            and self._watch(who, order, {"pending"}) == "payment_failed"
        ):
            self._pay_again(who, order)

    def _watch(self, who: str, order: dict[str, Any], while_in: set[str]) -> str:
        """The status that an order has got to, or still has after a while."""
        deadline = time.monotonic() + WATCH_SECONDS
        while True:
            path, token = f"/v1/orders/{order['id']}", {"X-Order-Token": order["token"]}
            answer = self._until_answered(who, "watch", "GET", path, None, token)
            status = str(answer.json.get("status")) if answer.status == 200 else "gone"
            if status not in while_in or time.monotonic() > deadline or self.stop.is_set():
                return status
            time.sleep(0.1)

    def _pay_again(self, who: str, order: dict[str, Any]) -> None:
        headers = {"X-Order-Token": order["token"], "Idempotency-Key": f"pay {who}"}
        body = {"method": "card", "token": self.random.choice(self.wallet.second)}
        path = f"/v1/orders/{order['id']}/payments"
        self._until_answered(who, "pay again", "POST", path, body, headers, order=order["id"])

    def _cancel(self, who: str, order: dict[str, Any], mood: str) -> None:
        headers = {"X-Order-Token": order["token"], "Idempotency-Key": f"cancel {who}"}
        path, facts = f"/v1/orders/{order['id']}/cancel", {"order": order["id"]}
        self._until_answered(who, "cancel", "POST", path, {}, headers, **facts)
        if mood == "cancel twice":
            self._until_answered(who, "cancel", "POST", path, {}, headers, **facts)

    # -- Asking

    def _until_answered(
        self,
        who: str,
        what: str,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        browser: Browser | None = None,
        **facts: Any,
    ) -> Answer:
        """Ask until there is an answer that asking again would not change.

        Raises:
            GaveUpError: there was none for very long.
        """
        chosen, sent = browser or self.browser, dict(headers or {})
        text = None if body is None else json.dumps(body)
        if text is not None:
            sent["Content-Type"] = "application/json"
        key = sent.get("Idempotency-Key")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if key is not None:
                self.journal.write(f"ask {what}", who=who, key=key, sent=body, **facts)
            port, answer, trouble = chosen.ask(method, path, text, sent)
            self._note(what, who, key, port, answer, trouble, facts)
            if answer is not None and answer.is_final:
                return answer
            time.sleep(self.random.uniform(0.02, 0.3))
        raise GaveUpError(f"{what}: no answer for {PATIENCE_SECONDS} s")

    def _note(
        self,
        what: str,
        who: str,
        key: str | None,
        port: int,
        answer: Answer | None,
        trouble: str,
        facts: Mapping[str, Any],
    ) -> None:
        if answer is None:
            self.journal.write(what, who=who, key=key, port=port, trouble=trouble, **facts)
        elif key is not None or answer.status >= 400:
            self.journal.write(
                what,
                who=who,
                key=key,
                port=port,
                status=answer.status,
                replayed=answer.replayed,
                body=answer.text,
                **facts,
            )

    # -- Choosing

    def _one_of(self, weights: Mapping[str, int]) -> str:
        return self.random.choices(list(weights), list(weights.values()))[0]

    def _wishes(self) -> list[tuple[str, int]]:
        skus = self.random.sample(sorted(self.shelf.plenty), self.random.choice([1, 1, 2]))
        if (hot := self.shelf.hot) and self.random.random() < 0.5:
            skus.append(hot)
        self.random.shuffle(skus)
        return [(sku, self.random.choice([1, 1, 1, 2, 3])) for sku in skus]


def address_of(who: str) -> str:
    """The address that mail about a trip's order goes to, and about no other."""
    return f"shopper-{who}@shoppers.example"


def _form(who: str, card: str) -> dict[str, Any]:
    return {
        "email": address_of(who),
        "payment": {"method": "card", "token": card},
        "shipping_address": {
            "name": "Ada Lovelace",
            "line1": "12 St James's Square",
            "city": "London",
            "postal_code": "SW1Y 4JH",
            "country": "GB",
        },
    }

"""However many refunds are asked for at once, no more goes back than came."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from quickshop import Money
from quickshop.adapters.sandbox.payments import SandboxGateway
from quickshop.domain.errors import QuickShopError
from quickshop.domain.orders import OrderId
from tests.integration.buyers import Buyers, open_buyers, problems, stock

CAPTURED = 1250
PART = 750
"""As 60 is of 100: two of these are too much."""


def a_paid_order(buyers: Buyers) -> OrderId:
    stock(buyers.shop, "MUG", 5)
    placed = buyers.check_out(buyers.fill("MUG"))
    buyers.shop.run_jobs()
    return placed.order.id


def sent_back(folder: Path) -> int:
    """What left again, in the gateway's own book."""
    book = SandboxGateway(str(folder / "sandbox.db"), slow_seconds=0).book()
    return sum(charge.refunded.minor for charge in book.charges)


def test_of_ten_refunds_of_60_at_once_one_comes_out_of_a_capture_of_100(
    any_database_url: str, tmp_path: Path
) -> None:
    with open_buyers(any_database_url, tmp_path) as buyers:
        order_id = a_paid_order(buyers)

        def refund(n: int) -> str:
            try:
                buyers.shop.orders.refund(
                    order_id, amount=Money(PART, "USD"), idempotency_key=f"call {n}"
                )
            except QuickShopError as error:
                return error.code
            return "refunded"

        with ThreadPoolExecutor(10) as pool:
            outcomes = Counter(pool.map(refund, range(10)))
        while "contention" in outcomes:  # told to try again: those who do are served or refused
            outcomes += Counter(refund(100 + n) for n in range(outcomes.pop("contention")))
        assert outcomes == {"refunded": 1, "refund_too_large": 9}
        buyers.shop.run_jobs()
        (payment,) = buyers.shop.orders.payments(order_id)
        assert payment.captured == Money(CAPTURED, "USD")
        assert sent_back(tmp_path) == PART
        assert problems(buyers.shop) == []

"""Whoever is forgotten is found in no table of either database."""

from __future__ import annotations

from quickshop import Money, NewVariant, open_shop
from quickshop.adapters.memory.notifications import MemoryNotifier
from tests.integration.backends import rows_by_table
from tests.life_story import EMAIL, TO_BE, be_looked_after, live, traces_in
from tests.people import PASSWORD, Seen, mailed_secret


def test_no_table_tells_who_it_was(any_database_url: str) -> None:
    with open_shop(any_database_url, notifier=(mailbox := MemoryNotifier())) as shop:
        town, sku = Seen(shop, mailbox), "LAMP"
        shop.products.create(title="Lamp", variants=[NewVariant(sku=sku, price=Money(900, "USD"))])
        shop.inventory.receive(sku, 10)
        person, order_id = live(town, sku)
        be_looked_after(town, person, order_id, sku)
        shop.accounts.request_email_change(person.id, email=TO_BE, password=PASSWORD)
        shop.run_jobs()
        shop.accounts.confirm_email_change(mailed_secret(town, TO_BE))
        before = rows_by_table(any_database_url)
        told_in = {table for table, rows in before.items() if traces_in(rows)}
        assert told_in >= {
            *("accounts", "customers", "sessions", "orders", "order_events", "fulfillments"),
            *("refunds", "jobs", "idempotency_keys", "notifications"),
        }
        shop.customers.erase(person.customer_id)
        after = rows_by_table(any_database_url)
        assert {table: traces_in(rows) for table, rows in after.items() if traces_in(rows)} == {}
        assert EMAIL not in repr(after)
        written = len(mailbox.sent)
        shop.run_jobs()
        assert len(mailbox.sent) == written
        assert list(shop.jobs.dead().items) == []
        told = {each.kind: each.facts for each in shop.orders.timeline(order_id)}
        assert told["OrderNoted"] == {"note": "erased"}
        assert shop.orders.get(order_id).fulfillments[0].carrier == "Snail"
        assert all(finding.ok for finding in shop.check())

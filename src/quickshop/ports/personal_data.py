"""The port that erases personal data outside the customer record."""

from __future__ import annotations

from typing import Protocol

from quickshop.domain.customers import CustomerId


class PersonalDataRepository(Protocol):
    """Personal data of customers in other records, in one transaction."""

    def erase(self, customer_id: CustomerId) -> None:
        """Erase personal data of a customer and their orders. Lock the orders first.

        Fulfillments keep only their carrier. Free text (`PERSONAL_FACTS`, reasons of refunds)
        becomes `ERASED` in timelines, payments and jobs; codes stay. Finished jobs are deleted.
        Stored responses with data of the customer are deleted, for every caller, but their
        idempotency keys stay: a repeated request has no second effect and is refused until the
        key expires.
        """
        ...

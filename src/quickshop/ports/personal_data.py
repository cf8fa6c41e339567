"""What the shop needs to forget what is told of somebody outside of what is theirs."""

from __future__ import annotations

from typing import Protocol

from quickshop.domain.customers import CustomerId


class PersonalDataRepository(Protocol):
    """Traces that customers leave, as seen from inside one transaction."""

    def erase(self, customer_id: CustomerId) -> None:
        """Let nothing about a customer and their orders tell who that was. Lock the orders first.

        Parcels keep their carrier alone. What people wrote (`PERSONAL_FACTS`, reasons of refunds)
        reads `ERASED` in timelines, payments and jobs; codes stay. Jobs that are done go. Answers
        that tell of them, whoever was given them, go as well, but their keys stay in use: what is
        asked for again with one has no second effect, and is refused until the key has expired.
        """
        ...

"""External services whose connection can be checked."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class CheckedService(Protocol):
    """A `PaymentGateway` or a `Notifier` that can check its connection.

    Optional: `quickshop doctor` and `Shop.check_services` report a service without this method as
    not checked.
    """

    def check_connection(self) -> str:
        """Connect as a real call does, change nothing, and return one sentence on the result.

        Ends within the timeouts of the service.

        Raises:
            QuickShopError: the service cannot be used. The message says why, and what is required.
        """
        ...

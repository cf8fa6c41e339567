"""The machine's clock."""

from datetime import UTC, datetime

from typing_extensions import override

from quickshop.ports.clock import Clock


class SystemClock(Clock):
    """A `Clock` that reads the system time, in UTC."""

    @override
    def now(self) -> datetime:
        """Return the current time as an aware datetime in UTC."""
        return datetime.now(UTC)

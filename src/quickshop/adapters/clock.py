"""The machine's clock."""

from datetime import UTC, datetime

from typing_extensions import override

from quickshop.ports.clock import Clock


class SystemClock(Clock):
    """Tells the time of this machine, in UTC."""

    @override
    def now(self) -> datetime:
        """The current moment, aware, in UTC."""
        return datetime.now(UTC)

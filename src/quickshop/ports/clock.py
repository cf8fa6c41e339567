"""The port of the current time."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """A clock."""

    def now(self) -> datetime:
        """Return the current time, timezone-aware, in UTC."""
        ...

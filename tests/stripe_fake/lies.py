"""Which calls are lied about, and how."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from threading import Lock
from typing import Any, Final

KINDS: Final = (
    "error_before",
    "error_after",
    "stored_error",
    "hang_before",
    "hang_after",
    "slow",
    "rate_limited",
)


@dataclass(frozen=True, slots=True)
class Lie:
    """What one call meets."""

    kind: str
    seconds: float


@dataclass
class Lies:
    """Lies that were ordered, told in their order, and lies by chance."""

    seed: int = 0
    rate: float = 0
    seconds: float = 30
    kinds: tuple[str, ...] = KINDS
    _ordered: list[dict[str, Any]] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._random = Random(self.seed)

    def order(self, *, kind: str, times: int = 1, seconds: float = 30, path: str = "") -> None:
        """Have the next `times` calls whose path contains `path` meet this."""
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        with self._lock:
            self._ordered += [{"kind": kind, "seconds": seconds, "path": path}] * times

    def plan(
        self, *, seed: int = 0, rate: float, seconds: float = 30, kinds: list[str] | None = None
    ) -> None:
        """Have each call meet a lie with probability `rate`."""
        with self._lock:
            self._random = Random(seed)
            self.rate, self.seconds, self.kinds = rate, seconds, tuple(kinds or KINDS)

    def heal(self) -> None:
        """Nothing but the truth from now on."""
        with self._lock:
            self._ordered.clear()
            self.rate = 0

    def next(self, path: str) -> Lie | None:
        """What this call meets; None is the truth."""
        with self._lock:
            for ordered in self._ordered:
                if ordered["path"] in path:
                    self._ordered.remove(ordered)
                    return Lie(ordered["kind"], ordered["seconds"])
            if self._random.random() < self.rate:
                return Lie(self._random.choice(self.kinds), self.seconds)
        return None

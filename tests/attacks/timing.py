"""Telling two things apart by how long they take, as a patient attacker would."""

from __future__ import annotations

import gc
from collections.abc import Callable
from statistics import median
from typing import Final

SAMPLES: Final = 200
"""Of each of both."""
NOTICEABLE: Final = 0.05
_TRIES: Final = 3


def difference(one: Callable[[], float], other: Callable[[], float]) -> float:
    """Return the relative difference of their median times.

    Both are measured in turn, in the order ABBA, so that a slow machine slows both. Noise only
    adds time, and the median ignores the few slow samples.
    """
    ones: list[float] = []
    others: list[float] = []
    gc.collect()
    gc.disable()
    try:
        for n in range(SAMPLES):
            pair = [(one, ones), (other, others)]
            for measure, kept in pair if n % 2 else reversed(pair):
                kept.append(measure())
    finally:
        gc.enable()
    by_medians = abs(median(ones) / median(others) - 1)
    by_pairs = abs(median(a / b for a, b in zip(ones, others, strict=True)) - 1)
    return min(by_medians, by_pairs)


def can_be_told_apart(one: Callable[[], float], other: Callable[[], float]) -> list[float]:
    """The differences found, if they are noticeable each time; a real one always is."""
    found = []
    for _ in range(_TRIES):
        found.append(difference(one, other))
        if found[-1] <= NOTICEABLE:
            return []
    return found

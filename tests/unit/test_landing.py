"""Sampled tests run one part at a landing, another one at the next, and all parts on demand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import landing


@pytest.fixture(autouse=True)
def no_choice(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Neither a seed nor the whole is asked for."""
    monkeypatch.delenv("QUICKSHOP_TEST_SEED", raising=False)
    monkeypatch.delenv("QUICKSHOP_TEST_WHOLE", raising=False)
    landing.seed.cache_clear()
    yield
    landing.seed.cache_clear()


def share_of(
    seed: int, items: list[int], parts: int, monkeypatch: pytest.MonkeyPatch
) -> list[int]:
    monkeypatch.setenv("QUICKSHOP_TEST_SEED", str(seed))
    landing.seed.cache_clear()
    return landing.share(items, parts)


def test_parts_of_seeds_in_a_row_cover_everything_once(monkeypatch: pytest.MonkeyPatch) -> None:
    items = [*range(10)]
    parts = [share_of(seed, items, 4, monkeypatch) for seed in range(7, 11)]
    assert sorted(item for part in parts for item in part) == items


def test_neighbors_are_in_different_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    part = share_of(6, [*range(20)], 4, monkeypatch)
    assert part == [2, 6, 10, 14, 18]


def test_the_whole_is_every_item(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUICKSHOP_TEST_WHOLE", "1")
    assert share_of(6, [*range(20)], 4, monkeypatch) == [*range(20)]


def test_a_commit_has_one_seed() -> None:
    first = landing.seed()
    landing.seed.cache_clear()
    assert landing.seed() == first > 0


def test_source_without_a_repository_has_a_seed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    first = landing.seed()
    landing.seed.cache_clear()
    assert landing.seed() == first > 0

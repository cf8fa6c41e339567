"""Planted bugs: a simulation catches each by the rule that the bug is to break."""

from __future__ import annotations

from typing import Final

import pytest

from tests.landing import share
from tests.mutants import MUTANTS
from tests.simulation.hunt import hunt

AT_A_LANDING: Final = 2
"""Bugs whose turn it is. Which ones, the commit decides."""


@pytest.mark.sampled
@pytest.mark.parametrize("name", share(list(MUTANTS), len(MUTANTS) // AT_A_LANDING))
def test_a_planted_bug_breaks_the_rule_that_it_names(name: str) -> None:
    found = hunt(MUTANTS[name])

    assert found.is_caught, f"{MUTANTS[name].bug}: {found.verdict}"

"""The planted bugs themselves: what they replace is there, and what breaks them is no evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from quickshop.application import checkout
from quickshop.application import payments as paying
from quickshop.domain.orders import Order
from tests.mutants import MUTANTS, Mutant, NothingToPatchError, Patch
from tests.simulation.hunt import hunt
from tests.simulation.violations import Kind

ROOT: Final = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", MUTANTS)
def test_a_bug_finds_what_it_replaces_and_leaves_it_as_it_was(name: str) -> None:
    replaced = {(owner, attribute): vars(owner)[attribute] for owner, attribute in targets(name)}

    with MUTANTS[name].planted():
        planted = [vars(owner)[attribute] for owner, attribute in replaced]

    assert replaced
    assert all(now is not before for now, before in zip(planted, replaced.values(), strict=True))
    assert {at: vars(at[0])[at[1]] for at in replaced} == replaced


def targets(name: str) -> list[tuple[Any, str]]:
    return [(owner, attribute) for owner, attribute, _ in MUTANTS[name].patches()]


def test_no_bug_is_caught_by_a_defect_of_its_own() -> None:
    assert Kind.DIED not in {mutant.caught_by for mutant in MUTANTS.values()}


@pytest.mark.parametrize(
    ("owner", "method"),
    [(checkout.PlaceOrder, "_prepare"), (paying.ProcessOrder, "_charge")],
    ids=["in a request", "in a job"],
)
def test_a_bug_that_dies_of_its_own_code_is_broken_and_not_caught(
    owner: object, method: str
) -> None:
    def typo(self: Any, *_args: Any) -> Any:
        return self.unit_of_wrok

    found = hunt(mutant_of(owner, method, typo, caught_by=Kind.OVERSOLD))

    assert not found.is_caught
    assert found.verdict.startswith("broken mutant: AttributeError")
    assert "unit_of_wrok" in found.verdict


def test_a_bug_whose_target_was_renamed_is_broken_and_not_caught() -> None:
    mutant = mutant_of(checkout.PlaceOrder, "_prepear", None, caught_by=Kind.OVERSOLD)

    with pytest.raises(NothingToPatchError, match="PlaceOrder has no '_prepear'"):
        with mutant.planted():
            pass
    assert hunt(mutant).verdict == "broken mutant: PlaceOrder has no '_prepear' of its own"


def test_a_bug_that_breaks_another_rule_than_it_names_is_not_caught() -> None:
    def move(self: Order, status: Any, _action: str) -> None:
        self.status = status

    found = hunt(mutant_of(Order, "_move", move, caught_by=Kind.OVERSOLD), seeds=20)

    assert not found.is_caught
    assert found.verdict.startswith("not caught by oversold, but by something else: ")


def test_a_bug_that_breaks_nothing_is_not_caught() -> None:
    unchanged = vars(Order)["_move"]

    found = hunt(mutant_of(Order, "_move", unchanged, caught_by=Kind.OVERSOLD), seeds=3)

    assert not found.is_caught
    assert found.verdict == "not caught by oversold"


def mutant_of(owner: object, attribute: str, replacement: Any, *, caught_by: Kind) -> Mutant:
    def patches() -> Iterator[Patch]:
        yield owner, attribute, replacement

    return Mutant("made-for-this-test", "none", caught_by, patches)


def test_the_document_lists_every_bug_and_the_rule_that_catches_it() -> None:
    text = (ROOT / "docs" / "mutants.md").read_text("utf-8")
    rows = [line.split(" | ") for line in text.splitlines() if re.match(r"\| [a-z]+-", line)]
    listed = [(name.removeprefix("| "), bug, rule) for name, bug, rule, _runs in rows]

    assert listed == [(m.name, m.bug, m.caught_by) for m in MUTANTS.values()]


def test_the_readme_counts_every_bug() -> None:
    text = (ROOT / "README.md").read_text("utf-8")

    assert re.findall(r"(\d+) of (\d+) planted bugs", text) == [(str(len(MUTANTS)),) * 2]

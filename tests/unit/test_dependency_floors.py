"""Packages whose older versions have holes that matter here are new enough, as told and as is."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT: Final = Path(__file__).parents[2]
FLOORS: Final = {
    "pyjwt": "2.13",
    "starlette": "1.0.1",
    "redis": "4.5.4",
    "celery": "5.6",
}
"""The first versions without the holes."""
NOT_NEEDED: Final = {"python-multipart": "0.0.26"}
"""This API takes no forms; should the parser come in by another way, it is to be a good one."""


def installed(name: str) -> Version | None:
    try:
        return Version(version(name))
    except PackageNotFoundError:
        return None


def declared() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    return [Requirement(text) for group in (project["dependencies"], *extras) for text in group]


def pinned() -> dict[str, Version]:
    lines = re.findall(
        r"^([A-Za-z0-9._-]+)==([^\s;#]+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE
    )
    return {name.lower().replace("_", "-"): Version(number) for name, number in lines}


@pytest.mark.parametrize("name", FLOORS)
def test_no_version_with_a_known_hole_can_be_installed(name: str) -> None:
    floor = Version(FLOORS[name])
    wanted = [each for each in declared() if each.name.lower() == name]
    assert wanted, "not declared"
    for requirement in wanted:
        lowest = [Version(each.version) for each in requirement.specifier if each.operator == ">="]
        assert lowest, f"{requirement} has no floor"
        assert min(lowest) >= floor, requirement
    assert pinned()[name] >= floor
    assert installed(name) == pinned()[name]


@pytest.mark.parametrize("name", NOT_NEEDED)
def test_what_is_not_needed_is_new_enough_or_not_there(name: str) -> None:
    floor = Version(NOT_NEEDED[name])
    assert name not in {each.name.lower() for each in declared()}
    for found in (installed(name), pinned().get(name)):
        assert found is None or found >= floor

"""The pages of the documentation hold together, and say of the code what it says of itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from quickshop.settings import PREFIX, Settings
from tests.documentation.pages import ROOT, Block, Page, pages
from tests.documentation.reference import GENERATED, made_again
from tests.documentation.terminal import differs

PAGES: Final = {page.path: page for page in pages()}
SETTINGS: Final = Page(ROOT / "docs/reference/settings.md")


def is_outside(link: str) -> bool:
    return link.startswith(("https://", "http://", "mailto:"))


@pytest.mark.parametrize("page", PAGES.values(), ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Page) -> None:
    for link in page.links():
        if is_outside(link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.path.parent / path).resolve() if path else page.path
        assert target.exists(), f"{page.name}: {link}"
        if anchor:
            assert anchor in Page(target).anchors(), f"{page.name}: {link}"


def test_every_page_of_docs_is_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    ahead = [ROOT / "README.md"]
    while ahead:
        path = ahead.pop()
        if path.is_dir():
            ahead += path.glob("*.md")
        elif path not in reached and path.suffix == ".md":
            reached.add(path)
            links = (link.partition("#")[0] for link in Page(path).links() if not is_outside(link))
            ahead += [(path.parent / link).resolve() for link in links if link]
    assert PAGES.keys() <= reached


def test_the_readme_is_one_and_a_half_screens() -> None:
    assert len(Page(ROOT / "README.md").text.splitlines()) <= 110


@pytest.mark.parametrize("page", PAGES.values(), ids=lambda page: page.name)
def test_every_program_compiles_also_those_that_are_not_run(page: Page) -> None:
    for block in page.blocks():
        if block.language == "python":
            compile(block.text, f"{page.name}:{block.line}", "exec")


@pytest.mark.parametrize("page", GENERATED)
def test_a_reference_is_what_the_code_says(page: str) -> None:
    committed = (ROOT / page).read_text(encoding="utf-8")
    assert made_again(page) == committed, "run `.venv/bin/python -m tests.documentation`"


def test_the_settings_tables_name_every_setting_and_its_default() -> None:
    table = SETTINGS.text.partition("<!-- settings:")[2].partition("<!-- /settings -->")[0]
    rows = re.findall(r"^\| `(\w+)` \| (?:`([^`]*)`)? ?\| \S", table, flags=re.MULTILINE)
    assert rows == [
        (PREFIX + name.upper(), "" if field.default is None else str(field.default))
        for name, field in Settings.model_fields.items()
    ]


def shown(language: str, text: str) -> Block:
    return Block(1, language, "", text)


def test_an_output_that_is_not_the_one_shown_is_noticed() -> None:
    printed = "one\ntwo 2026\nthree\n"
    for right in ("one\ntwo 2026\nthree\n", "one\ntwo …\nthree\n", "one\n…\n", "…\nthree\n"):
        assert not differs(shown("text", right), printed)
    for wrong in ("one\n", "one\ntwo\nthree\n", "one\n…\ntwo …\n", "three\n…\n"):
        assert differs(shown("text", wrong), printed)


def test_an_answer_that_is_not_the_one_shown_is_noticed() -> None:
    printed = '{"id": 7, "lines": [{"sku": "MUG"}, {"sku": "TEA"}]}'
    for right in (
        '{"id": 7, "…": "…"}',
        '{"id": "…", "lines": "…"}',
        '{"id": 7, "lines": [{"sku": "MUG"}, "…"]}',
    ):
        assert not differs(shown("json", right), printed)
    for wrong in ('{"id": 7}', '{"id": 8, "…": "…"}', '{"id": 7, "lines": [{"sku": "MUG"}]}'):
        assert differs(shown("json", wrong), printed)

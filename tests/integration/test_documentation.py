"""The README and the pages of docs/ work as they are written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.documentation.pages import PRINTED, RUN, SHOWN, Page, pages
from tests.documentation.terminal import following
from tests.documentation.warm import Warm, warmed_up

# In one process: what commands are forked from is started once.
pytestmark = pytest.mark.xdist_group("documentation")

PAGES = pages()
WITH_STEPS = [page for page in PAGES if page.steps()]


@pytest.fixture(scope="module", name="warm")
def _warm() -> Iterator[Warm]:
    with warmed_up() as warm:
        yield warm


@pytest.mark.parametrize("page", WITH_STEPS, ids=lambda page: page.name)
def test_a_page_that_is_followed_does_what_it_says(page: Page, tmp_path: Path, warm: Warm) -> None:
    with following(page, tmp_path, warm) as run:
        for step in page.steps():
            run.follow(step)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_is_run_or_says_why_not(page: Page) -> None:
    for block in page.blocks():
        where = f"{page.name}:{block.line}"
        assert block.language in RUN | PRINTED | SHOWN, f"{where}: {block.language}"
        if block.marker == "not run":
            assert block.reason, f"{where}: a block that is not run says why"


def test_few_blocks_are_not_run() -> None:
    blocks = [block for page in PAGES for block in page.blocks() if block.language in RUN]
    left_out = [block for block in blocks if not block.is_run]
    assert len(left_out) < len(blocks) / 5

"""Text with markup from people the shop does not know."""

from typing import Protocol


class HtmlSanitizer(Protocol):
    """Makes HTML safe to show."""

    def __call__(self, html: str) -> str:
        """The same text with only harmless markup: no scripts, styles, frames or handlers.

        Cleaning what is clean changes nothing.
        """
        ...
